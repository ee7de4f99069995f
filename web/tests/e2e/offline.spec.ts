import { conversation, expect, JUNHO, MINJI, online, type Page, test } from './support/chat'

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
  await expect(minji.page.getByRole('status')).toContainText('오프라인')
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
