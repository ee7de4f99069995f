import type { Browser, BrowserContext, WebSocketRoute } from '@playwright/test'
import {
  between,
  Conversation,
  conversation,
  expect,
  JUNHO,
  MINJI,
  type Open,
  online,
  type Page,
  refusal,
  test,
  watch,
  writeMany,
} from './support/chat'
import { stored } from './support/images'

test('two people find each other, chat, and see what was read', async ({ browser, server }) => {
  const complaints: string[] = []
  const pages = []
  for (const name of ['minji', 'junho']) {
    const page = await (await browser.newContext()).newPage()
    watch(page, complaints)
    await page.goto(server.url)
    await page.waitForURL('**/ko/chat/')
    await page.getByRole('button', { name: `${name} 계정으로 들어가기` }).click()
    await online(page)
    pages.push(page)
  }
  const [minji, junho] = pages.map((page) => new Conversation(page)) as [Conversation, Conversation]

  await minji.page.getByRole('button', { name: '새 대화' }).first().click()
  await minji.page.getByLabel('상대방 이메일 주소').fill('Junho@Example.com')
  await minji.page.keyboard.press('Enter')
  await expect(minji.field).toBeFocused()
  await minji.send('안녕하세요')
  await expect(minji.status('안녕하세요')).toHaveAttribute('data-status', 'sent')

  // Junho sees that there is something, in the list, in the menu, and in the title.
  await expect(junho.page.locator(`button[data-peer="${MINJI}"]`)).toContainText('안녕하세요')
  await expect(junho.page.getByTestId('unread')).toHaveText('1')
  await expect(junho.page.getByTestId('total-unread')).toHaveText('1')
  await expect(junho.page).toHaveTitle('(1) 채팅 · 두리')
  await expect(junho.page.getByTestId('spoken')).toHaveText('minji: 안녕하세요')
  // On another page of the menu as well, and at no moment on the way there does it say nothing of it.
  await junho.page.evaluate(() => {
    const titles = new Set<string>()
    new MutationObserver(() => titles.add(document.title)).observe(document, {
      childList: true,
      subtree: true,
      characterData: true,
    })
    Object.assign(window, { titles })
  })
  for (const page of ['teams', 'chat']) {
    await junho.page.locator(`nav a[href="/ko/${page}/"]`).click()
    await expect(junho.page).toHaveURL(new RegExp(`/ko/${page}/`))
    await expect(junho.page.getByRole('heading', { level: 1 })).toBeVisible()
    await expect(junho.page.locator('link[rel="icon"]')).toHaveAttribute('href', '/icon-unread.svg')
    await expect(junho.page).toHaveTitle(page === 'teams' ? '(1) 팀 · 두리' : '(1) 채팅 · 두리')
  }
  const titles = await junho.page.evaluate(() => [...(window as unknown as { titles: Set<string> }).titles])
  expect(titles.sort()).toEqual(['(1) 채팅 · 두리', '(1) 팀 · 두리'])
  await expect(minji.status('안녕하세요')).toHaveAttribute('data-status', 'sent')

  await junho.open(MINJI)
  await expect(junho.text('안녕하세요')).toBeVisible()
  await expect(minji.status('안녕하세요')).toHaveAttribute('data-status', 'read')
  await expect(minji.text('안녕하세요')).toContainText('읽음')
  await expect(junho.page.getByTestId('unread')).toHaveCount(0)
  await expect(junho.page).toHaveTitle('채팅 · 두리')

  await junho.field.pressSequentially('네', { delay: 5 })
  await expect(minji.page.getByRole('region', { name: 'junho 님과의 대화' }).getByText('입력 중…')).toBeVisible()
  await junho.send('네, 반갑습니다')
  await expect(minji.text('네, 반갑습니다')).toBeVisible()
  await expect(junho.status('네, 반갑습니다')).toHaveAttribute('data-status', 'read')
  expect(complaints).toEqual([])
})

