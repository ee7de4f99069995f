import type { BrowserContext } from '@playwright/test'
import { type Conversation, conversation, expect, JUNHO, MINJI, online, test, writeMany } from './support/chat'

/** As a browser does that translates a page: each text is put into elements of its own, also what comes later. */
async function translate(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const wrap = (text: Text) => {
      const { parentElement: parent } = text
      if (parent === null || parent.closest('font, script, style, textarea, title') !== null || text.data.trim() === '') return
      const [outer, inner] = [document.createElement('font'), document.createElement('font')]
      text.replaceWith(outer)
      outer.append(inner)
      inner.append(text.data)
    }
    const wrapAll = (root: Node) => {
      const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
      const texts: Text[] = []
      while (walker.nextNode() !== null) texts.push(walker.currentNode as Text)
      texts.forEach(wrap)
    }
    new MutationObserver((records) => {
      for (const { addedNodes } of records) for (const node of addedNodes) node instanceof Text ? wrap(node) : wrapAll(node)
    }).observe(document, { childList: true, subtree: true })
  })
}

const pill = (chat: Conversation) => chat.page.getByRole('button', { name: /^새 메시지/ })

test('a page that the browser translates goes on, whatever comes and goes in it', async ({ browser, open }) => {
  const context = await browser.newContext()
  await translate(context)
  const minji = await conversation(open, context, MINJI, JUNHO)
  const { page } = minji
  await expect(page.locator('header font').first()).toBeVisible()
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await writeMany(page, MINJI, JUNHO, 40)
  await expect(minji.text('message 40')).toBeVisible()
  await minji.scroller.hover()
  await page.mouse.wheel(0, -900)
  await junho.send('새 소식')
  await expect(pill(minji)).toBeVisible()
  // Read on another device.
  const other = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await other.scroller.press('End')
  await expect(junho.status('새 소식')).toHaveAttribute('data-status', 'read')
  await expect(pill(minji)).toHaveCount(0)
  await page.getByRole('button', { name: '최근 메시지로' }).click()

  await minji.field.fill('가'.repeat(3_000))
  await expect(page.getByTestId('bytes')).toBeVisible()
  await minji.field.fill('짧게')
  await expect(page.getByTestId('bytes')).toHaveCount(0)
  await minji.field.press('Enter')
  await expect(minji.status('짧게')).toHaveAttribute('data-status', 'read')
  await page.getByRole('searchbox').fill('아무도')
  await expect(page.getByText('나눈 대화가 없습니다')).toBeVisible()
  await page.getByRole('searchbox').fill('')
  await page.getByRole('button', { name: '설정' }).click()
  await expect(page.getByRole('dialog')).toBeVisible()
  await page.keyboard.press('Escape')
  await context.setOffline(true)
  await minji.send('끊긴 동안')
  await expect(page.getByRole('status').filter({ hasText: '오프라인' })).toBeVisible()
  await context.setOffline(false)
  await online(page)
  await expect(minji.status('끊긴 동안')).toHaveAttribute('data-status', /sent|read/)
  await page.locator('nav a[href="/ko/teams/"]').click()
  await expect(page.getByRole('heading', { name: '팀', exact: true })).toBeVisible()
  await page.goBack()
  await expect(minji.text('끊긴 동안')).toBeVisible()
})

test('a fault in a conversation leaves the rest of the page as it is, and can be tried again', async ({ browser, server }) => {
  const page = await (await browser.newContext()).newPage()
  await page.goto(`${server.url}/ko/chat/?with=${JUNHO}&as=${MINJI}`)
  await online(page)
  await expect(page.locator('textarea')).toBeVisible()
  // What only a conversation uses: its first message says which day it is.
  await page.evaluate(() => {
    const { RelativeTimeFormat } = Intl
    const fail = function fail() {
      throw new Error('a fault')
    }
    Object.assign(Intl, { RelativeTimeFormat: fail })
    Object.assign(window, { mend: () => Object.assign(Intl, { RelativeTimeFormat }) })
  })
  await page.locator('textarea').fill('안녕하세요')
  await page.locator('textarea').press('Enter')
  const said = page.getByRole('alert').filter({ hasText: '대화 화면을 불러오지 못했습니다' })
  await expect(said).toBeVisible()
  await expect(page.locator(`[data-peer="${JUNHO}"]`)).toContainText('나: 안녕하세요')
  await page.evaluate(() => (window as unknown as { mend(): void }).mend())
  await said.getByRole('button', { name: '다시 시도' }).click()
  await expect(page.locator('li[data-index]').filter({ hasText: '안녕하세요' })).toBeVisible()
})

