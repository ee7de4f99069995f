import type { Locator, Page } from '@playwright/test'
import { expectNoBarriers } from './support/axe'
import {
  between,
  type Conversation,
  conversation,
  expect,
  JUNHO,
  MINJI,
  neverIdle,
  online,
  prepared,
  refusal,
  test,
  writeMany,
} from './support/chat'
import { picture } from './support/images'

/** Longer than a finger is held for a menu. */
const HOLD_MS = 700

const bubble = (chat: Conversation, text: string): Locator => chat.text(text).locator('[data-bubble]')
const bar = (chat: Conversation): Locator => chat.page.getByRole('toolbar')
const item = (page: Page, name: string): Locator => page.getByRole('menuitem', { name, exact: true })
const composing = (chat: Conversation): Locator => chat.page.locator('[data-composing]')

/** Opens the menu of a message by keyboard. */
async function menuOf(chat: Conversation, row: Locator): Promise<void> {
  await row.focus()
  await chat.page.keyboard.press('Enter')
  await expect(chat.page.getByRole('menu')).toBeVisible()
}

async function remove(chat: Conversation, row: Locator): Promise<void> {
  await menuOf(chat, row)
  await item(chat.page, '삭제').click()
  await chat.page.getByRole('dialog').getByRole('button', { name: '삭제', exact: true }).click()
}

async function replyByKeyboard(junho: Conversation, minji: Conversation): Promise<void> {
  await junho.text('토요일에').focus()
  await junho.page.keyboard.press('r')
  await expect(composing(junho)).toContainText('minji')
  await expect(junho.field).toBeFocused()
  await junho.page.keyboard.press('Escape')
  await expect(composing(junho)).toHaveCount(0)
  await expect(junho.field).toBeFocused()
  await junho.text('토요일에').focus()
  await junho.page.keyboard.press('r')
  await junho.send('좋습니다')
  await expect(composing(junho)).toHaveCount(0)
  const quote = minji.text('좋습니다').locator('[data-quote]')
  await expect(quote).toContainText('토요일에 만날까요?')
  await quote.click()
  await expect(minji.rows.first()).toBeFocused()
}

const thumb = (chat: Conversation): Locator => chat.text('좋습니다').getByRole('button', { name: /👍/ })

async function reactByMouse(minji: Conversation, junho: Conversation): Promise<void> {
  const { page } = minji
  await bubble(minji, '좋습니다').hover()
  await bar(minji).getByRole('button', { name: '반응 남기기' }).click()
  await page.getByRole('menuitemcheckbox', { name: '👍 반응' }).click()
  await expect(thumb(minji)).toHaveAttribute('aria-pressed', 'true')
  await expect(thumb(junho)).toHaveAttribute('aria-pressed', 'false')
  await thumb(junho).click()
  await expect(thumb(junho)).toHaveAttribute('aria-pressed', 'true')
  await expect(thumb(minji)).toContainText('2')
  await thumb(minji).click()
  await expect(thumb(minji)).toHaveAttribute('aria-pressed', 'false')
}