test('three messages written offline survive the death of the tab and arrive once, in order', async ({ browser, open, server }) => {
  const context = await browser.newContext()
  const minji = await conversation(open, context, MINJI, JUNHO)
  await minji.send('먼저')
  await expect(minji.status('먼저')).toHaveAttribute('data-status', 'sent')
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await expect(junho.text('먼저')).toBeVisible()

  // The network is gone, for as long as the tab lives.
  await context.setOffline(true)
  await expect(minji.page.getByRole('status')).toContainText('오프라인입니다')
  for (const text of ['하나', '둘', '셋']) {
    await minji.send(text)
    await expect(minji.status(text)).toHaveAttribute('data-status', 'sending')
  }
  await minji.kept()
  const session = await context.newCDPSession(minji.page)
  const crashed = minji.page.waitForEvent('crash')
  void session.send('Page.crash').catch(() => {})
  await crashed
  await minji.page.close()
  const atServer = async () => (await stored(server.url, MINJI, JUNHO)).map(({ message }) => message).reverse()
  expect(await atServer()).toEqual(['먼저'])
  await context.setOffline(false)

  const again = await conversation(open, context, MINJI, JUNHO)
  for (const text of ['하나', '둘', '셋']) await expect(again.text(text)).toBeVisible()
  await expect(again.status('셋')).toHaveAttribute('data-status', /sent|read/)
  await expect.poll(() => junho.texts()).toEqual(['먼저', '하나', '둘', '셋'])
  expect(await atServer()).toEqual(['먼저', '하나', '둘', '셋'])
  expect(await again.texts()).toEqual(['먼저', '하나', '둘', '셋'])
})

test('what is written before a conversation has come is at the end, and stays when it comes', async ({ browser, open }) => {
  const context = await browser.newContext()
  let answer = () => {}
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  await context.route(/\/chat\/history/, async (route) => {
    await answered
    await route.continue()
  })
  const minji = await conversation(open, context, MINJI, JUNHO)
  for (let index = 0; index < 20; index += 1) await minji.send(`말 ${index}`)
  const last = minji.scroller.getByText('말 19', { exact: true })
  await expect(last).toBeInViewport()
  answer()
  await expect(minji.status('말 19')).toHaveAttribute('data-status', 'sent')
  await expect(last).toBeInViewport()
})

test('a server that was away gets what was written meanwhile', async ({ browser, open, server }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await server.stop()
  await expect(minji.page.getByRole('status')).toContainText('다시 연결하는 중')
  await minji.send('기다렸다가 갑니다')
  await expect(minji.status('기다렸다가 갑니다')).toHaveAttribute('data-status', 'sending')
  await server.start()
  await expect(minji.status('기다렸다가 갑니다')).toHaveAttribute('data-status', 'sent')
  await expect(minji.page.getByRole('status')).toBeEmpty()
})

test('a server that forgot everything', async ({ browser, open, server }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  for (const text of ['옛말 1', '옛말 2']) {
    await minji.send(text)
    await expect(junho.text(text)).toBeVisible()
  }
  await server.stop()
  await expect(minji.page.getByRole('status')).toContainText('다시 연결하는 중')
  for (const text of ['하나', '둘', '셋']) {
    await minji.send(text)
    await expect(minji.status(text)).toHaveAttribute('data-status', 'sending')
  }
  await server.start()
  for (const page of [minji, junho]) await expect.poll(() => page.texts()).toEqual(['하나', '둘', '셋'])
  await expect(minji.status('셋')).toHaveAttribute('data-status', 'read')
  await junho.send('넷')
  for (const page of [minji, junho]) await expect.poll(() => page.texts()).toEqual(['하나', '둘', '셋', '넷'])
})

test('nothing is shown of a server that forgot everything', async ({ browser, open, server }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await minji.send('옛말')
  await expect(minji.status('옛말')).toHaveAttribute('data-status', 'sent')
  await server.stop()
  await expect(minji.page.getByRole('status')).toContainText('다시 연결하는 중')
  await server.start()
  await expect(minji.page.getByText('junho 님에게 첫 메시지를 보내 보세요')).toBeVisible()
  await expect(minji.rows).toHaveCount(0)
  await expect(minji.page.locator(`button[data-peer="${JUNHO}"]`)).toHaveCount(0)
})

