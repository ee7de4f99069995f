import {
  ChatClient,
  type ChatEvent,
  type ChatState,
  conversations,
  EPOCH,
  emptyState,
  hasHole,
  isCleared,
  listedConversations,
  MemoryOutbox,
  NoTabs,
  newestKnown,
  type Outbox,
  type Room,
  reduce,
  syncFrom,
  totalUnread,
  unreadOf,
} from 'chat-core'
import { at, type FakeLink, FakeServer, JUNHO, MINJI, message, ROOM } from 'chat-core/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

let server: FakeServer
/** What was asked of it. */
const asked: string[] = []
const clients: ChatClient[] = []

beforeEach(() => {
  server = new FakeServer()
})
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

function page({ online = true, outbox = new MemoryOutbox() }: { online?: boolean; outbox?: Outbox } = {}) {
  let link: FakeLink | undefined
  const client = new ChatClient({
    me: MINJI,
    wsUrl: 'ws://chat.example/prod',
    restUrl: 'http://chat.example',
    tokens: { get: async () => 'token', renew: async () => 'newer' },
    outbox,
    tabs: () => new NoTabs(),
    fetch: (input, init) => {
      asked.push(String(input))
      return server.fetcher(MINJI)(input, init)
    },
    transport: (listener) => {
      link = server.connect(MINJI, listener)
      return link
    },
  })
  clients.push(client)
  const made = { client, link: link as FakeLink }
  if (online) made.link.open()
  return made
}

const until = (condition: () => void): Promise<void> => vi.waitFor(condition, { timeout: 30_000, interval: 5 })
const room = ({ state }: { state: ChatState }): Room => state.rooms[JUNHO] as Room
const texts = (chat: { state: ChatState }): string[] => room(chat)?.messages.map(({ message: text }) => text) ?? []
const listed = (chat: { state: ChatState }): string[] => listedConversations(chat.state).map(({ peer }) => peer)

async function opened(...args: Parameters<typeof page>) {
  const made = page(...args)
  made.client.open(JUNHO)
  await until(() => expect(room(made.client)?.status).toBe('ready'))
  return made
}

