import { expectNoBarriers } from './support/axe'
import { type Conversation, conversation, expect, JUNHO, MINJI, neverIdle, type Page, test, writeMany } from './support/chat'

const bar = (chat: Conversation) => chat.page.getByRole('toolbar', { name: '이 메시지로 할 일' })
const menu = (page: Page) => page.getByRole('menu')
const clipboard = (page: Page) => page.evaluate(() => navigator.clipboard.readText())
const CLIPBOARD = { permissions: ['clipboard-read', 'clipboard-write'] }
/** The row with the focus. */
const focused = (chat: Conversation) => chat.rows.and(chat.page.locator(':focus'))

test('a message says by mouse what can be done with it, and when it was sent and read', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(CLIPBOARD), MINJI, JUNHO)
  const { page } = minji
  await minji.send('첫 번째')
  await minji.send('두 번째')
  await expect(minji.status('두 번째')).toHaveAttribute('data-status', 'sent')
  await expect(bar(minji)).toHaveCount(0)
  await minji.text('첫 번째').locator('.message-text').hover()
  await bar(minji).getByRole('button', { name: '텍스트 복사' }).click()
  await expect(page.getByTestId('said').filter({ hasText: '복사했습니다' })).toBeVisible()
  expect(await clipboard(page)).toBe('첫 번째')

  await bar(minji).getByRole('button', { name: '더 보기' }).click()
  const dialog = page.getByRole('dialog', { name: '나 님의 메시지' })
  await expect(menu(page).getByRole('menuitem', { name: '답장' })).toBeFocused()
  await expect(dialog).toContainText(/보낸 시각\d{4}년 \d+월 \d+일 (오전|오후) \d+:\d\d:\d\d/)
  await expect(dialog).toContainText('아직 읽지 않음')
  await expectNoBarriers(page, 'the times of a message')
  await page.keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)

  // Whoever is there when it is read is told when.
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await expect(minji.status('두 번째')).toHaveAttribute('data-status', 'read')
  await minji.text('두 번째').locator('.message-text').hover()
  await bar(minji).getByRole('button', { name: '더 보기' }).click()
  await expect(dialog).toContainText(/읽은 시각\d{4}년 \d+월 \d+일 (오전|오후) \d+:\d\d:\d\d/)
  await page.keyboard.press('Escape')
  // The way back, past what is closed, takes a moment.
  await expect.poll(() => page.evaluate(() => history.state?.chatLayers ?? 0)).toBe(0)
  await page.reload()
  await minji.text('두 번째').locator('.message-text').hover()
  await bar(minji).getByRole('button', { name: '더 보기' }).click()
  await expect(dialog).toContainText('이 화면을 열기 전에 읽음')
  await page.keyboard.press('Escape')
  await expect(junho.text('두 번째')).toBeVisible()
})

test('messages are gone through by keyboard, from the empty field to the menu and back', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(CLIPBOARD), MINJI, JUNHO)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  const { page } = minji
  await writeMany(page, MINJI, JUNHO, 30)
  await junho.send('마지막')
  await expect(minji.text('마지막')).toBeVisible()

  await expect(minji.field).toBeFocused()
  await page.keyboard.press('Shift+ArrowUp')
  await expect(focused(minji)).toContainText('message 29')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  await expect(focused(minji)).toContainText('마지막')
  await page.keyboard.press('ArrowDown')
  await expect(focused(minji)).toContainText('마지막')
  for (let index = 30; index >= 12; index -= 1) {
    await page.keyboard.press('ArrowUp')
    await expect(focused(minji)).toContainText(`message ${index}`)
    await expect(focused(minji)).toBeInViewport()
  }
  await page.keyboard.press('ControlOrMeta+c')
  await expect.poll(() => clipboard(page)).toBe('message 12')

  for (const key of ['Enter', 'ContextMenu', 'Shift+F10']) {
    await page.keyboard.press(key)
    await expect(menu(page).getByRole('menuitem', { name: '답장' })).toBeFocused()
    await page.keyboard.press('ArrowUp')
    await expect(menu(page).getByRole('menuitemcheckbox').first()).toBeFocused()
    await page.keyboard.press('ArrowRight')
    await expect(menu(page).getByRole('menuitemcheckbox').nth(1)).toBeFocused()
    await page.keyboard.press('ArrowUp')
    await expect(menu(page).getByRole('menuitem').last()).toBeFocused()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await expect(menu(page).getByRole('menuitem', { name: '답장' })).toBeFocused()
    await page.keyboard.press('Escape')
    await expect(menu(page)).toHaveCount(0)
    await expect(focused(minji)).toContainText('message 12')
  }
  await page.keyboard.press('Escape')
  await expect(minji.field).toBeFocused()
  // With something in it, the arrow moves the caret.
  await minji.field.fill('쓰는 중')
  await page.keyboard.press('ArrowUp')
  await expect(minji.field).toBeFocused()
})

