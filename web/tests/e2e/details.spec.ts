import { conversation, expect, JUNHO, MINJI, online, type Page, propose, test, writeMany } from './support/chat'
import { picture } from './support/images'

const PHONE = { viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true }

/** What is too small for a finger. */
const small = (page: Page) =>
  page.locator(':is(button, a, input, select, textarea, label:has(input)):visible').evaluateAll((controls) =>
    controls
      // A control in a label is as large as that.
      .filter((control) => !(control instanceof HTMLInputElement && control.closest('label') !== null))
      .filter((control) => document.querySelector('dialog[open]')?.contains(control) ?? true)
      .map((control) => ({ name: control.ariaLabel || control.textContent || control.id, box: control.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 1 && (box.width < 44 || box.height < 43.9))
      .map(({ name, box }) => `${name}: ${box.width} x ${box.height}`),
  )

/** What reaches beyond the dialog that it is in. */
const overflowing = (page: Page) =>
  page
    .locator('dialog[open] :is(input, button, textarea, p, h2)')
    .evaluateAll((all) =>
      all
        .filter((one) => one.getBoundingClientRect().right > (one.closest('dialog')?.getBoundingClientRect().right ?? 0))
        .map(({ outerHTML }) => outerHTML.slice(0, 80)),
    )

test('on the smallest phone a proposal and the settings fit, and all of it is large enough for a finger', async ({
  browser,
  open,
}) => {
  const page = await open(await browser.newContext(PHONE), MINJI, '/ko/teams/')
  await online(page)
  await page.getByRole('button', { name: '경기 제안하기' }).tap()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByLabel('경기 일시')).toBeVisible()
  expect(await overflowing(page)).toEqual([])
  expect(await small(page)).toEqual([])
  await page.keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)
  await page.getByRole('button', { name: '설정' }).tap()
  await expect(dialog.getByText('화면 밝기')).toBeVisible()
  expect(await overflowing(page)).toEqual([])
  expect(await small(page)).toEqual([])
})

test('what can be done with a message that failed is large enough for a finger', async ({ browser, open }) => {
  const phone = await browser.newContext(PHONE)
  await phone.routeWebSocket(/./, (socket) => {
    const server = socket.connectToServer()
    socket.onMessage((data) => {
      const { action, clientMessageId } = JSON.parse(String(data))
      if (action !== 'sendMessage') server.send(data)
      else
        socket.send(
          JSON.stringify({ type: 'error', code: 'internal', message: '', retryable: false, requestId: '', clientMessageId }),
        )
    })
  })
  const minji = await conversation(open, phone, MINJI, JUNHO)
  await minji.field.fill('실패')
  await minji.page.getByRole('button', { name: '보내기' }).tap()
  await expect(minji.page.getByRole('button', { name: '다시 보내기' })).toBeVisible()
  expect(await small(minji.page)).toEqual([])
})

test('the keyboard goes on with what “more” has brought, and its rings are whole', async ({ browser, open }) => {
  const context = await browser.newContext()
  const day = (index: number) => new Date(Date.UTC(2026, 0, 300 - index)).toISOString()
  const body = (index: number) => ({
    peerEmail: `person-${index}@example.com`,
    preview: `hello ${index}`,
    lastTimestamp: day(index),
    lastSeq: 1,
    lastSenderEmail: `person-${index}@example.com`,
    lastKind: 'text',
    unread: 0,
    peerReadUpTo: null,
    blocked: false,
  })
  await context.route('**/chat/conversations*', (route) => {
    const isSecond = new URL(route.request().url()).searchParams.get('cursor') !== null
    const conversations = Array.from({ length: 60 }, (_, index) => body(index + (isSecond ? 60 : 0)))
    return route.fulfill({ json: { conversations, nextCursor: isSecond ? null : 'second' } })
  })
  const page = await open(context, MINJI)
  const more = page.getByRole('button', { name: '더 보기' })
  await more.press('Enter')
  await expect(more).toHaveCount(0)
  // The last one of the first part was of a day that may not have been whole.
  await expect(page.locator('[data-peer="person-59@example.com"]')).toBeFocused()
  const isWhole = await page.evaluate(() => {
    const { outlineOffset, outlineWidth } = getComputedStyle(document.activeElement as Element)
    return Number.parseFloat(outlineOffset) + Number.parseFloat(outlineWidth) <= 0
  })
  expect(isWhole).toBe(true)
})

test('an address leads the list to the conversation that it opens', async ({ browser, open }) => {
  const context = await browser.newContext()
  const page = await open(context, MINJI)
  await online(page)
  for (let index = 0; index < 14; index += 1) await writeMany(page, MINJI, `person-${index}@example.com`, 1)
  await page.goto(new URL('/ko/chat/?with=person-0%40example.com', page.url()).href)
  await expect(page.locator('[data-peer="person-0@example.com"]')).toBeInViewport()
})