test('what a lost push would have told is found by the next one, and by looking at the page again', async ({ browser, open }) => {
  const context = await browser.newContext()
  let losing = false
  await between(context, { received: ({ type }) => !losing || type !== 'message' })
  const minji = await conversation(open, context, MINJI, JUNHO)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await junho.send('보임')
  await expect(minji.text('보임')).toBeVisible()

  losing = true
  await junho.send('사라짐 1')
  await junho.send('사라짐 2')
  await expect(junho.status('사라짐 2')).toHaveAttribute('data-status', 'sent')
  losing = false
  await junho.send('다시 보임')
  await expect.poll(() => minji.texts()).toEqual(['보임', '사라짐 1', '사라짐 2', '다시 보임'])

  losing = true
  await junho.send('사라짐 3')
  await expect(junho.status('사라짐 3')).toHaveAttribute('data-status', 'sent')
  await minji.page.evaluate(() => window.dispatchEvent(new Event('focus')))
  await expect(minji.text('사라짐 3')).toBeVisible()
})

test('a connection that is cut comes back, with what was missed', async ({ browser, open }) => {
  const context = await browser.newContext()
  const cuts: (() => void)[] = []
  await context.routeWebSocket(/./, (socket) => {
    const upstream = socket.connectToServer()
    cuts.push(() => {
      void upstream.close()
      void socket.close({ code: 1001 })
    })
  })
  const minji = await conversation(open, context, MINJI, JUNHO)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  for (const round of [1, 2, 3]) {
    cuts.at(-1)?.()
    await junho.send(`끊긴 동안 ${round}`)
    await expect(minji.text(`끊긴 동안 ${round}`)).toBeVisible()
    await minji.send(`답 ${round}`)
    await expect(junho.text(`답 ${round}`)).toBeVisible()
  }
  expect(await minji.texts()).toEqual(await junho.texts())
})

/** The messages that the pages of a context send from now on. */
async function recordSent(context: BrowserContext): Promise<string[]> {
  const sent: string[] = []
  await between(context, {
    sent({ action, message }) {
      if (action === 'sendMessage') sent.push(message)
      return true
    },
  })
  return sent
}

test('two tabs show the same, and one of them sends each message', async ({ browser, open }) => {
  const context = await browser.newContext()
  const sent = await recordSent(context)
  const one = await conversation(open, context, MINJI, JUNHO)
  const two = await conversation(open, context, MINJI, JUNHO)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  const written: string[] = []
  for (const [index, tab] of [one, two, one, two, one, two].entries()) {
    written.push(`탭에서 ${index}`)
    await tab.send(`탭에서 ${index}`)
  }
  for (const page of [one, two, junho]) await expect.poll(async () => [...(await page.texts())].sort()).toEqual(written)
  expect(await one.texts()).toEqual(await junho.texts())
  expect(await two.texts()).toEqual(await junho.texts())
  expect([...sent].sort()).toEqual(written)

  // Read in one tab is read in the other.
  await one.page.locator('a[href="/ko/teams/"]').click()
  await expect(one.page.getByRole('heading', { name: '팀', exact: true })).toBeVisible()
  await junho.send('읽어 보세요')
  await expect(two.text('읽어 보세요')).toBeVisible()
  await expect(junho.status('읽어 보세요')).toHaveAttribute('data-status', 'read')
  await expect(one.page.getByTestId('total-unread')).toHaveCount(0)
})

