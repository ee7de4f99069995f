import {
  atReader,
  ChatClient,
  type ChatEvent,
  type ChatState,
  emptyState,
  hasHole,
  MemoryOutbox,
  type MessageBody,
  NoTabs,
  type Room,
  reduce,
  unreadOf,
} from 'chat-core'
import { at, type FakeLink, FakeServer, JUNHO, MINJI, message } from 'chat-core/testing'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

let server: FakeServer
const clients: ChatClient[] = []
/** Requests with this in them are answered when they are released. */
let held: string | null = null
let release = (): void => {}

beforeEach(() => {
  server = new FakeServer()
  held = null
})
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

function page(): { client: ChatClient; link: FakeLink } {
  let link: FakeLink | undefined
  const client = new ChatClient({
    me: MINJI,
    wsUrl: 'ws://chat.example/prod',
    restUrl: 'http://chat.example',
    tokens: { get: async () => 'token', renew: async () => 'newer' },
    outbox: new MemoryOutbox(),
    tabs: () => new NoTabs(),
    fetch: async (input, init) => {
      const answer = await server.fetcher(MINJI)(input, init)
      if (held === null || !String(input).includes(held)) return answer
      await new Promise<void>((resolve) => {
        release = resolve
      })
      return answer
    },
    transport: (listener) => {
      link = server.connect(MINJI, listener)
      return link
    },
  })
  clients.push(client)
  const made = { client, link: link as FakeLink }
  made.link.open()
  return made
}

const until = (condition: () => void): Promise<void> => vi.waitFor(condition, { timeout: 30_000, interval: 5 })
const room = ({ state }: { state: ChatState }): Room => state.rooms[JUNHO] as Room
const shown = (chat: { state: ChatState }): number[] => atReader(room(chat)).messages.map(({ seq }) => seq)
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index)
const write = (count: number) => {
  for (let index = 0; index < count; index += 1) server.store(index % 2 === 0 ? MINJI : JUNHO, `text ${index + 1}`)
}

async function opened(count: number) {
  write(count)
  const made = page()
  made.client.open(JUNHO)
  await until(() => expect(room(made.client)?.status).toBe('ready'))
  return made
}

describe('a reader who is led far back', () => {
  test('sees the neighbourhood of the message, and no hole', async () => {
    const { client } = await opened(500)
    expect(await client.seek(JUNHO, at(200))).toBe('there')
    expect(shown(client)).toEqual(range(176, 225))
    expect(room(client).messages.map(({ seq }) => seq)).toEqual(range(451, 500))
    expect(hasHole(room(client))).toBe(false)
    expect(room(client).detached).toMatchObject({ older: 'more', newer: 'more' })
  })

  test('goes on in both directions until the newest messages are reached, and is at them then', async () => {
    const { client } = await opened(300)
    await client.seek(JUNHO, at(100))
    await client.loadOlder(JUNHO)
    expect(shown(client)).toEqual(range(26, 125))
    await client.loadOlder(JUNHO)
    expect(room(client).detached?.older).toBe('none')
    for (let pages = 0; pages < 3; pages += 1) await client.loadNewer(JUNHO)
    expect(shown(client)).toEqual(range(1, 300))
    expect(room(client)).toMatchObject({ detached: null, older: 'none' })
    await client.loadNewer(JUNHO)
    expect(shown(client)).toEqual(range(1, 300))
  })

  test('is at the newest messages at once when those are next to it', async () => {
    const { client } = await opened(120)
    expect(await client.seek(JUNHO, at(45))).toBe('there')
    expect(room(client).detached).toBeNull()
    expect(shown(client)).toEqual(range(21, 120))
    expect(room(client).older).toBe('more')
  })

  test('is led nowhere for what is on the screen, or among the newest', async () => {
    const { client } = await opened(500)
    await client.seek(JUNHO, at(200))
    expect(await client.seek(JUNHO, at(210))).toBe('there')
    expect(shown(client)).toEqual(range(176, 225))
    expect(await client.seek(JUNHO, at(490))).toBe('there')
    expect(room(client).detached).toBeNull()
  })

  test('stays where they are when a message comes, which is kept and counted', async () => {
    const { client } = await opened(500)
    client.markRead(JUNHO)
    await client.seek(JUNHO, at(200))
    server.store(JUNHO, 'new')
    await until(() => expect(room(client).messages.at(-1)?.seq).toBe(501))
    expect(shown(client)).toEqual(range(176, 225))
    expect(unreadOf(room(client))).toBe(1)
    client.showNewest(JUNHO)
    expect(shown(client)).toEqual(range(451, 501))
  })

  test('sees what becomes of the messages there', async () => {
    const { client } = await opened(500)
    await client.seek(JUNHO, at(200))
    server.change(JUNHO, { action: 'edit', peerEmail: MINJI, target: at(200), message: 'edited', clientMessageId: 'x' })
    await until(() => expect(atReader(room(client)).messages[24]?.message).toBe('edited'))
    await client.seek(JUNHO, at(50))
    await client.seek(JUNHO, at(200))
    expect(atReader(room(client)).messages[24]?.message).toBe('edited')
  })

  test('is told what is not there, and what could not be asked for', async () => {
    const { client } = await opened(500)
    expect(await client.seek(JUNHO, '2020-01-01T00:00:00.000Z')).toBe('gone')
    expect(room(client).detached).toBeNull()
    server.status = 503
    expect(await client.seek(JUNHO, at(10))).toBe('failed')
    server.status = 200
    await client.seek(JUNHO, at(200))
    server.status = 503
    await client.loadNewer(JUNHO)
    expect(room(client).detached?.newer).toBe('failed')
    server.status = 200
    await client.loadNewer(JUNHO)
    expect(shown(client)).toEqual(range(176, 275))
  })

  test('twice at once is where they asked to be last', async () => {
    const { client } = await opened(900)
    held = `around=${encodeURIComponent(at(100))}`
    const first = client.seek(JUNHO, at(100))
    await client.seek(JUNHO, at(400))
    release()
    await first
    expect(shown(client)).toEqual(range(376, 425))
  })

  test('meanwhile is not shown there what follows on where they were', async () => {
    const { client } = await opened(900)
    await client.seek(JUNHO, at(100))
    held = 'after='
    const loading = client.loadNewer(JUNHO)
    await client.seek(JUNHO, at(400))
    release()
    await loading
    expect(shown(client)).toEqual(range(376, 425))
  })

  test('is not taken back by a page that was on its way', async () => {
    const { client } = await opened(900)
    await client.seek(JUNHO, at(100))
    const loading = client.loadNewer(JUNHO)
    client.showNewest(JUNHO)
    await loading
    expect(room(client).detached).toBeNull()
    expect(shown(client)).toEqual(range(851, 900))
  })

  test('is at the newest messages when they come back to the conversation', async () => {
    const { client } = await opened(500)
    await client.seek(JUNHO, at(200))
    client.leave()
    client.open(JUNHO)
    expect(shown(client)).toEqual(range(451, 500))
  })
})

