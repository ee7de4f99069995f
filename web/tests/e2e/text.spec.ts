import { expectNoBarriers } from './support/axe'
import { conversation, expect, JUNHO, MINJI, neverIdle, test } from './support/chat'

test('links lead where they say, end where words begin, and are copied whole', async ({ browser, open }) => {
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] })
  const minji = await conversation(open, context, MINJI, JUNHO)
  const long = `https://example.com/a/${'photos-of-the-match-'.repeat(8)}end?page=12`
  await minji.send(
    `https://example.com/docs에서, www.naver.com이나 minji@example.com, 010-1234-5678로. https://ko.wikipedia.org/wiki/%EC%B6%95%EA%B5%AC\n${long}`,
  )
  const links = minji.scroller.locator('a')
  await expect(links).toHaveText([
    'https://example.com/docs',
    'www.naver.com',
    'minji@example.com',
    '010-1234-5678',
    'https://ko.wikipedia.org/wiki/축구',
    long,
  ])
  const hrefs = await links.evaluateAll((all) => all.map((link) => link.getAttribute('href')))
  expect(hrefs).toEqual([
    'https://example.com/docs',
    'https://www.naver.com/',
    'mailto:minji@example.com',
    'tel:01012345678',
    'https://ko.wikipedia.org/wiki/%EC%B6%95%EA%B5%AC',
    long,
  ])
  // Its middle is there, and takes no room.
  const room = await links.last().evaluate((link) => {
    const width = (element: Element) => [...element.getClientRects()].reduce((sum, rect) => sum + rect.width, 0)
    const plain = document.createElement('span')
    plain.textContent = link.textContent
    link.after(plain)
    const widths = [width(link), width(plain)]
    plain.remove()
    return widths
  })
  expect(room[0]).toBeLessThan((room[1] ?? 0) / 2)
  await links.last().evaluate((link) => getSelection()?.selectAllChildren(link))
  await minji.page.keyboard.press('ControlOrMeta+c')
  expect(await minji.page.evaluate(() => navigator.clipboard.readText())).toBe(long)
})

test('one to three emoji are large, and have no bubble', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const size = (text: string) =>
    minji
      .text(text)
      .locator('.message-text')
      .evaluate((element) => Number.parseFloat(getComputedStyle(element).fontSize))
  for (const text of ['안녕', '👍🏽👍🏽', '😀😀😀😀']) await minji.send(text)
  await expect(minji.text('😀😀😀😀')).toBeVisible()
  const [plain, large, many] = [await size('안녕'), await size('👍🏽👍🏽'), await size('😀😀😀😀')]
  expect([large > 2 * plain, many]).toEqual([true, plain])
  const frame = (text: string) =>
    minji
      .text(text)
      .locator('[data-bubble]')
      .evaluate((bubble) => {
        const { backgroundColor, borderTopWidth } = getComputedStyle(bubble)
        return { backgroundColor, borderTopWidth }
      })
  expect(await frame('👍🏽👍🏽')).toEqual({ backgroundColor: 'rgba(0, 0, 0, 0)', borderTopWidth: '0px' })
  expect(await frame('😀😀😀😀')).toEqual(await frame('안녕'))
})

for (const [name, text] of [
  ['one word', 'a'.repeat(8_192)],
  ['many lines', '줄\n'.repeat(2_000).trim()],
  ['many links', 'https://a.kr/ '.repeat(585).trim()],
] as const) {
  test(`a long text takes no more than a part of the screen, and is shown whole when asked for: ${name}`, async ({
    browser,
    open,
  }) => {
    const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] })
    const minji = await conversation(open, context, MINJI, JUNHO)
    // As people do. Typed at once by a test, thousands of lines take a browser half a minute.
    await minji.page.evaluate((text) => navigator.clipboard.writeText(text), text)
    await minji.field.focus()
    await minji.page.keyboard.press('ControlOrMeta+v')
    await minji.field.press('Enter')
    await minji.send('다음')
    await expect(minji.status('다음')).toHaveAttribute('data-status', 'sent')
    const first = minji.rows.first()
    expect((await first.boundingBox())?.height).toBeLessThan(600)
    const button = first.getByRole('button', { name: '전체 보기' })
    await button.focus()
    await minji.page.keyboard.press('Enter')
    const dialog = minji.page.getByRole('dialog', { name: '메시지 전체' })
    await expect(dialog.locator('.message-text')).toHaveText(text, { useInnerText: true })
    await expectNoBarriers(minji.page, 'a long text')
    await minji.page.keyboard.press('Escape')
    await expect(button).toBeFocused()
  })
}

test('what is to be shown over the conversation says when it does not come, and can be asked for again', async ({
  browser,
  open,
}) => {
  const context = await browser.newContext()
  await neverIdle(context)
  const minji = await conversation(open, context, MINJI, JUNHO)
  await minji.send('가'.repeat(2_500))
  await expect(minji.status('가')).toHaveAttribute('data-status', 'sent')
  await context.setOffline(true)
  await minji.page.getByRole('button', { name: '전체 보기' }).click()
  const dialog = minji.page.getByRole('dialog')
  await expect(dialog.getByRole('alert')).toContainText('연결을 확인')
  await minji.page.keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)
  await minji.page.getByRole('button', { name: '전체 보기' }).click()
  await expect(dialog.getByRole('alert')).toContainText('연결을 확인')
  // What was asked for comes when the network does.
  await context.setOffline(false)
  await expect(dialog.locator('.message-text')).toHaveText('가'.repeat(2_500))
})