test('where the browser refuses to keep anything, the page works, and says what that means', async ({ browser, open }) => {
  const context = await browser.newContext()
  await context.addInitScript(() => {
    const refuse = (): never => {
      throw new DOMException('The operation is insecure.', 'SecurityError')
    }
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches'])
      Object.defineProperty(window, name, { get: refuse })
    Object.assign(window, { BroadcastChannel: refuse })
    Object.defineProperty(navigator, 'locks', { value: { request: async () => refuse() } })
    Object.defineProperty(navigator, 'serviceWorker', { value: { register: async () => refuse(), addEventListener: () => {} } })
  })
  const minji = await conversation(open, context, MINJI, JUNHO)
  const { page } = minji
  await expect(page.getByRole('status').filter({ hasText: '이 브라우저에는 저장되지 않으니' })).toBeVisible()
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await minji.send('저장 없이도')
  await expect(minji.status('저장 없이도')).toHaveAttribute('data-status', 'read')
  await junho.send('됩니다')
  await expect(minji.text('됩니다')).toBeVisible()
  await page.getByRole('button', { name: '설정' }).click()
  await page.getByText('어둡게').click()
  await expect(page.locator('html')).toHaveClass(/dark/)
  await page.getByText('English').click()
  await page.waitForURL(/\/en\/chat\//)
  // Nothing remembers who it was.
  await expect(page.getByRole('button', { name: 'Continue as minji' })).toBeVisible()
})

test('times follow the reader to another time zone', async ({ browser, open }) => {
  const context = await browser.newContext({ timezoneId: undefined })
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await junho.send('몇 시예요?')
  await expect(junho.status('몇 시예요?')).toHaveAttribute('data-status', 'sent')
  const minji = await conversation(open, context, MINJI, JUNHO)
  const session = await context.newCDPSession(minji.page)
  const shown = minji.text('몇 시예요?').locator('[title]').first()
  const expected = (timeZone: string) =>
    minji
      .text('몇 시예요?')
      .evaluate(
        (row, timeZone) =>
          new Intl.DateTimeFormat('ko', { hour: 'numeric', minute: '2-digit', timeZone }).format(
            Date.parse(row.querySelector('time[title]')?.getAttribute('datetime') ?? ''),
          ),
        timeZone,
      )
  await expect(shown).toBeVisible()
  for (const timezoneId of ['Asia/Seoul', 'America/New_York', 'Asia/Kolkata']) {
    await session.send('Emulation.setTimezoneOverride', { timezoneId })
    // Whoever travels looks at the page anew.
    await minji.page.evaluate(() => window.dispatchEvent(new Event('focus')))
    await expect(minji.text('몇 시예요?').locator('time[title]')).toHaveText(await expected(timezoneId))
    await expect(minji.page.locator(`[data-peer="${JUNHO}"] time`)).toHaveText(await expected(timezoneId))
  }
})

test('whoever wants less motion sees none', async ({ browser, open }) => {
  const context = await browser.newContext({ reducedMotion: 'reduce' })
  await context.route(/\/chat\/history/, () => {
    // It never answers: what waits for it is shown.
  })
  const page = await open(context, MINJI, `/ko/chat/?with=${encodeURIComponent(JUNHO)}`)
  await expect(page.locator('textarea')).toBeVisible()
  await page.locator('textarea').fill('안녕하세요')
  await page.locator('textarea').press('Enter')
  await page.getByRole('button', { name: '설정' }).click()
  await expect(page.getByRole('dialog')).toBeVisible()
  const moving = await page.evaluate(async () => {
    // What has just begun lasts less than a frame.
    for (let frame = 0; frame < 4; frame += 1) await new Promise(requestAnimationFrame)
    return document
      .getAnimations()
      .map((one) => `${(one as CSSAnimation).animationName ?? (one as CSSTransition).transitionProperty}`)
  })
  expect(moving).toEqual([])
})