test('two people reply, react, edit and delete, and both see all of it, after a reload too', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  const { page } = minji
  await minji.send('토요일에 만날까요?')
  await expect(junho.text('토요일에')).toBeVisible()

  await replyByKeyboard(junho, minji)
  await reactByMouse(minji, junho)

  // Any other emoji, found by its name.
  await junho.rows.first().locator('[data-bubble]').hover()
  await bar(junho).getByRole('button', { name: '반응 남기기' }).click()
  await junho.page.getByRole('menuitem', { name: '모든 이모지' }).click()
  await junho.page.getByRole('searchbox', { name: '이모지 찾기' }).fill('soccer')
  await junho.page.keyboard.press('Enter')
  await expect(minji.rows.first().getByRole('button', { name: /⚽/ })).toBeVisible()

  // The newest of one's own, from the empty field; what was being written comes back.
  await minji.field.focus()
  await page.keyboard.press('ArrowUp')
  await expect(minji.field).toHaveValue('토요일에 만날까요?')
  await page.keyboard.press('Escape')
  await expect(minji.field).toHaveValue('')
  await minji.field.fill('쓰던 글')
  await menuOf(minji, minji.rows.first())
  await item(page, '수정').click()
  await minji.send('일요일에 만날까요?')
  await expect(minji.field).toHaveValue('쓰던 글')
  await minji.field.fill('')
  for (const chat of [minji, junho]) {
    await expect(chat.rows.first()).toContainText('일요일에')
    await expect(chat.rows.first()).toContainText('수정됨')
    await expect(chat.text('좋습니다').locator('[data-quote]')).toContainText('일요일에 만날까요?')
    await expect(chat.text('토요일에')).toHaveCount(0)
  }

  await remove(minji, minji.rows.first())
  await expect(page.locator('[data-undo]')).toBeVisible()
  await expect(page.getByRole('button', { name: '실행 취소' })).toBeFocused()
  for (const chat of [junho, minji]) {
    await expect(chat.rows.first()).toContainText('삭제된 메시지입니다')
    await expect(chat.text('좋습니다').locator('[data-quote]')).toContainText('삭제된 메시지')
    await expect(chat.text('일요일에')).toHaveCount(0)
  }
  for (const chat of [minji, junho]) {
    await chat.page.reload()
    await expect(chat.rows).toHaveCount(2)
    await expect(chat.rows.first()).toContainText('삭제된 메시지입니다')
    await expect(thumb(chat)).toHaveAttribute('aria-pressed', chat === junho ? 'true' : 'false')
  }
})

test('what is deleted can be kept after all, and is not even asked for then', async ({ browser, open }) => {
  const context = await browser.newContext()
  const deletions: unknown[] = []
  await between(context, { sent: (frame) => (frame.action === 'delete' ? deletions.push(frame) : 1) > 0 })
  const minji = await conversation(open, context, MINJI, JUNHO)
  await minji.send('지울까 말까')
  await expect(minji.status('지울까 말까')).toHaveAttribute('data-status', 'sent')
  await remove(minji, minji.text('지울까 말까'))
  await expect(minji.rows.first()).toContainText('삭제된 메시지입니다')
  const listed = minji.page.locator(`button[data-peer="${JUNHO}"]`)
  await expect(listed).toContainText('나: 삭제된 메시지')
  await minji.page.keyboard.press('Enter')
  await expect(listed).toContainText('나: 지울까 말까')
  await expect(minji.text('지울까 말까')).toBeVisible()
  await expect(minji.page.locator('[data-undo]')).toHaveCount(0)
  await minji.send('그대로')
  await expect(minji.status('그대로')).toHaveAttribute('data-status', 'sent')
  expect(deletions).toEqual([])
})

test('what is edited without a network is sent once, in whichever page', async ({ browser, open }) => {
  const context = await browser.newContext()
  const edits = new Set<string>()
  await between(context, {
    sent(frame) {
      if (frame.action === 'edit') edits.add(frame.clientMessageId)
      return true
    },
  })
  const minji = await conversation(open, context, MINJI, JUNHO)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  const other = await conversation(open, context, MINJI, JUNHO)
  await minji.send('처음')
  await expect(junho.text('처음')).toBeVisible()
  // A frame that came after the network went would say that it is there.
  for (const chat of [minji, other]) await expect(chat.status('처음')).toHaveAttribute('data-status', 'read')
  await prepared(minji.page)
  await context.setOffline(true)
  await minji.field.focus()
  await minji.page.keyboard.press('ArrowUp')
  await expect(minji.field).toHaveValue('처음')
  await minji.send('나중')
  await expect(bubble(minji, '나중')).toContainText('수정됨')
  // Words that nobody has sent are sent in those that they have last.
  await minji.send('새 글')
  await expect(minji.status('새 글')).toHaveAttribute('data-status', 'sending')
  await minji.field.focus()
  await minji.page.keyboard.press('ArrowUp')
  await expect(minji.field).toHaveValue('새 글')
  await minji.send('더 새 글')
  await expect(minji.text('더 새 글')).toBeVisible()
  await expect(junho.text('처음')).toBeVisible()
  await context.setOffline(false)
  for (const chat of [junho, minji, other]) {
    await expect(bubble(chat, '나중')).toContainText('수정됨')
    await expect(bubble(chat, '더 새 글')).not.toContainText('수정됨')
    await expect(chat.rows).toHaveCount(2)
  }
  expect(edits.size).toBe(1)
})