test.describe('a link', () => {
  test.use({ flags: ['--send-burst', '1000000', '--send-per-second', '1000000'] })

  test('leads either of the two to its message, as far back as it says', async ({ browser, open }) => {
    const context = await browser.newContext(CLIPBOARD)
    const minji = await conversation(open, context, MINJI, JUNHO)
    const { page } = minji
    await minji.send('찾을 메시지')
    await expect(minji.status('찾을 메시지')).toHaveAttribute('data-status', 'sent')
    await minji.text('찾을 메시지').locator('.message-text').hover()
    await bar(minji).getByRole('button', { name: '더 보기' }).click()
    await menu(page).getByRole('menuitem', { name: '이 메시지의 링크 복사' }).click()
    const link = new URL(await clipboard(page))
    await writeMany(page, MINJI, JUNHO, 60)
    await writeMany(page, JUNHO, MINJI, 60)

    const junho = await open(await browser.newContext(), JUNHO, link.pathname + link.search)
    for (const where of [junho, await open(context, MINJI, link.pathname + link.search)]) {
      const found = where.locator('li[data-index]').filter({ hasText: '찾을 메시지' })
      await expect(found).toBeFocused()
      await expect(found).toBeInViewport()
      await expect(where).not.toHaveURL(/at=/)
    }
    await expect(junho.getByRole('heading', { level: 1, name: 'minji' })).toBeVisible()

    link.searchParams.set('at', '2020-01-01T00:00:00.000Z')
    const lost = await open(context, MINJI, link.pathname + link.search)
    await expect(lost.getByTestId('said').filter({ hasText: '이 링크의 메시지가 없습니다' })).toBeVisible()
  })
})

test.describe('a selection over several messages', () => {
  test.use({ flags: ['--send-burst', '1000000', '--send-per-second', '1000000'] })

  test('is copied with who, when and what, also of those that are scrolled away', async ({ browser, open }) => {
    const minji = await conversation(open, await browser.newContext(CLIPBOARD), MINJI, JUNHO)
    const { page } = minji
    await writeMany(page, MINJI, JUNHO, 45)
    await expect(minji.text('message 45')).toBeVisible()

    // From the middle of one, upwards, and beyond what is on the screen.
    const middle = async (text: string, at: number) => {
      const box = await minji.text(text).locator('.message-text').boundingBox()
      return { x: (box?.x ?? 0) + (box?.width ?? 0) * at, y: (box?.y ?? 0) + (box?.height ?? 0) / 2 }
    }
    const from = await middle('message 45', 0.99)
    const to = await middle('message 42', 0.01)
    await page.mouse.move(from.x, from.y)
    await page.mouse.down()
    await page.mouse.move(to.x, to.y, { steps: 8 })
    await page.mouse.up()
    for (let step = 0; step < 6; step += 1) await page.mouse.wheel(0, -200)
    await expect(minji.text('message 20')).toBeInViewport()
    await page.keyboard.press('ControlOrMeta+c')
    const copied = (await clipboard(page)).split('\n')
    expect(copied.map((line) => line.replace(/^\[.*?\] /, ''))).toEqual([
      'junho: message 42',
      'minji: message 43',
      'junho: message 44',
      'minji: message 45',
    ])
    expect(copied[0]).toMatch(/^\[\d{4}\. \d+\. \d+\. (오전|오후) \d+:\d\d\]/)

    await minji.scroller.focus()
    await page.keyboard.press('ControlOrMeta+a')
    await page.mouse.wheel(0, 900)
    await page.keyboard.press('ControlOrMeta+c')
    await expect.poll(async () => (await clipboard(page)).split('\n').length).toBe(45)
    expect((await clipboard(page)).split('\n')[0]).toMatch(/minji: message 1$/)
  })

  test('begins and ends within messages', async ({ browser, open }) => {
    const minji = await conversation(open, await browser.newContext(CLIPBOARD), MINJI, JUNHO)
    const { page } = minji
    for (const text of ['하나 둘', '셋', '넷 다섯']) await minji.send(text)
    await expect(minji.status('넷 다섯')).toHaveAttribute('data-status', 'sent')
    await minji.text('셋').locator('.message-text').hover()
    await expect(bar(minji)).toBeVisible()
    await minji.scroller.evaluate((list) => {
      const texts = [...list.querySelectorAll('.message-text')].map((element) => element.firstChild as Text)
      getSelection()?.setBaseAndExtent(texts[0] as Text, 3, texts[2] as Text, 1)
    })
    await page.keyboard.press('ControlOrMeta+c')
    expect((await clipboard(page)).split('\n').map((line) => line.replace(/^\[.*?\] /, ''))).toEqual([
      'minji: 둘',
      'minji: 셋',
      'minji: 넷',
    ])
  })
})

