import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from '@playwright/test'
import { expectNoBarriers } from './support/axe'
import { conversation, expect, JUNHO, MINJI, test } from './support/chat'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** A page of an application, which knows the kind that docs/own-kinds.md shows. */
const PAGE = join(ROOT, 'test-results/page-with-own-kinds')
const PARTS = ['components', 'context', 'examples', 'lib', 'messages', 'pages', 'public', 'scripts', 'styles']
const FILES = ['next.config.ts', 'package.json', 'postcss.config.mjs', 'tsconfig.json']

const PREVIEW = '주문: 축구공 2개'
const ORDER = { kind: 'x-order', preview: PREVIEW, body: { items: [{ name: '축구공', count: 2 }], won: 58_000 } }

/** Sends as an application does that has more than this page; returns the answer. */
function sendOwn(page: Page, receiverEmail: string, own: object): Promise<{ type: string; code?: string }> {
  return page.evaluate(
    async ([receiverEmail, own, email]) => {
      const { wsUrl, auth } = await (await fetch('/config.json')).json()
      const { accessToken } = await (await fetch(auth.loginUrl, { method: 'POST', body: JSON.stringify({ email }) })).json()
      const socket = new WebSocket(wsUrl, ['chat.v1', accessToken])
      await new Promise((resolve) => socket.addEventListener('open', resolve))
      const answer = new Promise<{ type: string }>((resolve) => {
        socket.addEventListener('message', ({ data }) => {
          const frame = JSON.parse(data)
          if (frame.type === 'sent' || frame.type === 'error') resolve(frame)
        })
      })
      const named = { receiverEmail, clientMessageId: crypto.randomUUID(), after: '1970-01-01T00:00:00.000Z' }
      socket.send(JSON.stringify({ action: 'sendMessage', ...named, ...own }))
      const answered = await answer
      socket.close()
      return answered
    },
    [receiverEmail, own, MINJI] as const,
  )
}

test.describe('a page that does not know a kind', () => {
  test.use({ flags: ['--own-kinds', 'x-order'] })

  test('shows, quotes and lists its preview', async ({ browser, open }) => {
    const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
    const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
    expect(await sendOwn(minji.page, JUNHO, ORDER)).toMatchObject({ type: 'sent' })
    for (const chat of [minji, junho]) {
      await expect(chat.text(PREVIEW)).toBeVisible()
      await expect(chat.page.locator('button[data-peer]')).toContainText(PREVIEW)
    }
    await junho.text(PREVIEW).focus()
    await junho.page.keyboard.press('r')
    await junho.send('보냈습니다')
    await expect(minji.text('보냈습니다').locator('[data-quote]')).toContainText(PREVIEW)
    await minji.page.reload()
    await expect(minji.rows).toHaveCount(2)
    await expect(minji.rows.first()).toContainText(PREVIEW)
    // A kind that the chat does not admit, and a body that is none.
    expect(await sendOwn(minji.page, JUNHO, { ...ORDER, kind: 'x-poll' })).toMatchObject({ code: 'badRequest' })
    expect(await sendOwn(minji.page, JUNHO, { ...ORDER, body: { note: 'x'.repeat(4_096) } })).toMatchObject({ code: 'badRequest' })
    await expect(minji.rows).toHaveCount(2)
  })
})

test.describe('a page that knows a kind', () => {
  test.use({ flags: ['--own-kinds', 'x-order', '--web', join(PAGE, 'out')] })

  test.beforeAll(() => {
    // The page takes half a minute to build where other builds run.
    test.setTimeout(300_000)
    rmSync(PAGE, { recursive: true, force: true })
    for (const name of [...PARTS, ...FILES]) cpSync(join(ROOT, name), join(PAGE, name), { recursive: true })
    const documented = readFileSync(join(ROOT, '../docs/own-kinds.md'), 'utf8')
    const [, line] = /```ts\n(export const OWN_KINDS[\s\S]+?)```/.exec(documented) ?? []
    const file = join(PAGE, 'components/ownKinds.ts')
    const code = readFileSync(file, 'utf8').replace('import type { Part }', 'import { Part }')
    writeFileSync(file, code.replace(/^export const OWN_KINDS.*$/m, `${line}`))
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: PAGE, stdio: 'pipe' })
  })

  test('shows it by its component, whose code comes with the first such message', async ({ browser, open }) => {
    const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
    const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
    await expect(minji.rows).toHaveCount(0)
    await sendOwn(minji.page, JUNHO, ORDER)
    // Of another version of the application.
    await sendOwn(minji.page, JUNHO, { ...ORDER, preview: '주문: 모름', body: { items: 3 } })
    for (const chat of [minji, junho]) {
      await expect(chat.rows).toHaveCount(2)
      await expect(chat.rows.first().locator('[data-order]')).toContainText('58,000원')
      await expect(chat.rows.first()).not.toContainText(PREVIEW)
      await expect(chat.rows.last()).toContainText('주문: 모름')
    }
    await expectNoBarriers(minji.page, 'an order')
    await minji.page.reload()
    await expect(minji.rows.first().locator('[data-order]')).toContainText('축구공')
  })
})
