import { ChatClient, MemoryOutbox, type Outbox, type ReadyImage } from 'chat-core'
import { type FakeLink, FakeServer, JUNHO, MINJI } from 'chat-core/testing'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { browser } from './support/browser'

/** An outbox that fails as often as it is told to: before it did what it was asked, or after. */
function flaky(): { outbox: Outbox; faults: ('before' | 'after')[] } {
  const faults: ('before' | 'after')[] = []
  const inner = new MemoryOutbox()
  const outbox = new Proxy(inner, {
    get: (target, name) => {
      const value = Reflect.get(target, name, target) as (...args: unknown[]) => Promise<unknown>
      return async (...args: unknown[]) => {
        const fault = faults.shift()
        if (fault === 'before') throw new DOMException('before', 'UnknownError')
        const result = await value.apply(target, args)
        if (fault === 'after') throw new DOMException('after', 'UnknownError')
        return result
      }
    },
  })
  return { outbox, faults }
}

const IMAGE: ReadyImage = { bytes: Uint8Array.of(1, 2, 3), contentType: 'image/png', width: 40, height: 30 }

const step = fc.record({
  tab: fc.nat(1),
  writes: fc.constantFrom('text', 'image', 'nothing'),
  put: fc.constantFrom('lost' as const, 'unheard' as const, 'refused' as const, null, null),
  faults: fc.array(fc.constantFrom('before' as const, 'after' as const, null), { maxLength: 4 }),
  loseAcks: fc.nat(2),
  losePushes: fc.nat(2),
  refuse: fc.constantFrom('badRequest' as const, 'unavailable' as const, null, null),
  noise: fc.nat(2),
  rest: fc.boolean(),
  look: fc.boolean(),
  last: fc.constantFrom('cut', 'open', 'close', 'retry', 'discard', 'focus', 'nothing'),
  pause: fc.constantFrom(0, 1, 20, 2_000, 40_000),
})

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

test('two tabs and an outbox that fails at times store everything once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const server = new FakeServer()
      server.pageSize = 3
      const { outbox, faults } = flaky()
      const tabs = browser()
      const open = () => {
        let link: FakeLink | undefined
        const client = new ChatClient({
          me: MINJI,
          wsUrl: 'ws://chat.example/prod',
          restUrl: 'http://chat.example',
          tokens: { get: async () => 'token', renew: async () => 'newer' },
          outbox,
          tabs,
          fetch: server.fetcher(MINJI),
          put: server.put,
          transport: (listener) => {
            link = server.connect(MINJI, listener)
            return link
          },
        })
        return { client, link: link as FakeLink }
      }
      const pages = [open(), open()] as [ReturnType<typeof open>, ReturnType<typeof open>]
      const written: string[] = []
      const discarded = new Set<string>()
      for (const [index, one] of steps.entries()) {
        const page = pages[one.tab] as ReturnType<typeof open>
        faults.push(...one.faults.filter((fault) => fault !== null))
        page.link.loseAcks = one.loseAcks
        page.link.losePushes = one.losePushes
        server.status = one.rest ? 200 : 503
        if (one.refuse !== null) page.link.refuse.push({ code: one.refuse, retryable: one.refuse === 'unavailable' })
        for (let count = 0; count < one.noise; count += 1) server.store(JUNHO, `theirs ${index}.${count}`)
        if (one.look) page.client.open(JUNHO)
        if (one.put !== null) server.putFaults.push(one.put)
        const caption = `mine ${index}`
        if (one.writes !== 'nothing') written.push(caption)
        if (one.writes === 'text') void page.client.send(JUNHO, caption)
        if (one.writes === 'image') void page.client.sendImage(JUNHO, IMAGE, { caption, alt: '' })
        await vi.advanceTimersByTimeAsync(one.pause)
        if (one.last === 'cut') page.link.cut()
        if (one.last === 'open' && !page.link.isOpen) page.link.open()
        if (one.last === 'focus') page.client.refresh()
        if (one.last === 'retry')
          for (const { id, status } of page.client.state.pending) if (status === 'failed') void page.client.retry(id)
        if (one.last === 'discard') {
          const entry = page.client.state.pending.find(({ status }) => status === 'failed')
          if (entry !== undefined) {
            discarded.add(entry.text)
            void page.client.discard(entry.id)
          }
        }
        if (one.last === 'close') {
          for (const { text } of page.client.state.pending.filter(({ reason }) => reason === 'notKept')) discarded.add(text)
          // What is on its way into the outbox gets there, or not.
          page.client.close()
          await vi.advanceTimersByTimeAsync(1)
          pages[one.tab] = open()
        }
      }
      faults.length = 0
      server.status = 200
      for (const { link } of pages) {
        link.refuse.length = 0
        link.loseAcks = 0
        link.losePushes = 0
        link.cut()
        link.open()
      }
      for (const { client } of pages) client.open(JUNHO)
      for (let rounds = 0; rounds < 4; rounds += 1) {
        await vi.advanceTimersByTimeAsync(60_000)
        for (const { client } of pages) {
          for (const { id, status } of client.state.pending) if (status === 'failed') void client.retry(id)
          client.refresh()
        }
      }
      await vi.advanceTimersByTimeAsync(60_000)
      const mine = server.messages.filter(({ senderEmail }) => senderEmail === MINJI).map(({ message }) => message)
      expect(new Set(mine).size).toBe(mine.length)
      expect(written.filter((text) => !mine.includes(text) && !discarded.has(text))).toEqual([])
      for (const { client } of pages) {
        expect(client.state.pending).toEqual([])
        const shown = client.state.rooms[JUNHO]?.messages.map(({ message }) => message) ?? []
        expect(shown).toEqual(server.messages.slice(server.messages.length - shown.length).map(({ message }) => message))
        expect(shown.length).toBeGreaterThanOrEqual(Math.min(3, server.messages.length))
        client.close()
      }
    }),
    { numRuns: 100 },
  )
})
