import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { conversation, expect, JUNHO, MINJI, online, test } from './support/chat'

interface Budget {
  page: string
  javascriptKilobytes: number
}
const budgets = JSON.parse(readFileSync(fileURLToPath(new URL('../../budget.json', import.meta.url)), 'utf8')) as Budget[]

// Whatever the browser loads, by whichever way: not what the page names.
for (const { page: path, javascriptKilobytes } of budgets) {
  test(`a first visit of ${path} loads at most ${javascriptKilobytes} kB of JavaScript before any click`, async ({
    browser,
    open,
  }) => {
    const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
    await junho.send('안녕하세요')
    await expect(junho.status('안녕하세요')).toHaveAttribute('data-status', 'sent')

    const context = await browser.newContext()
    // What is fetched when there is nothing else to do is no part of it, however slowly the rest comes.
    await context.addInitScript(() => {
      window.requestIdleCallback = () => 0
    })
    const bodies: Promise<number>[] = []
    const seen = new Set<string>()
    context.on('response', (response) => {
      // By its name too: what is fetched for later is of no such type.
      const { pathname } = new URL(response.url())
      if ((response.request().resourceType() !== 'script' && !pathname.endsWith('.js')) || seen.has(pathname)) return
      seen.add(pathname)
      bodies.push(response.body().then((body) => gzipSync(body, { level: 9 }).length))
    })
    const page = await open(context, MINJI, path)
    await online(page)
    await expect(page.locator(`[data-peer="${JUNHO}"]`)).toBeVisible()
    await page.waitForLoadState('networkidle')
    const kilobytes = (await Promise.all(bodies)).reduce((sum, size) => sum + size, 0) / 1_000
    process.stdout.write(`${path}: ${kilobytes.toFixed(1)} of ${javascriptKilobytes} kB\n`)
    expect(kilobytes).toBeLessThanOrEqual(javascriptKilobytes)
    expect(bodies.length).toBeGreaterThan(5)
  })
}
