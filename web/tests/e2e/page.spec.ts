import AxeBuilder from '@axe-core/playwright'
import { Conversation, conversation, expect, JUNHO, MINJI, online, type Page, test, writeMany } from './support/chat'

test('an address without a language leads to the browser’s, and to the chosen one from then on', async ({ browser, server }) => {
  const context = await browser.newContext({ locale: 'en-GB' })
  const page = await context.newPage()
  await page.goto(`${server.url}/chat/?with=junho%40example.com`)
  await page.waitForURL(/\/en\/chat\/\?with=junho%40example\.com/)
  await page.getByRole('button', { name: 'Continue as minji' }).click()
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByText('한국어').click()
  await page.waitForURL(/\/ko\/chat\/\?with=junho%40example\.com/)
  await page.goto(`${server.url}/teams`)
  await page.waitForURL('**/ko/teams/')
})

test('a team page leads into a conversation with its captain', async ({ browser, open }) => {
  const page = await open(await browser.newContext(), MINJI, '/ko/teams/')
  await page.getByRole('link', { name: '주장에게 메시지' }).click()
  await expect(page).toHaveURL(/\/ko\/chat\/\?with=junho%40example\.com/)
  await expect(page.getByLabel('junho 님에게 보낼 메시지')).toBeVisible()
})

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 780 } })

  test('the list and the conversation are two screens', async ({ browser, open }) => {
    const phone = await browser.newContext({ viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true })
    const minji = new Conversation(await open(phone, MINJI))
    const { page } = minji
    await online(page)
    await page.getByRole('searchbox').fill('junho@example.com')
    await page.getByRole('button', { name: /새 대화 시작/ }).tap()
    await expect(page.getByRole('heading', { name: 'junho' })).toBeVisible()
    await expect(page.getByRole('navigation')).toBeHidden()
    await expect(page.getByRole('heading', { name: '대화 목록' })).toBeHidden()

    // Enter is a new line here; the button sends.
    await minji.field.fill('첫 줄')
    await minji.field.press('Enter')
    await minji.field.pressSequentially('둘째 줄')
    await page.getByRole('button', { name: '보내기' }).tap()
    await expect(minji.text('둘째 줄')).toBeVisible()
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)

    await page.getByRole('button', { name: '목록으로' }).tap()
    await expect(page.getByRole('heading', { name: '대화 목록' })).toBeVisible()
    await expect(page.getByRole('navigation')).toBeVisible()
    await page.goBack()
    await expect(page.getByRole('heading', { name: 'junho' })).toBeVisible()
  })
})

test('everything can be done by keyboard', async ({ browser, open }) => {
  const minji = new Conversation(await open(await browser.newContext(), MINJI))
  const { page } = minji
  await online(page)
  const tabTo = async (name: string) => {
    await expect
      .poll(async () => {
        await page.keyboard.press('Tab')
        return page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '')
      })
      .toContain(name)
  }
  await tabTo('새 대화')
  await page.keyboard.press('Enter')
  await expect(page.getByLabel('상대방 이메일 주소')).toBeFocused()
  await page.keyboard.type('junho@example.com')
  await page.keyboard.press('Enter')
  await expect(minji.field).toBeFocused()
  await page.keyboard.type('키보드로')
  await page.keyboard.press('Enter')
  await expect(minji.status('키보드로')).toHaveAttribute('data-status', 'sent')
  await page.keyboard.press('Escape')
  await expect(page.locator(`button[data-peer="${JUNHO}"]`)).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(minji.field).toBeFocused()
})

for (const theme of ['light', 'dark'] as const) {
  for (const language of ['ko', 'en'] as const) {
    test(`nothing is in the way of anybody: ${theme}, ${language}`, async ({ browser, open, server }) => {
      const context = await browser.newContext({ colorScheme: theme, reducedMotion: 'reduce' })
      const check = async (page: Page, what: string) => {
        const { violations } = await new AxeBuilder({ page }).analyze()
        expect(
          violations.map(({ id, nodes }) => `${what}: ${id} ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`),
        ).toEqual([])
      }
      const page = await context.newPage()
      await page.goto(`${server.url}/${language}/chat/`)
      await expect(page.getByRole('button', { name: /minji/ })).toBeVisible()
      await check(page, 'signing in')

      const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
      await junho.send('https://example.com 에서 만나요')
      await expect(junho.status('만나요')).toHaveAttribute('data-status', 'sent')
      await writeMany(junho.page, JUNHO, MINJI, 18)
      const minji = new Conversation(await open(context, MINJI, `/${language}/chat/`))
      await expect(minji.page.getByTestId('unread')).toHaveText('10')
      const total = minji.page.getByTestId('total-unread')
      await expect(total).toHaveText('10')
      expect(await total.evaluate((badge) => badge.scrollHeight <= badge.clientHeight)).toBe(true)
      await check(minji.page, 'the list')
      await minji.open(JUNHO)
      await minji.send('좋아요')
      await expect(junho.text('좋아요')).toBeVisible()
      await minji.field.fill('가'.repeat(3_000))
      await expect(minji.page.getByTestId('bytes')).toBeVisible()
      await check(minji.page, 'a conversation')

      await minji.page.keyboard.press('Escape')
      await minji.page.locator('header button').first().click()
      await expect(minji.page.getByRole('dialog')).toBeVisible()
      await minji.page.getByRole('dialog').getByRole('textbox').press('Enter')
      await expect(minji.page.getByRole('dialog').getByRole('alert')).toBeVisible()
      await check(minji.page, 'a new chat')
      await minji.page.keyboard.press('Escape')

      await minji.page.getByRole('navigation').getByRole('button').click()
      await expect(minji.page.getByRole('dialog')).toBeVisible()
      await check(minji.page, 'settings')
      await minji.page.keyboard.press('Escape')
      await minji.page.getByRole('navigation').getByRole('link').nth(1).click()
      await expect(minji.page.getByRole('heading', { level: 1 })).toBeVisible()
      await check(minji.page, 'teams')
    })
  }
}
