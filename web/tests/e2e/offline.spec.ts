import { conversation, expect, JUNHO, MINJI, online, type Page, prepared, propose, test } from './support/chat'
import { picture } from './support/images'

test.use({ serviceWorkers: 'allow' })

/** The page is kept, and its worker at work. */
async function kept(page: Page): Promise<void> {
  await expect
    .poll(() => page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.active?.state), { timeout: 90_000 })
    .toBe('activated')
}

test('the page opens without a network, and sends what was written then', async ({ browser, open }) => {
  const context = await browser.newContext()
  const minji = await conversation(open, context, MINJI, JUNHO)
  await minji.send('연결되어 있을 때')
  await expect(minji.status('연결되어 있을 때')).toHaveAttribute('data-status', 'sent')
  await kept(minji.page)
  await context.setOffline(true)
  await minji.page.reload()
  // Whether the browser itself knows that there is none is another matter.
  await expect(minji.page.getByRole('status')).toContainText('보낸 메시지는 연결되면 전송됩니다')
  await minji.send('끊겨 있을 때')
  // Above it nothing could be loaded.
  const waiting = minji.scroller.getByText('끊겨 있을 때')
  await expect(waiting).toBeVisible()
  await minji.page.reload()
  await expect(waiting).toBeVisible()
  // The other page has never been looked at.
  await minji.page.goto(new URL('/ko/teams/', minji.page.url()).href)
  await expect(minji.page.getByRole('heading', { name: '팀', exact: true })).toBeVisible()
  await minji.page.goBack()
  await context.setOffline(false)
  await expect(minji.status('끊겨 있을 때')).toHaveAttribute('data-status', 'sent')
  await expect(minji.text('연결되어 있을 때')).toBeVisible()
})

test('without a network a photo can be picked, a chat begun and a match proposed, although none was looked at before', async ({
  browser,
  open,
}) => {
  const context = await browser.newContext()
  const minji = await conversation(open, context, MINJI, JUNHO)
  const { page } = minji
  const dialog = page.getByRole('dialog')
  const photo = await picture(page, 600, 400)
  await prepared(page)
  await kept(page)
  await context.setOffline(true)
  await page.getByTestId('picker').setInputFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer: photo })
  await expect(page.getByTestId('preview')).toBeVisible()
  await dialog.getByRole('button', { name: '보내기' }).click()
  const image = minji.rows.locator('[data-image] img')
  await expect(image).toBeVisible()
  await image.click()
  await expect(dialog.getByRole('img')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)

  await page.getByRole('button', { name: '새 대화' }).click()
  await dialog.getByLabel('상대방 이메일 주소').fill('seoyeon@example.com')
  await dialog.getByRole('button', { name: '대화 시작' }).click()
  await minji.send('처음 뵙겠습니다')
  const first = minji.scroller.getByText('처음 뵙겠습니다')
  await expect(first).toBeVisible()

  await page.locator('nav a[href="/ko/teams/"]').click()
  await propose(page, '잠실 보조경기장')
  await context.setOffline(false)
  await expect(minji.rows.locator('[data-proposal]')).toBeVisible()
  await expect(minji.rows.locator('[data-status="sending"]')).toHaveCount(0)
  // One after the other: the last one of a group says how it is.
  await expect(minji.rows.locator('[data-status]')).toHaveAttribute('data-status', 'sent')
  await expect(image).toBeVisible()
  await page.locator('button[data-peer="seoyeon@example.com"]').click()
  await expect(minji.status('처음 뵙겠습니다')).toHaveAttribute('data-status', 'sent')
})

test('where there is a network, the page is the one of today', async ({ browser, open }) => {
  const context = await browser.newContext()
  const page = await open(context, MINJI)
  await online(page)
  await kept(page)
  await context.route('**/ko/chat/', async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, body: (await response.text()).replace('<body', '<body data-later') })
  })
  await page.reload()
  await expect(page.locator('body[data-later]')).toBeAttached()
  await online(page)
})