test.describe('what one tab wrote and cannot send, another one sends', () => {
  /** Two tabs of Minji's. The first one's socket is as `first` makes it; what the second one sends ends up in `sent`. */
  async function tabs(browser: Browser, open: Open, first: (socket: WebSocketRoute) => void) {
    const context = await browser.newContext()
    const sent = await recordSent(context)
    const one = await conversation(open, context, MINJI, JUNHO)
    await one.page.routeWebSocket(/./, first)
    await one.page.reload()
    await expect(one.field).toBeVisible()
    const two = await conversation(open, context, MINJI, JUNHO)
    return { one, two, sent }
  }

  const TEXTS = ['하나', '둘', '셋']

  test('at once', async ({ browser, open, server }) => {
    const { one, two, sent } = await tabs(browser, open, (socket) => void socket.close())
    for (const text of TEXTS) await one.send(text)
    for (const tab of [one, two]) {
      await expect(tab.status('셋')).toHaveAttribute('data-status', 'sent')
      expect(await tab.texts()).toEqual(TEXTS)
    }
    expect((await stored(server.url, MINJI, JUNHO)).map(({ message }) => message).reverse()).toEqual(TEXTS)
    expect(sent).toEqual(TEXTS)
  })

  const ends: [string, (tab: Page) => Promise<unknown>][] = [
    ['closed', (tab) => tab.close()],
    // Headless pages are always visible, and what is visible is not frozen: only the word is given.
    ['frozen', (tab) => tab.evaluate(() => document.dispatchEvent(new Event('freeze')))],
  ]
  for (const [name, end] of ends) {
    test(`when it is ${name}, if it was about to`, async ({ browser, open, server }) => {
      // As on a network that is gone without a word.
      const { one, two, sent } = await tabs(browser, open, (socket) => {
        const upstream = socket.connectToServer()
        socket.onMessage((data) => {
          if (JSON.parse(String(data)).action !== 'sendMessage') upstream.send(data)
        })
      })
      await online(one.page)
      for (const text of TEXTS) await one.send(text)
      for (const tab of [one, two]) await expect(tab.status('셋')).toHaveAttribute('data-status', 'sending')
      expect(await stored(server.url, MINJI, JUNHO)).toEqual([])

      await end(one.page)
      await expect(two.status('셋')).toHaveAttribute('data-status', 'sent')
      expect(await two.texts()).toEqual(TEXTS)
      expect((await stored(server.url, MINJI, JUNHO)).map(({ message }) => message).reverse()).toEqual(TEXTS)
      expect(sent).toEqual(TEXTS)
    })
  }
})

test('what is written after the browser has deleted the database, and what was in it, arrives once', async ({
  browser,
  open,
  server,
}) => {
  const context = await browser.newContext()
  const minji = await conversation(open, context, MINJI, JUNHO)
  const clear = () =>
    minji.page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const request = indexedDB.deleteDatabase('chat')
          request.onsuccess = resolve
          request.onerror = request.onblocked = reject
        }),
    )
  await clear()
  await minji.send('하나')
  await expect(minji.status('하나')).toHaveAttribute('data-status', 'sent')

  await server.stop()
  await expect(minji.page.getByRole('status')).toContainText('다시 연결하는 중')
  await minji.send('둘')
  await expect(minji.status('둘')).toHaveAttribute('data-status', 'sending')
  await clear()
  await minji.send('셋')
  await expect(minji.status('셋')).toHaveAttribute('data-status', 'sending')
  // This server keeps nothing on the disk.
  await server.start()
  await expect.poll(() => minji.texts()).toEqual(['둘', '셋'])
  await expect(minji.status('셋')).toHaveAttribute('data-status', 'sent')

  await minji.page.reload()
  await online(minji.page)
  await expect(minji.text('셋')).toBeVisible()
  expect(await minji.texts()).toEqual(['둘', '셋'])
  expect((await stored(server.url, MINJI, JUNHO)).map(({ message }) => message).reverse()).toEqual(['둘', '셋'])
})

test('what is written when a newer page has taken over stays, and says why', async ({ browser, open, server }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await minji.page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open('chat', 99)
        request.onsuccess = resolve
        request.onerror = request.onblocked = reject
      }),
  )
  await minji.send('남아 있어요')
  await expect(minji.status('남아 있어요')).toHaveAttribute('data-status', 'failed')
  await expect(minji.text('남아 있어요')).toContainText('새 버전의 채팅이 열려 있어')
  await expect(minji.text('남아 있어요').getByRole('button', { name: '다시 보내기' })).toHaveCount(0)
  expect(await stored(server.url, MINJI, JUNHO)).toEqual([])
  await minji.page.locator('a[href="/ko/teams/"]').click()
  await expect(minji.page.getByRole('heading', { name: '팀', exact: true })).toBeVisible()
  await minji.page.goBack()
  await minji.text('남아 있어요').getByRole('button', { name: '삭제' }).click()
  await expect(minji.rows).toHaveCount(0)
})