describe('a conversation that is cleared', () => {
  test('is empty at once in every tab and on every device, and on no list until something new is said', async () => {
    for (const text of ['one', 'two', 'three']) server.store(JUNHO, text)
    const [first, second] = [await opened(), await opened()]
    first.client.markRead(JUNHO)
    await until(() => expect(listed(second.client)).toEqual([JUNHO]))
    expect(await first.client.clear(JUNHO)).toBe('done')
    for (const { client } of [first, second]) {
      await until(() => expect(texts(client)).toEqual([]))
      expect(listed(client)).toEqual([])
      expect(room(client)).toMatchObject({ older: 'none', clearedTo: at(3) })
      expect(hasHole(room(client))).toBe(false)
    }
    server.store(JUNHO, 'four')
    for (const { client } of [first, second]) {
      await until(() => expect(texts(client)).toEqual(['four']))
      expect(listed(client)).toEqual([JUNHO])
      expect(unreadOf(room(client))).toBe(1)
      expect(hasHole(room(client))).toBe(false)
    }
  })

  test('on another device while this one was away is without that here too', async () => {
    for (const text of ['one', 'two', 'three']) server.store(JUNHO, text)
    const { client, link } = await opened()
    link.cut()
    server.clear(MINJI, at(2))
    server.store(JUNHO, 'four')
    link.open()
    await until(() => expect(texts(client)).toEqual(['three', 'four']))
    expect(room(client).older).toBe('none')
    link.cut()
    server.clear(MINJI, at(4))
    asked.length = 0
    link.open()
    await until(() => expect(texts(client)).toEqual([]))
    expect(listed(client)).toEqual([])
    // Nothing was lost that would have to be loaded again.
    expect(asked.filter((url) => url.includes('/history') && !url.includes('after='))).toEqual([])
  })

  test('is not filled again by what was asked for before', async () => {
    for (const text of ['one', 'two', 'three']) server.store(JUNHO, text)
    const { client, link } = await opened()
    const before = server.history(MINJI, new URLSearchParams({ with: JUNHO }))
    await client.clear(JUNHO)
    await until(() => expect(texts(client)).toEqual([]))
    // As they come from a page that was late, and from a push that was.
    const late: ChatEvent[] = [
      { type: 'page', peer: JUNHO, page: before, range: 'newest', askedAt: 0 },
      { type: 'page', peer: JUNHO, page: before, range: 'older', askedAt: 0 },
      { type: 'detachedPage', peer: JUNHO, page: before, range: 'around' },
      ...[2, 3].map((seq): ChatEvent => ({ type: 'message', message: message(seq, { senderEmail: JUNHO, receiverEmail: MINJI }) })),
    ]
    const state = late.reduce(reduce, client.state)
    expect(state.rooms[JUNHO]?.messages).toEqual([])
    expect(state.rooms[JUNHO]?.detached).toBeNull()
    link.push({ type: 'message', ...message(3, { senderEmail: JUNHO, receiverEmail: MINJI }) })
    client.refresh()
    await until(() => expect(listed(client)).toEqual([]))
  })

  test('keeps what is unread, for when something new comes', async () => {
    server.store(MINJI, 'zero')
    const { client } = await opened()
    // The list has told of none of them.
    for (const text of ['one', 'two', 'three']) server.store(JUNHO, text)
    await until(() => expect(unreadOf(room(client))).toBe(3))
    await client.clear(JUNHO)
    await until(() => expect(texts(client)).toEqual([]))
    expect(totalUnread(client.state)).toBe(0)
    server.store(JUNHO, 'four')
    await until(() => expect(texts(client)).toEqual(['four']))
    expect(totalUnread(client.state)).toBe(4)
  })

  test('keeps what is still to be sent, which is sent once', async () => {
    server.store(JUNHO, 'one')
    const { client, link } = await opened()
    link.cut()
    await client.send(JUNHO, 'waiting')
    link.open()
    link.refuse.push({ code: 'rateLimited', retryable: true })
    expect(await client.clear(JUNHO)).toBe('done')
    await until(() => expect(server.messages.map((one) => one.message)).toEqual(['one', 'waiting']))
    await until(() => expect(client.state.pending).toEqual([]))
    expect(texts(client)).toEqual(['waiting'])
  })

  test('is not known to be so before the server says it, and is asked for again over the next connection', async () => {
    server.store(JUNHO, 'one')
    const { client, link } = await opened()
    link.cut()
    const cleared = client.clear(JUNHO)
    expect(texts(client)).toEqual(['one'])
    link.open()
    expect(await cleared).toBe('done')
    expect(server.cleared[MINJI]).toBe(at(1))
    server.refuseDecisions.push({ code: 'internal', retryable: false })
    server.store(JUNHO, 'two')
    await until(() => expect(texts(client)).toEqual(['two']))
    expect(await client.clear(JUNHO)).toBe('internal')
    expect(texts(client)).toEqual(['two'])
  })

  test('on another device up to an earlier moment is not what was asked for here', async () => {
    for (const text of ['one', 'two']) server.store(JUNHO, text)
    const { client, link } = await opened()
    link.cut()
    let isDone = false
    void client.clear(JUNHO).then(() => {
      isDone = true
    })
    server.refuseDecisions.push({ code: 'unavailable', retryable: true })
    link.open()
    link.push({ type: 'cleared', roomId: ROOM, peerEmail: JUNHO, upTo: at(1) })
    await until(() => expect(texts(client)).toEqual(['two']))
    expect(isDone).toBe(false)
    await until(() => expect(isDone).toBe(true))
    expect(texts(client)).toEqual([])
  })

  test('is begun anew by who opens it later: a message to it goes after what was cleared', async () => {
    server.store(JUNHO, 'one')
    server.clear(MINJI, at(1))
    const { client } = await opened()
    expect(newestKnown(room(client))).toBe(at(1))
    expect(syncFrom(room(client))).toBe(at(1))
    expect(conversations(client.state)).toEqual([])
    void client.send(JUNHO, 'two')
    await until(() => expect(texts(client)).toEqual(['two']))
    const sent = server.received.find(({ action }) => action === 'sendMessage')
    expect(sent).toMatchObject({ after: at(1) })
    expect(hasHole(room(client))).toBe(false)
    await until(() => expect(listed(client)).toEqual([JUNHO]))
  })

  test('and is not even looked at takes a message that goes after what was cleared', async () => {
    server.store(JUNHO, 'one')
    server.clear(MINJI, at(1))
    const { client } = page()
    void client.send(JUNHO, 'two')
    await until(() => expect(server.messages).toHaveLength(2))
    expect(server.received.find(({ action }) => action === 'sendMessage')).toMatchObject({ after: at(1) })
  })

  test('does not hide that a message may have been sent: nobody can look for it there, so it is not sent again', async () => {
    server.store(JUNHO, 'one')
    const outbox = new MemoryOutbox()
    const { client, link } = await opened({ outbox })
    link.loseAcks = 1
    void client.send(JUNHO, 'mine')
    await until(() => expect(server.messages).toHaveLength(2))
    link.cut()
    server.clear(MINJI, at(2))
    link.refuse.push({ code: 'resyncNeeded', retryable: true })
    link.open()
    await until(() => expect(client.state.pending).toMatchObject([{ status: 'failed', reason: 'cleared' }]))
    expect(server.messages).toHaveLength(2)
  })

  test('takes what was written without a connection, since nobody had tried to send that before', async () => {
    server.store(JUNHO, 'one')
    const { client, link } = await opened({ outbox: new MemoryOutbox() })
    link.cut()
    await until(() => expect(client.state.connection).not.toBe('online'))
    await client.send(JUNHO, 'mine')
    server.store(JUNHO, 'two')
    server.clear(MINJI, at(2))
    link.refuse.push({ code: 'resyncNeeded', retryable: true })
    link.open()
    await until(() => expect(texts(client)).toEqual(['mine']))
    expect(client.state.pending).toEqual([])
    const sent = server.received.filter(({ action }) => action === 'sendMessage')
    expect(sent).toMatchObject([{ after: at(1) }, { after: at(2) }])
  })
})

