import { type Conversation, conversation, expect, JUNHO, MINJI, type Page, test, writeMany } from './support/chat'

/** How far a list is from its end. */
const offEnd = (chat: Conversation) => chat.scroller.evaluate((list) => list.scrollHeight - list.scrollTop - list.clientHeight)
const atEnd = (chat: Conversation) => expect.poll(() => offEnd(chat)).toBeLessThanOrEqual(2)
const latest = (chat: Conversation) => chat.page.getByRole('button', { name: /최근 메시지로|새 메시지/ })

/** Presses keys as hands do: the page is drawn after each of them. */
async function press(page: Page, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    await page.keyboard.press(key)
    await page.evaluate(async () => {
      for (let frame = 0; frame < 3; frame += 1) await new Promise((resolve) => requestAnimationFrame(resolve))
    })
  }
}

async function write(page: Page, lines: readonly string[]): Promise<void> {
  for (const line of lines) await press(page, 'Shift+Enter', ...line)
}

test('a message that comes to a long list has the browser look at no other row anew', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await writeMany(minji.page, MINJI, JUNHO, 40)
  await expect(minji.text('message 40')).toBeVisible()
  // What all rows inherit, and what makes them as they are.
  const inherited = () =>
    minji.scroller.evaluate((list) => (list.firstElementChild as HTMLElement).style.getPropertyValue('--slack'))
  const before = await inherited()
  expect(before).toContain('100cqh')
  await minji.send('하나 더')
  await expect(minji.status('하나 더')).toHaveAttribute('data-status', 'sent')
  expect(await inherited()).toBe(before)
  await atEnd(minji)
})

test('whoever writes or pastes many lines sees the newest messages, and goes on seeing them', async ({ browser, open, server }) => {
  const context = await browser.newContext({ viewport: { width: 1180, height: 560 } })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.url })
  const minji = await conversation(open, context, MINJI, JUNHO)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  const { page, field } = minji
  await writeMany(page, MINJI, JUNHO, 24)
  await expect(minji.text('message 24')).toBeVisible()
  await atEnd(minji)

  await field.click()
  // A field that is made small to be measured makes the list higher, which some browsers answer by scrolling.
  await field.evaluate((area) => {
    const styles = new MutationObserver(() => area.setAttribute('data-restyled', ''))
    styles.observe(area, { attributeFilter: ['style'] })
  })
  for (const line of ['one', 'two', 'three', 'four']) {
    await write(page, [line])
    await atEnd(minji)
  }
  await press(page, ...'more text')
  await atEnd(minji)
  await expect(latest(minji)).toHaveCount(0)
  await press(page, 'Control+a', 'Delete')
  await atEnd(minji)

  await page.evaluate(() => navigator.clipboard.writeText(['가', '나', '다', '라', '마', '바', '사', '아'].join('\n')))
  await press(page, 'Control+v')
  await press(page, 'x', 'y')
  await atEnd(minji)
  await expect(latest(minji)).toHaveCount(0)
  await press(page, 'Control+a', 'Backspace')
  await expect(field).toHaveValue('')
  await atEnd(minji)
  await expect(latest(minji)).toHaveCount(0)
  await junho.send('따라오나요')
  await expect(minji.text('따라오나요')).toBeVisible()
  await atEnd(minji)

  await expect(field).not.toHaveAttribute('data-restyled')

  // What is sent makes the field small again.
  await press(page, ...'one')
  await write(page, ['two', 'three', 'four', 'five'])
  const high = (await field.boundingBox())?.height ?? 0
  await press(page, 'Enter')
  await expect(minji.text('five')).toBeVisible()
  await atEnd(minji)
  expect((await field.boundingBox())?.height).toBeLessThan(high / 2)
})

test('the field is as high as its text, up to a limit, from which on it scrolls', async ({ browser, open }) => {
  const { page, field } = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const fits = () => field.evaluate((area) => area.scrollHeight <= area.clientHeight)
  await field.click()
  const texts = ['한 줄', '두 줄입니다 '.repeat(30), `${'https://example.com/'.repeat(12)}\n끝\n`, 'word '.repeat(70)]
  for (const text of texts) {
    await field.fill(text)
    await expect.poll(fits, text).toBe(true)
  }
  await field.fill('줄\n'.repeat(40))
  await expect.poll(fits).toBe(false)
  await expect.poll(async () => (await field.boundingBox())?.height).toBe(180)
  await page.setViewportSize({ width: 320, height: 700 })
  await field.fill('두 줄입니다 '.repeat(12))
  await expect.poll(fits).toBe(true)
})

test('whoever reads earlier messages stays there while they write, and finds the way back', async ({ browser, open }) => {
  const context = await browser.newContext({ viewport: { width: 1180, height: 560 } })
  const minji = await conversation(open, context, MINJI, JUNHO)
  const { page, field } = minji
  await writeMany(page, MINJI, JUNHO, 24)
  await atEnd(minji)
  await minji.scroller.hover()
  await page.mouse.wheel(0, -500)
  await expect(latest(minji)).toBeVisible()
  await expect.poll(() => offEnd(minji)).toBeGreaterThan(300)
  await field.click()
  const top = () => minji.scroller.evaluate((list) => list.scrollTop)
  const before = await top()
  await press(page, ...'one')
  await write(page, ['two', 'three', 'four'])
  await expect(field).toHaveValue('one\ntwo\nthree\nfour')
  expect(await top()).toBe(before)
  await expect(latest(minji)).toBeVisible()
  await latest(minji).click()
  await atEnd(minji)
  await expect(latest(minji)).toHaveCount(0)

  // By the scroll bar, of which the page hears only that the list was scrolled.
  await minji.scroller.evaluate((list) => {
    list.scrollTop -= 500
  })
  await expect(latest(minji)).toBeVisible()
  await write(page, ['five'])
  await expect.poll(() => offEnd(minji)).toBeGreaterThan(300)
})