test.describe('a long conversation', () => {
  test.use({
    flags: [
      '--send-burst',
      '1000000',
      '--send-per-second',
      '1000000',
      '--request-burst',
      '1000000',
      '--requests-per-hour',
      '1000000',
    ],
  })

  test('of 10,000 messages opens at its end, and older ones come without a jump', async ({ browser, open, server }) => {
    // Ten thousand messages take minutes to write while other things are built.
    test.slow()
    const context = await browser.newContext()
    // Not from a page of the chat, which would follow them all.
    const page = await context.newPage()
    await page.goto(`${server.url}/config.json`)
    // The last one alone, so that it is the last one.
    await writeMany(page, MINJI, JUNHO, 9_999, 'message', 2)
    await writeMany(page, MINJI, JUNHO, 1, 'newest')
    const minji = await conversation(open, context, MINJI, JUNHO)
    await expect(minji.text('newest 1')).toBeVisible()
    expect(await minji.rows.count()).toBeLessThan(80)

    // Up, page after page. Each time what is on the screen stays where it is while older messages are put above it; by less than a
    // line, since the height of what comes into view is estimated first.
    let release = () => {}
    await minji.page.route(/before=/, async (route) => {
      await new Promise<void>((resolve) => {
        release = resolve
      })
      await route.continue()
    })
    const seen = new Set(await minji.texts())
    for (let pages = 0; pages < 5; pages += 1) {
      const asked = minji.page.waitForRequest(/before=/)
      await minji.scroller.evaluate((list) => {
        list.scrollTop = 0
      })
      await asked
      if (pages === 0) await expect(minji.page.getByTestId('floating-day')).toHaveText('오늘')
      await expect.poll(() => minji.scroller.evaluate((list) => list.scrollTop)).toBeLessThan(200)
      const first = minji.rows.filter({ hasText: (await minji.texts())[0] ?? '' }).first()
      const text = await first.locator('.message-text').textContent()
      const row = minji.rows.filter({ has: minji.page.getByText(text ?? '', { exact: true }) })
      const index = Number(await row.getAttribute('data-index'))
      const top = (await row.locator('.message-text').boundingBox())?.y ?? 0
      release()
      await expect.poll(async () => Number(await row.getAttribute('data-index'))).toBe(index + 50)
      await expect.poll(async () => Math.abs(((await row.locator('.message-text').boundingBox())?.y ?? 0) - top)).toBeLessThan(12)
      for (const one of await minji.texts()) seen.add(one)
    }
    expect(await minji.rows.count()).toBeLessThan(80)
    expect(seen.size).toBeGreaterThan(100)

    await minji.page.getByRole('button', { name: '최근 메시지로' }).click()
    await expect(minji.text('newest 1')).toBeVisible()
  })

  test('is followed at its end however fast messages come, until somebody scrolls up', async ({ browser, open }) => {
    const writer = await open(await browser.newContext(), JUNHO)
    await online(writer)
    await writeMany(writer, JUNHO, MINJI, 40)
    const reader = await conversation(open, await browser.newContext(), MINJI, JUNHO)
    await reader.page.getByRole('button', { name: '새 메시지' }).click()
    await expect(reader.text('message 40')).toBeVisible()
    // Frames take so long that several messages come within each.
    await reader.page.evaluate(() => {
      const dawdle = () => {
        const until = performance.now() + 120
        while (performance.now() < until);
        if (!('quick' in window)) requestAnimationFrame(dawdle)
      }
      dawdle()
    })
    await writeMany(writer, JUNHO, MINJI, 100, 'flood')
    await reader.page.evaluate(() => Object.assign(window, { quick: true }))
    await expect(reader.text('flood 100')).toBeVisible()
    await expect(reader.page.getByRole('button', { name: '새 메시지' })).toHaveCount(0)
    await expect(reader.page.getByTestId('total-unread')).toHaveCount(0)

    await reader.scroller.hover()
    await reader.page.mouse.wheel(0, -300)
    await expect(reader.page.getByRole('button', { name: '최근 메시지로' })).toBeVisible()
    const top = await reader.scroller.evaluate((list) => list.scrollTop)
    await writeMany(writer, JUNHO, MINJI, 2, 'later')
    await expect(reader.page.getByRole('button', { name: '새 메시지 1개' })).toBeVisible()
    expect(await reader.scroller.evaluate((list) => list.scrollTop)).toBe(top)
  })

  test('lets somebody go who scrolls up in small steps while messages come', async ({ browser, open }) => {
    const writer = await conversation(open, await browser.newContext(), JUNHO, MINJI)
    await writeMany(writer.page, JUNHO, MINJI, 40)
    const reader = await conversation(open, await browser.newContext(), MINJI, JUNHO)
    await reader.page.getByRole('button', { name: '새 메시지' }).click()
    await expect(reader.text('message 40')).toBeVisible()
    await reader.scroller.hover()
    // Less between two messages than what still counts as the end.
    for (let round = 1; round <= 10; round += 1) {
      for (let step = 0; step < 6; step += 1) await reader.page.mouse.wheel(0, -10)
      await writer.send(`meanwhile ${round}`)
    }
    await expect(reader.page.getByRole('button', { name: /^새 메시지 \d+개/ })).toBeVisible()
    const top = await reader.scroller.evaluate((list) => list.scrollTop)
    await writeMany(writer.page, JUNHO, MINJI, 1, 'later')
    await expect(reader.page.locator(`button[data-peer="${JUNHO}"]`)).toContainText('later 1')
    expect(await reader.scroller.evaluate((list) => list.scrollTop)).toBe(top)

    // Back at the end, it is followed again.
    await reader.page.getByRole('button', { name: /^새 메시지 \d+개/ }).click()
    await writer.send('at last')
    await expect(reader.text('at last')).toBeInViewport()
    await expect(reader.page.getByTestId('total-unread')).toHaveCount(0)
  })

  test('stays where it is read when a message leaves and one that failed is what remains', async ({ browser, open }) => {
    const context = await browser.newContext()
    await between(context, {
      sent({ message, clientMessageId }, answer) {
        if (message !== 'refused') return true
        answer(refusal('selfChat', clientMessageId))
        return false
      },
    })
    const minji = await conversation(open, context, MINJI, JUNHO)
    const writer = await open(await browser.newContext(), JUNHO)
    await writeMany(writer, JUNHO, MINJI, 40)
    await minji.send('refused')
    await expect(minji.status('refused')).toHaveAttribute('data-status', 'failed')
    await context.setOffline(true)
    await minji.send('waits')
    await expect(minji.status('waits')).toHaveAttribute('data-status', 'sending')
    await minji.scroller.hover()
    await minji.page.mouse.wheel(0, -500)
    await expect(minji.page.getByRole('button', { name: '최근 메시지로' })).toBeVisible()
    const top = await minji.scroller.evaluate((list) => list.scrollTop)

    await context.setOffline(false)
    await expect(minji.page.locator(`button[data-peer="${JUNHO}"]`)).toContainText('나: waits')
    await minji.kept()
    expect(await minji.scroller.evaluate((list) => list.scrollTop)).toBe(top)
  })

  test('shows where reading stopped, counts what is new, and marks it read only at its end', async ({ browser, open }) => {
    const context = await browser.newContext()
    const writer = await open(await browser.newContext(), JUNHO)
    await online(writer)
    await writeMany(writer, JUNHO, MINJI, 2)
    const reader = await conversation(open, context, MINJI, JUNHO)
    await expect(reader.text('message 2')).toBeVisible()
    await reader.page.locator('a[href="/ko/teams/"]').click()
    await expect(reader.page.getByRole('heading', { name: '팀', exact: true })).toBeVisible()
    await writeMany(writer, JUNHO, MINJI, 60, 'later')
    await expect(reader.page.getByTestId('total-unread')).toHaveText('30')

    await reader.page.goBack()
    await expect(reader.page.getByText('여기부터 안 읽은 메시지')).toBeVisible()
    // The day is told while the list moves, but not over that line.
    const tellsDay = (byPx: number) =>
      reader.scroller.evaluate(async (list, byPx) => {
        list.scrollTop += byPx
        for (let frame = 0; frame < 6; frame += 1) await new Promise(requestAnimationFrame)
        return document.querySelector('[data-testid="floating-day"]') !== null
      }, byPx)
    expect(await tellsDay(4)).toBe(false)
    expect(await tellsDay(200)).toBe(true)
    expect(await tellsDay(-204)).toBe(false)
    const pill = reader.page.getByRole('button', { name: '새 메시지 30개' })
    await expect(pill).toBeVisible()
    await expect(reader.page.getByTestId('total-unread')).toHaveText('30')
    await pill.click()
    await expect(reader.scroller).toBeFocused()
    await expect(reader.text('later 60')).toBeVisible()
    await expect(reader.page.getByTestId('total-unread')).toHaveCount(0)
    await expect(pill).toHaveCount(0)
  })

  test('shows where reading stopped further back than a page as soon as that is loaded, and nowhere before', async ({
    browser,
    open,
  }) => {
    const writer = await open(await browser.newContext(), JUNHO)
    await online(writer)
    await writeMany(writer, JUNHO, MINJI, 2)
    const context = await browser.newContext()
    const before = await conversation(open, context, MINJI, JUNHO)
    await expect(before.text('message 2')).toBeVisible()
    await expect(before.page.getByTestId('total-unread')).toHaveCount(0)
    await before.page.close()
    await writeMany(writer, JUNHO, MINJI, 120, 'later')

    const reader = await conversation(open, context, MINJI, JUNHO)
    const divider = reader.rows.filter({ hasText: '여기부터 안 읽은 메시지' })
    await expect(reader.text('later 120')).toBeVisible()
    const marked = new Set<string>()
    await expect
      .poll(async () => {
        for (const text of await divider.locator('.message-text').allInnerTexts()) marked.add(text)
        await reader.scroller.evaluate((list) => {
          list.scrollTop = 0
        })
        return (await reader.page.getByText('대화의 처음입니다').isVisible()) && (await reader.text('message 1').isVisible())
      })
      .toBe(true)
    await expect(divider.locator('.message-text')).toHaveText('later 1')
    expect([...marked].filter((text) => text !== 'later 1')).toEqual([])
  })
})