describe('what the reader is at', () => {
  const COUNT = 60
  const all = Array.from({ length: COUNT }, (_, index) => message(index + 1))
  const answer = (messages: MessageBody[], older: boolean, hasMore = older) => ({
    roomId: message(1).roomId,
    messages,
    hasMore,
    ...(older ? { nextBefore: 'x' } : {}),
    peerReadUpTo: null,
    myReadUpTo: null,
    blocked: false,
  })
  const part = (from: number, to: number) => all.slice(Math.max(0, from - 1), to)

  function next(state: ChatState, kind: string, seq: number): ChatEvent | null {
    const before = state.rooms[JUNHO]
    const detached = before?.detached
    const event = { type: 'detachedPage', peer: JUNHO } as const
    if (kind === 'around') return { ...event, range: 'around', page: answer(part(seq - 4, seq + 4).reverse(), seq > 5) }
    if (kind === 'older' && detached != null) {
      const to = (detached.messages[0]?.seq ?? 1) - 1
      return { ...event, range: 'older', page: answer(part(to - 4, to).reverse(), to > 5) }
    }
    if (kind === 'newer' && detached != null) {
      const from = (detached.messages.at(-1)?.seq ?? 0) + 1
      return { ...event, range: 'newer', page: answer(part(from, from + 4), false, from + 4 < COUNT) }
    }
    if (kind === 'push') return { type: 'message', message: message(seq) }
    if (kind === 'newest')
      return { type: 'page', peer: JUNHO, range: 'newest', askedAt: 0, page: answer(part(seq - 6, seq).reverse(), seq > 7) }
    if (kind === 'attached') return { type: 'attached', peer: JUNHO }
    if (kind === 'clear') return { type: 'cleared', peer: JUNHO, upTo: at(seq) }
    return null
  }

  test('never has a hole, whatever comes in whichever order', () => {
    const kinds = ['around', 'around', 'older', 'newer', 'newer', 'push', 'newest', 'attached', 'clear']
    const events = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.integer({ min: 1, max: COUNT })), { maxLength: 30 })
    fc.assert(
      fc.property(events, (steps) => {
        let state = emptyState(MINJI)
        for (const [kind, seq] of [['newest', 30], ...steps] as [string, number][]) {
          const event = next(state, kind, kind === 'clear' ? Math.ceil(seq / 4) : seq)
          if (event !== null) state = reduce(state, event)
          const now = state.rooms[JUNHO]
          const seqs = now?.detached?.messages.map((one) => one.seq) ?? []
          expect(seqs).toEqual(seqs.length === 0 ? [] : range(seqs[0] as number, seqs.at(-1) as number))
          for (const one of now === undefined ? [] : [...now.messages, ...(now.detached?.messages ?? [])])
            expect(one.timestamp > (now?.clearedTo ?? '')).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
  })
})
