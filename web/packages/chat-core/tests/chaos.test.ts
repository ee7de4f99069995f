import { ChatClient, isChange, MemoryOutbox, type MessageBody, type Outbox, type ReadyImage, shownMessages } from 'chat-core'
import { type FakeLink, FakeServer, JUNHO, MINJI } from 'chat-core/testing'
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
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
  changes: fc.constantFrom('react', 'edit', 'delete', 'nothing', 'nothing'),
  target: fc.nat(7),
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

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** What a message was sent with first. Edits go on with it. */
const captionOf = (text: string): string => /^mine \d+/.exec(text)?.[0] ?? text

/** A server, two tabs that share an outbox which fails at times, and what was written and changed in them. */
class World {
  readonly server = new FakeServer()
  readonly written: string[] = []
  readonly discarded = new Set<string>()
  /** Those that somebody meant to delete, to edit, or whose edit went with its page. */
  readonly deleted = new Set<string>()
  readonly edited = new Set<string>()
  readonly lost = new Set<string>()
  private readonly kept = flaky()
  private readonly tabs = browser()
  private readonly pages: Page[]

  constructor() {
    this.server.pageSize = 3
    this.pages = [this.open(), this.open()]
  }

  private open(): Page {
    let link: FakeLink | undefined
    const client = new ChatClient({
      me: MINJI,
      wsUrl: 'ws://chat.example/prod',
      restUrl: 'http://chat.example',
      tokens: { get: async () => 'token', renew: async () => 'newer' },
      outbox: this.kept.outbox,
      tabs: this.tabs,
      fetch: this.server.fetcher(MINJI),
      put: this.server.put,
      transport: (listener) => {
        link = this.server.connect(MINJI, listener)
        return link
      },
    })
    return { client, link: link as FakeLink }
  }

  async take(one: Step, index: number): Promise<void> {
    const page = this.pages[one.tab] as Page
    this.goWrong(page, one)
    for (let count = 0; count < one.noise; count += 1) this.server.store(JUNHO, `theirs ${index}.${count}`)
    if (one.look) page.client.open(JUNHO)
    const caption = `mine ${index}`
    if (one.writes !== 'nothing') this.written.push(caption)
    if (one.writes === 'text') void page.client.send(JUNHO, caption)
    if (one.writes === 'image') void page.client.sendImage(JUNHO, IMAGE, { caption, alt: '' })
    this.change(page, one, index)
    await vi.advanceTimersByTimeAsync(one.pause)
    await this.end(page, one)
  }

  /** Changes one of the user's own messages that the page knows to be stored. */
  private change({ client }: Page, { changes, target }: Step, index: number): void {
    if (changes === 'nothing') return
    const { messages = [] } = client.state.rooms[JUNHO] ?? {}
    const mine = messages.filter(({ senderEmail, kind }) => senderEmail === MINJI && kind !== 'change')
    const one = mine[target % Math.max(mine.length, 1)]
    if (one === undefined) return
    const caption = this.captionOfId(one.clientMessageId)
    const at = { timestamp: one.timestamp }
    if (changes === 'react') void client.react(JUNHO, at, ['👍'])
    if (changes === 'edit') {
      this.edited.add(caption)
      void client.edit(JUNHO, at, `${caption} as of ${index}`)
    }
    if (changes === 'delete') {
      this.deleted.add(caption)
      client.delete(JUNHO, at)
    }
  }

  /** A deleted message has no words, so what was sent tells. */
  private captionOfId(id: string): string {
    const sent = this.server.received.find((frame) => frame.action === 'sendMessage' && frame.clientMessageId === id)
    return captionOf(sent !== undefined && 'message' in sent ? (sent.message ?? '') : '')
  }

  private goWrong({ link }: Page, one: Step): void {
    this.kept.faults.push(...one.faults.filter((fault) => fault !== null))
    link.loseAcks = one.loseAcks
    link.losePushes = one.losePushes
    this.server.status = one.rest ? 200 : 503
    if (one.refuse !== null) link.refuse.push({ code: one.refuse, retryable: one.refuse === 'unavailable' })
    if (one.put !== null) this.server.putFaults.push(one.put)
  }