test('on a phone a long press shows the menu at the bottom, and the finger that is lifted presses nothing', async ({
  browser,
  open,
}) => {
  const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, ...CLIPBOARD })
  const minji = await conversation(open, phone, MINJI, JUNHO)
  const { page } = minji
  await minji.field.fill('길게 누르기')
  await page.getByRole('button', { name: '보내기' }).tap()
  await expect(minji.status('길게 누르기')).toHaveAttribute('data-status', 'sent')
  const session = await phone.newCDPSession(page)
  const box = await minji.text('길게 누르기').locator('.message-text').boundingBox()
  const point = { x: Math.round((box?.x ?? 0) + 8), y: Math.round((box?.y ?? 0) + 8) }
  await session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [point] })
  await expect(menu(page)).toBeVisible()
  await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
  const dialog = page.getByRole('dialog')
  // It comes from below, which takes a moment.
  await expect
    .poll(async () => {
      const sheet = await dialog.boundingBox()
      return [sheet?.x, sheet?.width, (sheet?.y ?? 0) + (sheet?.height ?? 0)]
    })
    .toEqual([0, 390, 844])
  for (const item of await menu(page).getByRole('menuitem').all())
    expect((await item.boundingBox())?.height).toBeGreaterThanOrEqual(44)
  await expectNoBarriers(page, 'the menu of a message')
  await menu(page).getByRole('menuitem', { name: '텍스트 복사' }).tap()
  await expect(menu(page)).toHaveCount(0)
  await expect.poll(() => clipboard(page)).toBe('길게 누르기')
})

test('whoever asks for the menu before its code has come, and when it does not come, is told so', async ({ browser, open }) => {
  const context = await browser.newContext()
  await neverIdle(context)
  const minji = await conversation(open, context, MINJI, JUNHO)
  const { page } = minji
  await context.setOffline(true)
  await minji.field.fill('끊김')
  await page.getByRole('button', { name: '보내기' }).click()
  await expect(minji.status('끊김')).toHaveAttribute('data-status', 'sending')
  await expect(minji.field).toBeFocused()
  await page.keyboard.press('ArrowUp')
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('alert')).toContainText('연결을 확인')
  await page.keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)
  await minji.rows.last().focus()
  await page.keyboard.press('Enter')
  await expect(dialog.getByRole('alert')).toContainText('연결을 확인')
  await context.setOffline(false)
  // What was asked for comes when the page is online again.
  await expect(menu(page)).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)
  await expect(minji.rows.last()).toBeFocused()
})

test('a menu that is asked for while its code is on its way, for the first time or again, comes with the code', async ({
  browser,
  open,
}) => {
  const context = await browser.newContext()
  await neverIdle(context)
  const minji = await conversation(open, context, MINJI, JUNHO)
  const { page } = minji
  let fate: Promise<'abort' | 'continue'> = Promise.resolve('abort')
  await page.route('**/_next/static/chunks/*.js', async (route) => void route[await fate]())
  await minji.field.fill('오는 중')
  await page.getByRole('button', { name: '보내기' }).click()
  await expect(minji.status('오는 중')).toHaveAttribute('data-status', 'sent')
  const dialog = page.getByRole('dialog')
  await minji.rows.last().focus()
  await page.keyboard.press('Enter')
  await expect(dialog.getByRole('alert')).toContainText('연결을 확인')
  // Closed, it gives the focus back, and asks for nothing any more.
  await page.keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)
  await expect(minji.rows.last()).toBeFocused()
  await page.keyboard.press('Enter')
  let release = (_: 'continue') => {}
  fate = new Promise((resolve) => {
    release = resolve
  })
  const asked = page.waitForRequest(/_next\/static\/chunks\//)
  await dialog.getByRole('button', { name: '다시 시도' }).click()
  await asked
  await expect(dialog).toHaveCount(0)
  await expect(minji.rows.last()).toBeFocused()
  await minji.field.focus()
  await minji.rows.last().focus()
  await page.keyboard.press('Enter')
  release('continue')
  await expect(menu(page)).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(minji.rows.last()).toBeFocused()
})

test('keys find a conversation from everywhere, and a sheet says which keys there are', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const { page } = minji
  const search = page.getByRole('searchbox')
  await page.keyboard.press('ControlOrMeta+k')
  await expect(search).toBeFocused()
  await page.locator('nav a[href="/ko/teams/"]').click()
  await expect(page.getByRole('heading', { name: '팀', exact: true })).toBeVisible()
  await page.keyboard.press('ControlOrMeta+k')
  await expect(search).toBeFocused()
  // In a field it is what is typed.
  await page.keyboard.press('?')
  await expect(search).toHaveValue('?')
  await page.locator('nav a').first().focus()
  await page.keyboard.press('?')
  const sheet = page.getByRole('dialog', { name: '단축키' })
  await expect(sheet).toContainText('대화 찾기')
  await expectNoBarriers(page, 'the shortcuts')
  await page.keyboard.press('ControlOrMeta+k')
  await expect(sheet).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(sheet).toHaveCount(0)
  await page.getByRole('button', { name: '설정' }).click()
  await page.getByRole('button', { name: '단축키 보기' }).click()
  await expect(sheet).toBeVisible()
  await page.keyboard.press('Escape')
  await page.setViewportSize({ width: 390, height: 780 })
  await expect.poll(() => page.evaluate(() => history.state?.chatLayers ?? 0)).toBe(0)
  await page.goto(new URL('/ko/chat/?with=junho%40example.com', page.url()).href)
  await expect(minji.field).toBeVisible()
  await page.keyboard.press('ControlOrMeta+k')
  await expect(search).toBeFocused()
})