test('what came while nobody looked is marked off from what was seen', async ({ browser, open }) => {
  const context = await browser.newContext()
  await context.addInitScript(() => {
    let state = 'visible'
    Object.defineProperty(document, 'visibilityState', { get: () => state })
    Object.assign(window, {
      look: (next: string) => {
        state = next
        document.dispatchEvent(new Event('visibilitychange'))
      },
    })
  })
  const minji = await conversation(open, context, MINJI, JUNHO)
  const look = (state: 'visible' | 'hidden') =>
    minji.page.evaluate((state) => (window as unknown as { look(state: string): void }).look(state), state)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  const divider = minji.rows.filter({ hasText: '여기부터 안 읽은 메시지' })
  await junho.send('보고 있음')
  await expect(junho.status('보고 있음')).toHaveAttribute('data-status', 'read')
  await expect(divider).toHaveCount(0)
  for (const text of ['자리 비움', '또 비움']) {
    await look('hidden')
    await junho.send(text)
    await junho.send(`${text} 둘`)
    await expect(minji.page.getByTestId('total-unread')).toHaveText('2')
    await look('visible')
    await expect(junho.status(`${text} 둘`)).toHaveAttribute('data-status', 'read')
    await expect(divider.locator('.message-text')).toHaveText(text)
  }
  await minji.send('왔어요')
  await expect(divider).toHaveCount(0)
})

