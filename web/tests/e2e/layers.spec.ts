import { Conversation, conversation, expect, JUNHO, MINJI, online, test, writeMany } from './support/chat'
import { picture } from './support/images'

test('the way back closes what lies over a conversation, and only then the conversation', async ({ browser, open }) => {
  const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
  const minji = new Conversation(await open(phone, MINJI))
  const { page } = minji
  await online(page)
  await writeMany(page, MINJI, JUNHO, 2)
  await minji.open(JUNHO)
  const dialog = page.getByRole('dialog')
  const pick = async () => {
    const buffer = await picture(page, 400, 300)
    await page.getByTestId('picker').setInputFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer })
    await expect(page.getByTestId('preview')).toBeVisible()
  }
  const url = page.url()

  await pick()
  await page.goBack()
  await expect(dialog).toBeHidden()
  await expect(minji.field).toBeVisible()
  expect(page.url()).toBe(url)

  // What is closed by hand leaves nothing behind.
  await pick()
  await dialog.getByRole('button', { name: '보내기' }).tap()
  await minji.rows.locator('[data-image="ready"] button').tap()
  await expect(page.getByTestId('viewed')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByTestId('viewed')).toBeHidden()
  await minji.rows.locator('[data-image="ready"] button').tap()
  await expect(page.getByTestId('viewed')).toBeVisible()
  await page.goBack()
  await expect(page.getByTestId('viewed')).toBeHidden()
  await expect(minji.field).toBeVisible()

  await page.goBack()
  await expect(page.getByRole('heading', { name: '대화 목록' })).toBeVisible()
  await page.goForward()
  await expect(minji.field).toBeVisible()
  await page.goBack()

  await page.getByRole('button', { name: '설정' }).tap()
  await expect(dialog.getByRole('heading', { name: '설정' })).toBeVisible()
  await page.goBack()
  await expect(dialog).toBeHidden()
  await expect(page.getByRole('heading', { name: '대화 목록' })).toBeVisible()
})

test('whoever begins a conversation in a dialog goes back to the list, and forward to the conversation', async ({
  browser,
  open,
}) => {
  const minji = new Conversation(await open(await browser.newContext(), MINJI))
  const { page } = minji
  await online(page)
  await page.getByRole('button', { name: '새 대화' }).first().click()
  await page.getByLabel('상대방 이메일 주소').fill(JUNHO)
  await page.getByLabel('상대방 이메일 주소').press('Enter')
  await expect(minji.field).toBeVisible()
  await expect(page.getByRole('dialog')).toBeHidden()
  await page.goBack()
  await expect(page.getByText('대화를 선택하세요')).toBeVisible()
  await page.goForward()
  await expect(minji.field).toBeVisible()
})

test('a page that is loaded anew under a dialog has no dialog, and back leads to what was before', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const { page } = minji
  await page.goto(new URL('/ko/chat/', page.url()).href)
  await online(page)
  await page.getByRole('searchbox').fill(JUNHO)
  await page.getByRole('searchbox').press('Enter')
  await expect(minji.field).toBeVisible()
  await page.getByRole('button', { name: '설정' }).click()
  await expect(page.getByRole('dialog')).toBeVisible()
  await page.reload()
  await expect(minji.field).toBeVisible()
  await expect(page.getByRole('dialog')).toBeHidden()
  await expect.poll(() => page.evaluate(() => history.state?.chatLayers ?? 0)).toBe(0)
  await page.goBack()
  await expect(page.getByText('대화를 선택하세요')).toBeVisible()
})