test('a draft is the same in two tabs, and goes from both when one sends it', async ({ browser, open }) => {
  const context = await browser.newContext()
  const [one, two] = [await conversation(open, context, MINJI, JUNHO), await conversation(open, context, MINJI, JUNHO)]
  await one.field.pressSequentially('쓰다 만 글')
  await expect(two.field).toHaveValue('쓰다 만 글')
  await one.field.press('Enter')
  await expect(two.field).toHaveValue('')
  await two.field.press('Enter')
  await expect(one.status('쓰다 만 글')).toHaveAttribute('data-status', 'sent')
  await one.field.pressSequentially('이쪽')
  await expect(two.field).toHaveValue('이쪽')
  await two.field.pressSequentially(' 저쪽')
  await expect(one.field).toHaveValue('이쪽 저쪽')
})

test('the floating date covers neither the same date between the messages nor the beginning', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await writeMany(minji.page, MINJI, JUNHO, 40)
  await expect(minji.text('message 40')).toBeVisible()
  const covered = await minji.scroller.evaluate(async (list) => {
    const found: string[] = []
    const floating = () => document.querySelector('[data-testid="floating-day"]')?.getBoundingClientRect()
    for (list.scrollTop = 400; ; list.scrollTop -= 10) {
      for (let frame = 0; frame < 4; frame += 1) await new Promise(requestAnimationFrame)
      const above = floating()
      const below = [...list.querySelectorAll('li p time, .h-18')]
      for (const one of below) {
        const box = one.getBoundingClientRect()
        if (above !== undefined && box.bottom > above.top && box.top < above.bottom)
          found.push(`${list.scrollTop}: ${one.textContent}`)
      }
      if (list.scrollTop === 0) return found
    }
  })
  expect(covered).toEqual([])
})

test('that there are new messages covers none that is read', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await writeMany(minji.page, MINJI, JUNHO, 40)
  await expect(minji.text('message 40')).toBeVisible()
  await minji.scroller.hover()
  await minji.page.mouse.wheel(0, -600)
  await expect(minji.text('message 40')).toHaveCount(0)
  await junho.send('새로운 것')
  const pill = minji.page.getByRole('button', { name: '새 메시지 1개' })
  await expect(pill).toBeVisible()
  const [list, button] = [await minji.scroller.boundingBox(), await pill.boundingBox()]
  expect((list?.y ?? 0) + (list?.height ?? 0)).toBeLessThanOrEqual(button?.y ?? 0)
  await pill.click()
  await expect(minji.text('새로운 것')).toBeInViewport()
  await expect(pill).toHaveCount(0)
})

test('a day is that of the reader', async ({ browser, open }) => {
  const context = await browser.newContext({ timezoneId: 'Asia/Seoul' })
  await context.route('**/chat/history*', async (route) => {
    const response = await route.fetch()
    const body = await response.json()
    // A morning of Seoul is the evening before in UTC.
    for (const message of body.messages) message.timestamp = '2026-11-28T23:30:00.000Z'
    await route.fulfill({ response, json: body })
  })
  const writer = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await writer.send('아침')
  await expect(writer.status('아침')).toHaveAttribute('data-status', 'sent')
  const minji = await conversation(open, context, MINJI, JUNHO)
  await expect(minji.text('아침')).toBeVisible()
  await expect(minji.scroller.locator('p > time')).toHaveAttribute('datetime', '2026-11-29')
})

test('a text of a megabyte is taken as far as it can be seen to be too long, and a kept one stalls no reload', async ({
  browser,
  open,
}) => {
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] })
  const minji = await conversation(open, context, MINJI, JUNHO)
  const { page } = minji
  await page.evaluate(() => navigator.clipboard.writeText('가나다라 '.repeat(200_000)))
  await minji.field.focus()
  await page.keyboard.press('ControlOrMeta+v')
  await expect(page.getByText('앞부분만 넣었습니다')).toBeVisible()
  const length = () => minji.field.evaluate((field: HTMLTextAreaElement) => field.value.length)
  expect(await length()).toBe(2 * 8_192)
  await page.getByRole('button', { name: '넘는 부분 지우기' }).click()
  await expect(page.getByText('앞부분만 넣었습니다')).toHaveCount(0)
  await page.evaluate(() => {
    for (const key of Object.keys(localStorage)) if (key.includes('draft')) localStorage.setItem(key, 'x'.repeat(2_000_000))
  })
  await page.reload()
  await expect(minji.field).toBeVisible()
  expect(await length()).toBe(2 * 8_192)
})