test('a hundred unread are 99+', async ({ browser, open }) => {
  const minji = await open(await browser.newContext(), MINJI)
  await online(minji)
  const page = await open(await browser.newContext(), JUNHO)
  await online(page)
  // Within the rate that everybody has: 30 at once from each of four people, to one.
  for (const index of [1, 2, 3, 4]) {
    await writeMany(page, `friend${index}@example.com`, MINJI, 1)
    await page.evaluate(
      async ([from, to]) => {
        const { wsUrl, auth } = await (await fetch('/config.json')).json()
        const { accessToken } = await (await fetch(auth.loginUrl, { method: 'POST', body: JSON.stringify({ email: from }) })).json()
        const socket = new WebSocket(wsUrl, ['chat.v1', accessToken])
        await new Promise((resolve) => socket.addEventListener('open', resolve))
        for (let count = 0; count < 25; count += 1) {
          socket.send(
            JSON.stringify({
              action: 'sendMessage',
              receiverEmail: to,
              message: `hi ${count}`,
              clientMessageId: crypto.randomUUID(),
            }),
          )
          await new Promise((resolve) => socket.addEventListener('message', resolve, { once: true }))
        }
        socket.close()
      },
      [`friend${index}@example.com`, MINJI] as const,
    )
  }
  await expect(minji.getByTestId('total-unread')).toHaveText('99+')
  await expect(minji.getByTestId('unread').first()).toHaveText('26')
  await expect(minji).toHaveTitle('(99+) 채팅 · 두리')
})
