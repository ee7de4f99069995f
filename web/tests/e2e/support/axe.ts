import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, type Page } from '@playwright/test'
import type { AxeResults, RunOptions } from 'axe-core'

const { resolve } = createRequire(createRequire(import.meta.url).resolve('@axe-core/playwright'))
const SOURCE = readFileSync(resolve('axe-core/axe.min.js'), 'utf8')

/** What may differ between themes of the same page. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block']

/** Expects that axe finds nothing in anybody's way, in the dark theme neither; `what` is what the page shows. */
export async function expectNoBarriers(page: Page, what: string): Promise<void> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(SOURCE)
  const { isForced, theme, motion } = await page.evaluate(() => {
    const is = (query: string) => matchMedia(`(${query})`).matches
    return {
      isForced: is('forced-colors: active'),
      theme: is('prefers-color-scheme: dark') ? ('dark' as const) : ('light' as const),
      motion: is('prefers-reduced-motion: reduce') ? ('reduce' as const) : ('no-preference' as const),
    }
  })
  // The colours that are forced are the system's. Of the text's axe reads the one that is not.
  const rules = isForced ? Object.fromEntries(OF_COLOURS.map((rule) => [rule, { enabled: false }])) : {}
  const found = await barriers(page, what, { rules })
  if (!isForced) {
    const other = theme === 'dark' ? 'light' : 'dark'
    await page.emulateMedia({ colorScheme: other, reducedMotion: 'reduce' })
    found.push(...(await barriers(page, `${what}, ${other}`, { runOnly: OF_COLOURS })))
    await page.emulateMedia({ colorScheme: theme, reducedMotion: motion })
  }
  expect(found).toEqual([])
}

async function barriers(page: Page, what: string, options: RunOptions = {}): Promise<string[]> {
  const { violations } = await page.evaluate(
    async (options): Promise<Pick<AxeResults, 'violations'>> => {
      const { axe } = window as unknown as { axe: typeof import('axe-core') }
      // Not in the middle of an animation. Those that go on for ever have no end to go to; the end of one may begin another, where
      // a colour is inherited.
      const finite = () =>
        document.getAnimations().filter((one) => one.effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY)
      for (let left = finite(), rounds = 0; left.length > 0 && rounds < 10; left = finite(), rounds += 1) {
        for (const one of left) one.finish()
      }
      const { violations } = await axe.run(document, options)
      return { violations }
    },
    { resultTypes: ['violations'], ...options } satisfies RunOptions,
  )
  return violations.map(({ id, nodes }) => `${what}: ${id} ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`)
}