  private async end({ client, link }: Page, { tab, last }: Step): Promise<void> {
    if (last === 'cut') link.cut()
    if (last === 'open' && !link.isOpen) link.open()
    if (last === 'focus') client.refresh()
    if (last === 'retry') retryFailed(client)
    if (last === 'discard') {
      const entry = client.state.pending.find(({ status }) => status === 'failed')
      if (entry === undefined) return
      this.discarded.add(captionOf(entry.text))
      void client.discard(entry.id)
    }
    if (last === 'close') {
      const notKept = [...client.state.pending, ...client.state.changes].filter(({ reason }) => reason === 'notKept')
      for (const entry of notKept) {
        if (!isChange(entry)) this.discarded.add(captionOf(entry.text))
        else if (entry.kind === 'edit') this.lost.add(captionOf(entry.text))
      }
      // What is on its way into the outbox gets there, or not.
      client.close()
      await vi.advanceTimersByTimeAsync(1)
      this.pages[tab] = this.open()
    }
  }

  /** Nothing goes wrong any more, for as long as everything takes. */
  async settle(): Promise<void> {
    this.kept.faults.length = 0
    this.server.status = 200
    for (const { link } of this.pages) {
      link.refuse.length = 0
      link.loseAcks = 0
      link.losePushes = 0
      link.cut()
      link.open()
    }
    for (const { client } of this.pages) client.open(JUNHO)
    for (let rounds = 0; rounds < 4; rounds += 1) {
      await vi.advanceTimersByTimeAsync(60_000)
      for (const { client } of this.pages) {
        retryFailed(client)
        client.refresh()
      }
    }
    await vi.advanceTimersByTimeAsync(60_000)
  }

  expectEverythingOnce(): void {
    const { messages } = this.server
    expect(new Set(messages.map(({ clientMessageId }) => clientMessageId)).size).toBe(messages.length)
    const mine = messages.filter(({ senderEmail, kind }) => senderEmail === MINJI && kind !== 'change')
    const stored = mine.map(({ clientMessageId }) => this.captionOfId(clientMessageId))
    expect(new Set(stored).size).toBe(stored.length)
    const isGone = (caption: string) => this.discarded.has(caption) || this.deleted.has(caption)
    expect(this.written.filter((caption) => !stored.includes(caption) && !isGone(caption))).toEqual([])
    for (const { message, kind } of mine) {
      if (kind === 'deleted' || !this.edited.has(message) || this.lost.has(message)) continue
      expect(`${message} as it was, which was edited`).toBe('')
    }
    for (const { client } of this.pages) {
      expect([...client.state.pending, ...client.state.changes]).toEqual([])
      this.expectAllShown(client)
      client.close()
    }
  }

  private expectAllShown({ state }: ChatClient): void {
    const { messages } = this.server
    const room = state.rooms[JUNHO]
    const held = room?.messages ?? []
    expect(held.map(({ seq }) => seq)).toEqual(messages.slice(messages.length - held.length).map(({ seq }) => seq))
    expect(held.length).toBeGreaterThanOrEqual(Math.min(3, messages.length))
    const facts = ({ seq, kind, message, reactions = {} }: MessageBody) => ({ seq, kind, message, reactions })
    const shown = room === undefined ? [] : shownMessages(room, state.changes, MINJI).map(facts)
    const there = messages.filter(({ kind, seq }) => kind !== 'change' && seq >= (held[0]?.seq ?? 0))
    expect(shown).toEqual(there.map(facts))
  }
}

interface Page {
  readonly client: ChatClient
  readonly link: FakeLink
}

/** What can never be done is dismissed: what it is to change was deleted. */
function retryFailed(client: ChatClient): void {
  for (const { id, status, reason } of [...client.state.pending, ...client.state.changes]) {
    if (status === 'failed') void (reason === 'notFound' ? client.discard(id) : client.retry(id))
  }
}

// What uploads is fetched with the first image, and that takes time of its own.
beforeAll(() => import('../src/upload'))
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

test('two tabs and an outbox that fails at times store everything once, and change it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const world = new World()
      for (const [index, one] of steps.entries()) await world.take(one, index)
      await world.settle()
      world.expectEverythingOnce()
    }),
    { numRuns: 100 },
  )
})