test('a change that is refused is undone, and it is said why', async ({ browser, open }) => {
  const context = await browser.newContext()
  let isRefused = true
  await between(context, {
    sent(frame, answer) {
      if (frame.action !== 'edit' || !isRefused) return true
      answer(refusal('notAccepted', frame.clientMessageId))
      return false
    },
  })
  const minji = await conversation(open, context, MINJI, JUNHO)
  await minji.send('처음')
  await expect(minji.status('처음')).toHaveAttribute('data-status', 'sent')
  await minji.field.focus()
  await minji.page.keyboard.press('ArrowUp')
  await minji.send('나중')
  const refused = minji.page.locator('[data-refused="edit"]')
  await expect(refused).toContainText('상대가 받지 않았습니다')
  await expect(refused).toContainText('나중')
  await expect(bubble(minji, '처음')).not.toContainText('수정됨')
  await expect(minji.page.getByTestId('failed')).toContainText('수정하지 못했습니다')
  await expectNoBarriers(minji.page, 'a change that was refused')
  isRefused = false
  await refused.getByRole('button', { name: '다시 보내기' }).click()
  await expect(bubble(minji, '나중')).toContainText('수정됨')
  await expect(refused).toHaveCount(0)
})

test('a deleted photo is gone, also from the server', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  const buffer = await picture(minji.page, 300, 200)
  await minji.page.getByTestId('picker').setInputFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer })
  await minji.page.getByRole('dialog').getByRole('button', { name: '보내기' }).click()
  const photo = junho.rows.first().locator('img')
  await expect(photo).toBeVisible()
  const url = (await photo.getAttribute('src')) ?? ''
  expect((await junho.page.request.get(url)).status()).toBe(200)
  await photo.click()
  await expect(junho.page.getByTestId('viewed')).toBeVisible()
  await minji.rows.first().focus()
  await minji.page.keyboard.press('Delete')
  await minji.page.getByRole('dialog').getByRole('button', { name: '삭제', exact: true }).click()
  for (const chat of [minji, junho]) {
    await expect(chat.rows.first()).toContainText('삭제된 메시지입니다')
    await expect(chat.rows.first().locator('img')).toHaveCount(0)
  }
  // There is nothing left to view.
  await expect(junho.page.getByRole('dialog')).toHaveCount(0)
  await expect.poll(async () => (await junho.page.request.get(url)).status()).toBe(404)
})

