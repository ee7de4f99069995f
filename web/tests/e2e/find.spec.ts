import type { Locator, Page } from '@playwright/test'
import { expectNoBarriers } from './support/axe'
import { type Conversation, conversation, expect, JUNHO, MINJI, test, writeMany } from './support/chat'

const UNLIMITED = ['--send-burst', '--send-per-second', '--request-burst', '--requests-per-hour']
const PHONE = { viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true }

const field = (page: Page): Locator => page.getByRole('searchbox', { name: '메시지 찾기' })
const hits = (page: Page): Locator => page.getByRole('list', { name: '찾은 메시지' }).getByRole('button')
const said = (page: Page): Locator => page.getByTestId('find-status')
const latest = (page: Page): Locator => page.getByRole('button', { name: '최근 메시지로' })

/** The numbers of the messages on the screen, in their order there. */
async function numbers({ rows }: Conversation): Promise<number[]> {
  const texts = await rows.locator('.message-text').allInnerTexts()
  return texts.flatMap((text) => (/^message \d+$/.test(text) ? [Number(text.slice(8))] : []))
}

test.describe('finding something in a long conversation', () => {
  test.use({ flags: UNLIMITED.flatMap((limit) => [limit, '1000000']) })

  test('leads there, with what is around it, and from there to the newest without a hole', async ({ browser, open }) => {
    const context = await browser.newContext()
    const minji = await conversation(open, context, MINJI, JUNHO)
    const { page, field: composer } = minji
    await minji.send('운동장은 한강 공원입니다')
    await expect(minji.status('운동장은')).toHaveAttribute('data-status', 'sent')
    await writeMany(page, MINJI, JUNHO, 170)
    await page.reload()
    await expect(minji.rows.first()).toBeVisible()
    // It may have been opened where reading stopped; one's own message leads to the end.
    await minji.send('그럼 이만')
    await expect(minji.text('그럼 이만')).toBeInViewport()
    await expect(page.getByTestId('total-unread')).toHaveCount(0)

    await composer.focus()
    await page.keyboard.press('ControlOrMeta+f')
    await expect(field(page)).toBeFocused()
    await field(page).fill('message 99')
    await expect(hits(page)).toHaveCount(1)
    await field(page).fill('한강공ㅇ')
    await expect(hits(page)).toHaveCount(1)
    await expect(hits(page).locator('mark')).toHaveText('한강 공원')
    await expectNoBarriers(page, 'what was found')
    await page.keyboard.press('ArrowDown')
    await expect(hits(page)).toBeFocused()
    await page.keyboard.press('Enter')
    await expect(minji.text('운동장은')).toBeFocused()
    await expect(minji.text('운동장은')).toBeInViewport()
    // What follows on it is there, and what follows on that is fetched as it is scrolled to.
    await expect(minji.scroller.getByText('message 1', { exact: true })).toBeVisible()
    await expect(latest(page)).toBeVisible()
    const seen: number[] = []
    await minji.scroller.hover()
    await expect
      .poll(
        async () => {
          const shown = await numbers(minji)
          expect(shown).toEqual(shown.map((_, index) => (shown[0] ?? 0) + index))
          seen.push(...shown.filter((number) => number > (seen.at(-1) ?? 0)))
          await page.mouse.wheel(0, 500)
          return seen.at(-1)
        },
        { intervals: [60] },
      )
      .toBe(170)
    expect(seen).toEqual(Array.from({ length: 170 }, (_, index) => index + 1))
    await expect(latest(page)).toHaveCount(0)
  })

  test('goes from hit to hit, while a message comes that is not missed', async ({ browser, open }) => {
    const context = await browser.newContext()
    const minji = await conversation(open, context, MINJI, JUNHO)
    const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
    const { page } = minji
    for (const text of ['공 하나', '공 둘']) {
      await minji.send(text)
      await expect(junho.text(text)).toBeVisible()
      await writeMany(page, MINJI, JUNHO, 110, 'message', 8)
    }
    await page.reload()
    await expect(minji.rows.first()).toBeVisible()
    // It may have been opened where reading stopped; one's own message leads to the end.
    await minji.send('그럼 이만')
    await expect(minji.text('그럼 이만')).toBeInViewport()
    await expect(page.getByTestId('total-unread')).toHaveCount(0)
    await page.getByRole('button', { name: '대화에서 찾기' }).click()
    await field(page).fill('공 ')
    await expect(hits(page)).toHaveCount(2)
    await page.keyboard.press('Enter')
    await expect(minji.text('공 둘')).toBeInViewport()
    await expect(said(page)).toHaveText('2개 중 1번째')
    await page.keyboard.press('Enter')
    await expect(minji.text('공 하나')).toBeInViewport()
    await expect(field(page)).toBeFocused()
    await junho.send('지금 온 말')
    const pill = page.getByRole('button', { name: '새 메시지 1개' })
    await expect(pill).toBeVisible()
    await expect(minji.text('공 하나')).toBeInViewport()
    await page.keyboard.press('Escape')
    await expect(field(page)).toHaveCount(0)
    await expect(page.getByRole('button', { name: '대화에서 찾기' })).toBeFocused()
    await pill.click()
    await expect(minji.text('지금 온 말')).toBeInViewport()
    await expect(pill).toHaveCount(0)
  })
})

