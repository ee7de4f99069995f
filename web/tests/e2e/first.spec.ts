import type { BrowserContext } from '@playwright/test'
import { conversation, expect, JUNHO, MINJI, test, writeMany } from './support/chat'

const WITH_JUNHO = `/ko/chat/?with=${encodeURIComponent(JUNHO)}`

/** Notes what a page asks for, and holds up one of it until told otherwise. */
async function hold(context: BrowserContext, held: string) {
  const asked: string[] = []
  context.on('request', (request) => asked.push(new URL(request.url()).pathname))
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  await context.route(`**${held}`, async (route) => {
    await released
    await route.continue()
  })
  return { asked, release }
}

// On a slow network, each request that begins only when another one has ended is waited for.
test.describe('a first visit', () => {
  let named: string[] = []
  /** A part of the page's code that its HTML does not name. */
  const isPart = (path: string) => path.startsWith('/_next/static/chunks/') && path.endsWith('.js') && !named.includes(path)

  test.beforeEach(async ({ request, server }) => {
    const html = await (await request.get(server.url + WITH_JUNHO)).text()
    named = [...html.matchAll(/<script src="([^"]+)" defer/g)].map(([, path = '']) => path)
    expect(named.length).toBeGreaterThan(3)
  })

  test('asks for the configuration, and the code for signing in, while the rest of the code is on its way', async ({
    browser,
    open,
  }) => {
    const context = await browser.newContext()
    // Its files run one after the other.
    const { asked, release } = await hold(context, `${named[0]}`)
    const page = open(context, MINJI, WITH_JUNHO)
    await expect.poll(() => asked.includes('/config.json') && asked.some(isPart)).toBe(true)
    const ahead = asked.filter((path) => path === '/config.json' || isPart(path))
    release()
    await expect((await page).locator('textarea')).toBeVisible()
    // None of it is asked for again.
    for (const path of ahead) expect(asked.filter((one) => one === path)).toHaveLength(1)
  })

  test("asks for a conversation's code before it knows who has signed in", async ({ browser, open }) => {
    const context = await browser.newContext()
    const { asked, release } = await hold(context, '/config.json')
    const page = await open(context, MINJI, WITH_JUNHO)
    await expect.poll(() => asked.filter(isPart).length).toBeGreaterThan(0)
    release()
    await expect(page.locator('textarea')).toBeVisible()
  })
})

test('a conversation that is opened at its end draws none of its oldest messages', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await writeMany(junho.page, MINJI, JUNHO, 49)
  // Nothing is unread that Junho's list would begin at.
  await expect(minji.status('message 49')).toHaveAttribute('data-status', 'read')
  const context = await browser.newContext()
  await context.addInitScript(() => {
    const drawn: string[] = []
    Object.assign(window, { drawn })
    const look = (node: Node) => {
      if (!(node instanceof Element)) return
      for (const row of [node, ...node.querySelectorAll('li[data-index]')])
        drawn.push(row.querySelector('.message-text')?.textContent ?? '')
    }
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) for (const node of addedNodes) look(node)
    }).observe(document, { childList: true, subtree: true })
  })
  const again = await conversation(open, context, JUNHO, MINJI)
  await expect(again.text('message 49')).toBeInViewport()
  const drawn = await again.page.evaluate(() => (window as unknown as { drawn: string[] }).drawn)
  expect(drawn).toContain('message 49')
  expect(drawn).not.toContain('message 1')
})
