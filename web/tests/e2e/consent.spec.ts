import { expectNoBarriers } from './support/axe'
import { between, type Conversation, conversation, expect, JUNHO, MINJI, online, type Page, test } from './support/chat'
import { picture } from './support/images'

test.use({ flags: ['--first-contact', 'request'] })

const request = (page: Page) => page.getByRole('region', { name: '대화 요청' })
const bar = (chat: Conversation, name: RegExp) => chat.page.getByRole('region', { name })
const requested = /님이 대화를 요청했습니다/
const asked = /님에게 대화를 요청했습니다/
const blocked = /님을 차단했습니다/

/** Minji has written to Junho, who has never heard of her. */
async function firstContact(chat: Conversation, text = '안녕하세요'): Promise<void> {
  await chat.send(text)
  await expect(chat.status(text)).toHaveAttribute('data-status', /sent|read/)
}

test('a stranger is a request: apart, without a badge, a title or a notification, until it is accepted', async ({
  browser,
  open,
}) => {
  const context = await browser.newContext({ permissions: ['notifications'] })
  await context.addInitScript(() => {
    localStorage.setItem('chat.notify', 'on')
    document.hasFocus = () => false
    const told: string[] = []
    Object.assign(window, { told })
    const Told = class {
      static permission = 'granted'
      constructor(title: string) {
        told.push(title)
      }
      close() {}
    }
    Object.assign(window, { Notification: Told })
  })
  const page = await open(context, JUNHO)
  await online(page)
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await firstContact(minji)
  await firstContact(minji, '하나 더')
  await expect(request(page)).toContainText('1건')
  await expect(page.getByTestId('total-unread')).toHaveCount(0)
  await expect(page).toHaveTitle('채팅 · 두리')
  await expect(page.locator(`[data-peer="${MINJI}"]`)).toHaveCount(0)

  await request(page)
    .getByRole('button', { name: /대화 요청/ })
    .click()
  await expect(request(page)).toContainText('알리지 않습니다')
  await expectNoBarriers(page, 'the requests')
  await expect(page.locator(`[data-peer="${MINJI}"]`)).toContainText('하나 더')
  await expect(page.getByTestId('unread')).toHaveCount(0)
  await page.locator(`[data-peer="${MINJI}"]`).click()
  const accept = page.getByRole('button', { name: '수락' })
  await expect(accept).toBeVisible()
  await accept.click()
  await expect(accept).toHaveCount(0)
  await expect(page.locator('textarea')).toBeFocused()
  await expect(request(page)).toHaveCount(0)
  await firstContact(minji, '고마워요')
  await expect(page.locator(`[data-peer="${MINJI}"]`)).toContainText('고마워요')
  await expect(page.getByTestId('total-unread')).toBeVisible()
  // Of the request nothing was told; of what came after it is.
  await expect.poll(() => page.evaluate(() => (window as unknown as { told: string[] }).told)).toEqual(['minji'])
})

test('who asks sees that it is a request, and why something was refused', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const { page } = minji
  await firstContact(minji)
  await expect(bar(minji, asked)).toContainText('10개까지')
  // There is no button for what would be refused; what is pasted all the same is refused in words.
  await expect(page.getByRole('button', { name: '사진 첨부' })).toHaveCount(0)
  const photo = await picture(page, 300, 200)
  await page.evaluate(
    ([base64]) => {
      const bytes = Uint8Array.from(atob(base64 ?? ''), (letter) => letter.charCodeAt(0))
      const clipboardData = new DataTransfer()
      clipboardData.items.add(new File([bytes], 'photo.jpg', { type: 'image/jpeg' }))
      document.querySelector('textarea')?.dispatchEvent(new ClipboardEvent('paste', { bubbles: true, clipboardData }))
    },
    [photo.toString('base64')],
  )
  await page.getByRole('dialog').getByRole('button', { name: '보내기' }).click()
  await expect(minji.rows.last()).toContainText('사진은 보낼 수 없습니다')
  await minji.rows.last().getByRole('button', { name: '삭제' }).click()

  for (let index = 2; index <= 10; index += 1) await firstContact(minji, `글 ${index}번`)
  await minji.send('열한 번째')
  await expect(minji.status('열한 번째')).toHaveAttribute('data-status', 'failed')
  await expect(minji.text('열한 번째')).toContainText('열 개까지만')

  // An answer accepts.
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await expect(bar(junho, requested)).toBeVisible()
  await junho.send('반갑습니다')
  await expect(bar(junho, requested)).toHaveCount(0)
  await expect(minji.text('반갑습니다')).toBeVisible()
  await expect(bar(minji, asked)).toHaveCount(0)
  await expect(page.getByRole('button', { name: '사진 첨부' })).toBeVisible()
  await minji.text('열한 번째').getByRole('button', { name: '다시 보내기' }).click()
  await expect(minji.status('열한 번째')).toHaveAttribute('data-status', /sent|read/)
})