test('on the smallest phone what is found fits, and all of it is large enough for a finger', async ({ browser, open }) => {
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await junho.send('토요일 두 시에 만나요')
  await expect(junho.status('토요일')).toHaveAttribute('data-status', 'sent')
  const minji = await conversation(open, await browser.newContext(PHONE), MINJI, JUNHO)
  const { page } = minji
  await expect(minji.text('토요일')).toBeVisible()
  await page.getByRole('button', { name: '대화에서 찾기' }).tap()
  await field(page).fill('두시에')
  await expect(hits(page)).toHaveCount(1)
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320)
  const small = await page.locator('[data-find] :is(button, input)').evaluateAll((all) =>
    all
      .map((one) => one.getBoundingClientRect())
      .filter(({ width, height }) => Math.min(width, height) < 43.9)
      .map(({ width, height }) => `${width} x ${height}`),
  )
  expect(small).toEqual([])
  await expectNoBarriers(page, 'what was found on a phone')
  await hits(page).tap()
  await expect(minji.text('토요일')).toBeFocused()
  await field(page).fill('없는 말')
  await expect(said(page)).toHaveText('‘없는 말’ 메시지가 없습니다')
})

test('a conversation is cleared for oneself, on all devices, and for nobody else', async ({ browser, open }) => {
  const context = await browser.newContext()
  const minji = await conversation(open, context, MINJI, JUNHO)
  const elsewhere = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  const { page } = minji
  const listed = (chat: Conversation): Locator => chat.page.locator(`button[data-peer="${JUNHO}"]`)
  for (const text of ['하나', '둘']) await minji.send(text)
  await junho.send('셋')
  for (const chat of [minji, elsewhere]) await expect(chat.text('셋')).toBeVisible()
  await minji.field.fill('쓰던 글')
  await page.getByRole('button', { name: '대화 메뉴' }).click()
  await page.getByRole('menuitem', { name: '내 대화 비우기' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog).toContainText('junho 님에게는 그대로 남습니다')
  await expectNoBarriers(page, 'before clearing')
  await dialog.getByRole('button', { name: '비우기', exact: true }).click()
  await expect(dialog).toHaveCount(0)
  for (const chat of [minji, elsewhere]) {
    await expect(chat.rows).toHaveCount(0)
    await expect(listed(chat)).toHaveCount(0)
    await expect(chat.page.getByText('이전 메시지는 내 화면에서 비웠습니다')).toBeVisible()
  }
  await expect(minji.field).toHaveValue('쓰던 글')
  await expect(minji.field).toBeFocused()
  await expectNoBarriers(page, 'a conversation that was cleared')
  await page.reload()
  await expect(minji.field).toHaveValue('쓰던 글')
  await expect(page.getByText('이전 메시지는 내 화면에서 비웠습니다')).toBeVisible()
  await expect(minji.rows).toHaveCount(0)
  await expect(listed(minji)).toHaveCount(0)
  await expect(junho.rows).toHaveCount(3)
  await junho.send('넷')
  for (const chat of [minji, elsewhere]) {
    await expect(chat.rows).toHaveCount(1)
    await expect(chat.text('넷')).toBeVisible()
    await expect(listed(chat)).toBeVisible()
  }
  await expect(junho.rows).toHaveCount(4)
})