test('the list shows what is not sent yet, and how a proposal was answered', async ({ browser, open }) => {
  const context = await browser.newContext()
  const minji = await conversation(open, context, MINJI, JUNHO)
  const { page } = minji
  const row = page.locator(`[data-peer="${JUNHO}"]`)
  await page.locator('nav a[href="/ko/teams/"]').click()
  await propose(page, '잠실')
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await junho.page.getByRole('button', { name: '수락' }).click()
  await expect(row).toContainText('경기 제안을 수락했습니다')
  await expect(junho.page.locator(`[data-peer="${MINJI}"]`)).toContainText('나: 경기 제안을 수락했습니다')
  // Also where nothing of the conversation is loaded.
  const list = await open(await browser.newContext(), MINJI)
  await expect(list.locator(`[data-peer="${JUNHO}"]`)).toContainText('경기 제안을 수락했습니다')
  await minji.field.fill('쓰다 만 글')
  // Where it is written it is to be seen.
  await expect(row).not.toContainText('임시 저장')
  const other = await open(context, MINJI)
  await expect(other.locator(`[data-peer="${JUNHO}"]`)).toContainText('임시 저장: 쓰다 만 글')
  await minji.field.press('Enter')
  await expect(other.locator(`[data-peer="${JUNHO}"]`)).toContainText('나: 쓰다 만 글')
})

test('a dialog closes when it is pressed and released beside it, and what was typed is there again', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const { page } = minji
  const dialog = page.getByRole('dialog')
  const caption = dialog.getByLabel('설명')
  const buffer = await picture(page, 400, 300)
  const pick = async (name: string) => {
    await page.getByTestId('picker').setInputFiles({ name, mimeType: 'image/jpeg', buffer })
    await expect(page.getByTestId('preview')).toBeVisible()
  }
  await pick('first.jpg')
  await caption.fill('어제 경기')
  await dialog.getByLabel('대체 텍스트').fill('골대')
  const box = (await caption.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
  type Place = [number, number]
  const inside: Place = [box.x + box.width - 10, box.y + 10]
  const outside: Place = [20, 20]
  const drags: [Place, Place][] = [
    [inside, outside],
    [outside, inside],
  ]
  for (const [from, to] of drags) {
    await page.mouse.move(...from)
    await page.mouse.down()
    await page.mouse.move(...to, { steps: 4 })
    await page.mouse.up()
    await expect(caption).toHaveValue('어제 경기')
  }
  await page.mouse.click(...outside)
  await expect(dialog).toHaveCount(0)
  await pick('first.jpg')
  await expect(caption).toHaveValue('어제 경기')
  await expect(dialog.getByLabel('대체 텍스트')).toHaveValue('골대')
  await page.keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)
  // Another photo is described in other words.
  await pick('second.jpg')
  await expect(dialog.getByLabel('대체 텍스트')).toHaveValue('')
  await dialog.getByRole('button', { name: '보내기' }).click()
  await expect(minji.text('어제 경기')).toBeVisible()
  await pick('first.jpg')
  await expect(caption).toHaveValue('')
  await page.keyboard.press('Escape')

  await page.locator('nav a[href="/ko/teams/"]').click()
  const propose = page.getByRole('button', { name: '경기 제안하기' })
  await propose.click()
  await dialog.getByLabel('장소').fill('잠실')
  await dialog.getByLabel('남길 말').fill('흰 유니폼')
  await page.keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)
  await propose.click()
  await expect(dialog.getByLabel('장소')).toHaveValue('잠실')
  await expect(dialog.getByLabel('남길 말')).toHaveValue('흰 유니폼')
  await dialog.getByRole('button', { name: '제안 보내기' }).click()
  await expect(minji.rows.locator('[data-proposal="open"]')).toBeVisible()
})

test('a message of a kind that the page does not know is shown by what it brings', async ({ browser, open }) => {
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  for (const text of ['투표: 어디서 할까요?', '그림']) {
    await junho.send(text)
    await expect(junho.status(text)).toHaveAttribute('data-status', 'sent')
  }
  const context = await browser.newContext()
  // As a server of a later version has them: one brings words, and the other brings none.
  await context.route('**/chat/history*', async (route) => {
    const page = await (await route.fetch()).json()
    for (const message of page.messages) {
      const isPoll = message.message.startsWith('투표')
      Object.assign(message, isPoll ? { kind: 'poll', preview: message.message } : { kind: 'drawing', message: '', body: {} })
    }
    await route.fulfill({ json: page })
  })
  await context.route('**/chat/conversations*', async (route) => {
    const page = await (await route.fetch()).json()
    for (const found of page.conversations) Object.assign(found, { lastKind: 'drawing', preview: '' })
    await route.fulfill({ json: page })
  })
  const minji = await conversation(open, context, MINJI, JUNHO)
  await expect(minji.text('투표: 어디서 할까요?')).toBeVisible()
  await expect(minji.text('이 버전에서는 볼 수 없는 메시지입니다')).toBeVisible()
  await expect(minji.page.locator(`[data-peer="${JUNHO}"]`)).toContainText('메시지')
  // Whoever goes on writing is not kept from it.
  await minji.send('무슨 뜻이에요?')
  await expect(junho.text('무슨 뜻이에요?')).toBeVisible()
})