test('on a phone a message is swiped to reply, and its menu has the emoji at hand', async ({ browser, open }) => {
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await junho.send('밀어 보세요')
  const context = await browser.newContext({ viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true })
  await neverIdle(context)
  const minji = await conversation(open, context, MINJI, JUNHO)
  const { page } = minji
  const client = await context.newCDPSession(page)
  const at = { x: 0, y: 0 }
  const aim = async () => {
    const box = await minji.rows.first().locator('[data-bubble]').boundingBox()
    Object.assign(at, { x: (box?.x ?? 0) + 20, y: (box?.y ?? 0) + 10 })
  }
  await aim()
  const touch = async (type: 'touchStart' | 'touchMove' | 'touchEnd', x: number) =>
    client.send('Input.dispatchTouchEvent', { type, touchPoints: type === 'touchEnd' ? [] : [{ x, y: at.y }] })
  // The code of the tools comes with the first touch: with one that is over by then nothing is to be done.
  let release = () => {}
  await page.route('**/_next/static/chunks/*.js', async (route) => {
    await new Promise<void>((resolve) => {
      release = resolve
    })
    await route.continue()
  })
  const asked = page.waitForRequest('**/_next/static/chunks/*.js')
  await touch('touchStart', at.x)
  await asked
  await touch('touchEnd', at.x)
  release()
  await expect(page.getByTestId('said')).toBeAttached()
  await page.waitForTimeout(HOLD_MS)
  await expect(page.getByRole('menu')).toHaveCount(0)
  await page.unrouteAll({ behavior: 'ignoreErrors' })
  // The code is there by now, and the tools are not: the first swipe is one.
  await page.reload()
  await online(page)
  await aim()
  await touch('touchStart', at.x)
  for (let far = 10; far <= 110; far += 20) await touch('touchMove', at.x + far)
  await touch('touchEnd', at.x + 110)
  await expect(composing(minji)).toContainText('밀어 보세요')
  await expectNoBarriers(page, 'a reply on a phone')
  await minji.field.fill('밀었어요')
  await page.getByRole('button', { name: '보내기' }).tap()
  await expect(junho.text('밀었어요').locator('[data-quote]')).toContainText('밀어 보세요')
  await aim()
  await touch('touchStart', at.x)
  await expect(page.getByRole('menu')).toBeVisible()
  await touch('touchEnd', at.x)
  await expect(page.getByRole('menuitemcheckbox')).toHaveCount(6)
  const boxes = await page.locator('[data-lead] > button').evaluateAll((all) => all.map((one) => one.getBoundingClientRect()))
  expect(new Set(boxes.map(({ top }) => top)).size).toBe(1)
  for (const { width, height } of boxes) expect(Math.min(width, height)).toBeGreaterThanOrEqual(44)
  await expectNoBarriers(page, 'the menu on a phone')
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320)
  await page.getByRole('menuitemcheckbox', { name: '❤️ 반응' }).tap()
  await expect(junho.text('밀어 보세요').first().getByRole('button', { name: /❤️/ })).toBeVisible()
})

/** Sends a message of Minji's by itself; returns its timestamp. */
async function say(page: Page, frame: { message: string; replyTo?: string }): Promise<string> {
  return page.evaluate(
    async ([email, receiverEmail, frame]) => {
      const { wsUrl, auth } = await (await fetch('/config.json')).json()
      const { accessToken } = await (await fetch(auth.loginUrl, { method: 'POST', body: JSON.stringify({ email }) })).json()
      const socket = new WebSocket(wsUrl, ['chat.v1', accessToken])
      await new Promise((resolve) => socket.addEventListener('open', resolve))
      const answer = new Promise<string>((resolve) => socket.addEventListener('message', ({ data }) => resolve(String(data))))
      socket.send(JSON.stringify({ action: 'sendMessage', receiverEmail, clientMessageId: crypto.randomUUID(), ...frame }))
      const { timestamp } = JSON.parse(await answer)
      socket.close()
      return timestamp
    },
    [MINJI, JUNHO, frame] as const,
  )
}

test.describe('what is quoted', () => {
  const UNLIMITED = ['--send-burst', '--send-per-second', '--request-burst', '--requests-per-hour']
  test.use({ flags: UNLIMITED.flatMap((limit) => [limit, '1000000']) })

  test('is led to, however far back it is, without all that lies between', async ({ browser, open, server }) => {
    const context = await browser.newContext()
    // From no page of the chat, which would follow all of it.
    const writer = await context.newPage()
    await writer.goto(`${server.url}/config.json`)
    const replyTo = await say(writer, { message: '아주 오래된 말' })
    await writeMany(writer, MINJI, JUNHO, 1_100, 'message', 16)
    await say(writer, { message: '그 말에 대한 답', replyTo })
    const minji = await conversation(open, context, MINJI, JUNHO)
    const quote = minji.text('그 말에 대한 답').locator('[data-quote]')
    const said = minji.page.getByTestId('said')
    const asked: string[] = []
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await minji.page.route(/chat\/history/, async (route) => {
      asked.push(new URL(route.request().url()).search)
      await held
      await route.continue()
    })
    await quote.click()
    await expect(said).toContainText('찾는 중')
    release()
    await expect(minji.text('아주 오래된 말').first()).toBeFocused()
    expect(asked.filter((search) => search.includes('before='))).toEqual([])
  })
})