describe('the state', () => {
  const play = (events: ChatEvent[]): Room => events.reduce(reduce, emptyState(MINJI)).rooms[JUNHO] as Room
  const body = (from: number, to: number, clearedTo?: string) => ({
    roomId: ROOM,
    messages: Array.from({ length: to - from + 1 }, (_, index) => message(from + index)),
    hasMore: from > 1,
    peerReadUpTo: null,
    myReadUpTo: null,
    blocked: false,
    ...(clearedTo === undefined ? {} : { clearedTo }),
  })
  const newest = (from: number, to: number, clearedTo?: string): ChatEvent => {
    const page = body(from, to, clearedTo)
    return { type: 'page', peer: JUNHO, range: 'newest', askedAt: 0, page: { ...page, messages: page.messages.reverse() } }
  }
  const synced = (from: number, to: number, clearedTo?: string): ChatEvent => ({
    type: 'page',
    peer: JUNHO,
    range: 'after',
    askedAt: 0,
    page: { ...body(from, to, clearedTo), hasMore: false },
  })
  const cleared = (seq: number): ChatEvent => ({ type: 'cleared', peer: JUNHO, upTo: at(seq) })
  const push = (seq: number): ChatEvent => ({ type: 'message', message: message(seq) })

  test('cleared in part, it goes on without a hole from where that ends', () => {
    const room = play([newest(11, 20), cleared(15)])
    expect(room.messages.map(({ seq }) => seq)).toEqual([16, 17, 18, 19, 20])
    expect(room).toMatchObject({ older: 'none', anchor: 20 })
    expect(hasHole(room)).toBe(false)
    expect(hasHole(play([newest(11, 20), cleared(15), push(22)]))).toBe(true)
  })

  test('a hole is one only where something is left that is missing', () => {
    const torn = [newest(11, 15), push(18), push(19)]
    expect(hasHole(play([...torn, cleared(12)]))).toBe(true)
    expect(hasHole(play([...torn, cleared(18)]))).toBe(false)
    // The sync after what was cleared begins with the first that is left.
    const room = play([...torn, cleared(17)])
    expect(hasHole(room)).toBe(true)
    expect(syncFrom(room)).toBe(at(17))
    expect(hasHole(play([...torn, cleared(17), synced(18, 19, at(17))]))).toBe(false)
  })

  test('what is cleared further than was known, as a page tells, is gone from what is loaded', () => {
    const room = play([newest(1, 20), synced(20, 21, at(19))])
    expect(room.messages.map(({ seq }) => seq)).toEqual([20, 21])
    expect(room.clearedTo).toBe(at(19))
    // An answer of before that says less.
    expect(play([newest(1, 20), cleared(19), newest(1, 20)]).messages.map(({ seq }) => seq)).toEqual([20])
  })

  test('a change of what was cleared brings nothing back', () => {
    const state = message(2, { message: 'edited', changedBy: 4, editedAt: at(4) })
    const frame = {
      roomId: ROOM,
      timestamp: at(4),
      seq: 4,
      senderEmail: JUNHO,
      clientMessageId: 'x',
      target: at(2),
      message: state,
    }
    const room = play([newest(1, 3), cleared(3), { type: 'changed', frame }])
    expect(isCleared(room)).toBe(true)
    expect(room.messages.filter(({ kind }) => kind !== 'change')).toEqual([])
    expect(hasHole(room)).toBe(false)
    // A reply would quote it.
    expect(room.learnt).not.toHaveProperty([at(2)])
  })

  test('a conversation that the list tells to be cleared is without what was loaded of it', () => {
    const conversation = {
      peerEmail: JUNHO,
      preview: 'message 21',
      lastTimestamp: at(21),
      lastSeq: 21,
      lastSenderEmail: MINJI,
      lastKind: 'text' as const,
      unread: 0,
      peerReadUpTo: null,
      blocked: false,
      clearedTo: at(20),
    }
    const list: ChatEvent = {
      type: 'conversations',
      page: { conversations: [conversation], nextCursor: null },
      first: true,
      askedAt: 0,
    }
    const room = play([newest(11, 20), list])
    expect(room.messages).toEqual([])
    expect(room.last?.preview).toBe('message 21')
    expect(syncFrom(room)).toBe(at(20))
    expect(syncFrom(play([list]))).toBeNull()
    expect(EPOCH < at(1)).toBe(true)
  })
})
