import { expectNoBarriers } from './support/axe'
import { type Conversation, conversation, expect, JUNHO, MINJI, test } from './support/chat'
import { picture } from './support/images'

const cells = (chat: Conversation) => chat.scroller.locator('li[data-cell] [data-bubble]')
const images = (chat: Conversation) => chat.rows.locator('[data-image="ready"] img')

async function pick(chat: Conversation, count: number, words = ''): Promise<void> {
  const { page } = chat
  const buffer = await picture(page, 300, 200)
  const files = Array.from({ length: count }, (_, index) => ({ name: `${index}.jpg`, mimeType: 'image/jpeg', buffer }))
  await page.getByTestId('picker').setInputFiles(files)
  await expect(page.getByTestId('preview')).toHaveCount(count)
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('설명').fill(words)
  await dialog.getByRole('button', { name: '보내기' }).click()
  await expect(dialog).toHaveCount(0)
}

/** The lines of an album: where each begins and ends, and how high it is, in whole pixels. */
async function lines(chat: Conversation): Promise<{ left: number; right: number; top: number; height: number; count: number }[]> {
  const boxes = await cells(chat).evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON() as DOMRect))
  const tops = [...new Set(boxes.map(({ top }) => Math.round(top)))].sort((a, b) => a - b)
  return tops.map((top) => {
    const line = boxes.filter((box) => Math.round(box.top) === top)
    const [left, right] = [Math.min(...line.map((box) => box.left)), Math.max(...line.map((box) => box.right))]
    return { left: Math.round(left), right: Math.round(right), top, height: Math.round(line[0]?.height ?? 0), count: line.length }
  })
}

const sizes = {
  desktop: { width: 1280, height: 800 },
  'a phone': { width: 390, height: 844 },
  'a small phone': { width: 320, height: 640 },
}

for (const [where, viewport] of Object.entries(sizes)) {
  test(`photos that are sent together are an album of whole lines on ${where}`, async ({ browser, open }) => {
    const minji = await conversation(open, await browser.newContext({ viewport }), MINJI, JUNHO)
    const junho = await conversation(open, await browser.newContext({ viewport }), JUNHO, MINJI)
    await minji.send('사진 보내요')
    await pick(minji, 5, '어제 경기')
    for (const chat of [minji, junho]) {
      await expect(images(chat)).toHaveCount(5)
      await expect(chat.text('어제 경기')).toBeVisible()
      await expect.poll(async () => (await lines(chat)).map(({ count }) => count)).toEqual([3, 2])
      const [upper, lower] = await lines(chat)
      if (upper === undefined || lower === undefined) throw new Error('two lines')
      expect([lower.left, lower.right]).toEqual([upper.left, upper.right])
      expect(lower.top).toBe(upper.top + upper.height + 2)
      expect(lower.right).toBeLessThanOrEqual(viewport.width)
    }
    // Their words and their time are said once.
    await expect(minji.status('어제 경기')).toHaveAttribute('data-status', 'read')
    await expect(minji.scroller.locator('li[data-cell] time')).toHaveCount(1)
    await expectNoBarriers(minji.page, 'an album')
  })
}

test('each photo of an album can be opened, pointed at, and reached by keyboard', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const { page } = minji
  await pick(minji, 4)
  await expect(images(minji)).toHaveCount(4)
  await expect.poll(async () => (await lines(minji)).map(({ count }) => count)).toEqual([2, 2])
  await expect(page.locator('[data-status="sent"]')).toHaveCount(1)
  for (const index of [0, 1, 2, 3]) {
    const cell = cells(minji).nth(index)
    await cell.hover()
    await expect(cell.getByRole('toolbar')).toBeVisible()
  }
  await page.mouse.move(0, 0)
  await cells(minji).nth(2).getByRole('button').first().click()
  await expect(page.getByRole('dialog')).toContainText('4장 중 3번째')
  await page.keyboard.press('Escape')
  await expect(page.getByTestId('viewed')).toHaveCount(0)
  await minji.field.focus()
  await page.keyboard.press('Shift+ArrowUp')
  await expect(minji.rows.nth(3)).toBeFocused()
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('ArrowUp')
  await expect(minji.rows.nth(1)).toBeFocused()
  // The row is a line without height: what shows the focus is the photo.
  await expect(cells(minji).nth(1)).toHaveCSS('outline-style', 'solid')
})

test('one photo of an album that is on its way can be stopped, and the others are sent', async ({ browser, open }) => {
  const context = await browser.newContext()
  const minji = await conversation(open, context, MINJI, JUNHO)
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  await context.route('**/dev/objects/**', async (route) => {
    if (route.request().method() === 'PUT') await held
    await route.continue()
  })
  await pick(minji, 3)
  const stops = minji.scroller.getByRole('button', { name: '취소' })
  await expect(stops).toHaveCount(3)
  await expectNoBarriers(minji.page, 'an album on its way')
  await stops.nth(1).click()
  await expect(stops).toHaveCount(2)
  await expect(minji.field).toBeFocused()
  release()
  await expect(minji.page.locator('[data-status="sent"]')).toHaveCount(1)
  await expect(images(minji)).toHaveCount(2)
  await expect.poll(async () => (await lines(minji)).map(({ count }) => count)).toEqual([2])
})