test('somebody is blocked and unblocked from the menu, and by the list in the settings, on every device', async ({
  browser,
  open,
}) => {
  const context = await browser.newContext()
  const junho = await conversation(open, context, JUNHO, MINJI)
  const other = await conversation(open, context, JUNHO, MINJI)
  await firstContact(junho)
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await firstContact(minji, '네')
  const { page } = junho
  const menu = page.getByRole('button', { name: '대화 메뉴' })
  await menu.press('Enter')
  await expect(page.getByRole('menuitem', { name: '차단' })).toBeFocused()
  await page.keyboard.press('Enter')
  for (const chat of [junho, other]) {
    await expect(bar(chat, blocked)).toBeVisible()
    await expect(chat.field).toHaveCount(0)
  }
  await expect(page.locator(`[data-peer="${MINJI}"]`)).toContainText('차단한 사람')
  await minji.send('들려요?')
  await expect(minji.status('들려요?')).toHaveAttribute('data-status', 'failed')
  await expect(minji.text('들려요?')).toContainText('상대가 이 메시지를 받지 않았습니다')

  await bar(junho, blocked).getByRole('button', { name: '차단 해제' }).click()
  await expect(junho.field).toBeFocused()
  await expect(other.field).toBeVisible()
  await minji.text('들려요?').getByRole('button', { name: '다시 보내기' }).click()
  await expect(junho.text('들려요?')).toBeVisible()

  await menu.click()
  await page.getByRole('menuitem', { name: '차단' }).click()
  await expect(bar(junho, blocked)).toBeVisible()
  await page.getByRole('button', { name: '설정' }).click()
  await page.getByRole('button', { name: '차단한 사람', exact: true }).click()
  const list = page.getByRole('dialog', { name: '차단한 사람' })
  await expect(list).toContainText(MINJI)
  await expectNoBarriers(page, 'the blocked people')
  await list.getByRole('button', { name: 'minji 님 차단 해제' }).click()
  await expect(list).toContainText('차단한 사람이 없습니다')
  await page.keyboard.press('Escape')
  await expect(junho.field).toBeVisible()
})

test('a request that is blocked is in no list but that of the settings', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await firstContact(minji)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await bar(junho, requested).getByRole('button', { name: '차단' }).click()
  await expect(bar(junho, blocked).getByRole('button', { name: '차단 해제' })).toBeFocused()
  await expect(request(junho.page)).toHaveCount(0)
  await expect(junho.page.locator(`[data-peer="${MINJI}"]`)).toHaveCount(0)
  await expect(junho.page.getByText('아직 대화가 없습니다')).toBeVisible()
  await junho.page.reload()
  await expect(bar(junho, blocked)).toBeVisible()
})

test('messages are reported, from the menu and from a message, and it is said what became of it', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await firstContact(minji, '첫 번째 광고')
  await firstContact(minji, '두 번째 광고')
  const context = await browser.newContext({ viewport: { width: 390, height: 780 } })
  const frames: Record<string, unknown>[] = []
  let isRefused = true
  await between(context, {
    sent(frame, answer) {
      if (frame.action !== 'report') return true
      frames.push(frame)
      if (isRefused) answer({ type: 'error', code: 'notFound', message: '', retryable: false, requestId: '' })
      return !isRefused
    },
  })
  const junho = await conversation(open, context, JUNHO, MINJI)
  const { page } = junho
  await page.getByRole('button', { name: '대화 메뉴' }).click()
  await page.getByRole('menuitem', { name: '신고' }).click()
  const dialog = page.getByRole('dialog', { name: 'minji 님 신고' })
  const send = dialog.getByRole('button', { name: '신고하기' })
  await expect(send).toBeDisabled()
  await expect(dialog.getByRole('checkbox')).toHaveCount(2)
  await dialog.getByRole('checkbox', { name: /두 번째 광고/ }).check()
  await dialog.getByLabel('이유').fill('가'.repeat(167))
  await expect(dialog.getByRole('alert')).toHaveText('이유가 너무 깁니다.')
  await dialog.getByLabel('이유').fill('광고입니다')
  await expectNoBarriers(page, 'a report')
  await send.click()
  await expect(dialog.getByRole('alert')).toContainText('지워진 것이 있습니다')
  isRefused = false
  await send.click()
  await expect(dialog.getByRole('status')).toContainText('신고했습니다')
  expect(frames).toHaveLength(2)
  expect(frames[1]).toMatchObject({ peerEmail: MINJI, reason: '광고입니다' })
  await dialog.getByRole('button', { name: '닫기', exact: true }).last().click()
  await expect(dialog).toHaveCount(0)

  await junho.text('첫 번째 광고').focus()
  await page.keyboard.press('Enter')
  await page.getByRole('menuitem', { name: '신고' }).click()
  await expect(dialog.getByRole('checkbox', { name: /첫 번째 광고/ })).toBeChecked()
  await expect(dialog.getByRole('checkbox', { name: /두 번째 광고/ })).not.toBeChecked()
  await send.click()
  await dialog.getByRole('button', { name: '차단' }).click()
  await expect(bar(junho, blocked)).toBeVisible()
})

test('what is decided without a network is done when there is one, and waits in words', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await firstContact(minji)
  const context = await browser.newContext()
  const junho = await conversation(open, context, JUNHO, MINJI)
  await expect(bar(junho, requested)).toBeVisible()
  await context.setOffline(true)
  await bar(junho, requested).getByRole('button', { name: '수락' }).click()
  await expect(bar(junho, requested).getByRole('status')).toContainText('연결되면 처리합니다')
  await context.setOffline(false)
  await expect(bar(junho, requested)).toHaveCount(0)
})
