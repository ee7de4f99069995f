import 'fake-indexeddb/auto'
import type { HistoryBody, MessageBody } from 'chat-core'
import {
  type Change,
  ChatClient,
  type ChatEvent,
  type ChatState,
  EPOCH,
  emptyState,
  hasHole,
  IndexedDbOutbox,
  knownSeq,
  type LastMessage,
  listedConversations,
  MemoryOutbox,
  NoTabs,
  type Outbox,
  type PendingChange,
  type Room,
  reduce,
  shownLast,
  shownMessages,
  shownPending,
  type Tabs,
  unreadOf,
} from 'chat-core'
import { at, type FakeLink, FakeServer, JUNHO, MINJI, message, ROOM } from 'chat-core/testing'
import fc from 'fast-check'
import { openDB } from 'idb'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { browser } from './support/browser'

const shown = (state: ChatState): readonly MessageBody[] => shownMessages(state.rooms[JUNHO] as Room, state.changes, state.me)
const texts = (state: ChatState): string[] => shown(state).map((one) => (one.kind === 'deleted' ? '-' : one.message))

describe('the state', () => {
  const play = (events: ChatEvent[], state: ChatState = emptyState(MINJI)): ChatState => events.reduce(reduce, state)
  const room = (state: ChatState): Room => state.rooms[JUNHO] as Room
  const page = (messages: MessageBody[], range: 'newest' | 'older' | 'after', changed: MessageBody[] = []): ChatEvent => ({
    type: 'page',
    peer: JUNHO,
    page: {
      roomId: ROOM,
      messages: range === 'after' ? messages : [...messages].reverse(),
      hasMore: range === 'newest' && messages[0]?.seq !== 1,
      peerReadUpTo: null,
      myReadUpTo: null,
      blocked: false,
      ...(changed.length === 0 ? {} : { changed }),
    } satisfies HistoryBody,
    range,
    askedAt: 0,
  })
  const edited = (seq: number, by: number, text = `edited by ${by}`): MessageBody =>
    message(seq, { message: text, changedBy: by, editedAt: at(by) })
  const changed = (by: number, state: MessageBody, sender = state.senderEmail): ChatEvent => ({
    type: 'changed',
    frame: {
      roomId: ROOM,
      timestamp: at(by),
      seq: by,
      senderEmail: sender,
      clientMessageId: message(by).clientMessageId,
      target: state.timestamp,
      message: state,
    },
  })
  const entry = (by: number, target: number): MessageBody =>
    message(by, { kind: 'change', message: '', target: at(target), senderEmail: message(target).senderEmail })

  test('a change fills its number, and is no row, not unread, and not the preview', () => {
    const state = play([
      page(
        [1, 2, 3].map((seq) => message(seq)),
        'newest',
      ),
      changed(4, edited(2, 4)),
      changed(5, edited(2, 5)),
    ])
    expect(knownSeq(room(state))).toBe(5)
    expect(hasHole(room(state))).toBe(false)
    expect(texts(state)).toEqual(['message 1', 'edited by 5', 'message 3'])
    expect(unreadOf(room(state))).toBe(1)
    expect(room(state).last).toMatchObject({ preview: 'message 3', kind: 'text', seq: 5, timestamp: at(5) })
    expect(hasHole(room(play([changed(7, edited(2, 7))], state)))).toBe(true)
  })

  test('the preview follows the newest message when that is changed', () => {
    const state = play([
      page(
        [1, 2].map((seq) => message(seq)),
        'newest',
      ),
      changed(3, edited(2, 3, 'other')),
    ])
    expect(room(state).last).toMatchObject({ preview: 'other', senderEmail: JUNHO })
    const gone = play([changed(4, message(2, { kind: 'deleted', message: '', changedBy: 4 }))], state)
    expect(room(gone).last).toMatchObject({ preview: '', kind: 'deleted' })
  })

  test('a list that counts a change with another sender than the message contradicts nothing', () => {
    const list: ChatEvent = {
      type: 'conversations',
      page: {
        conversations: [
          {
            peerEmail: JUNHO,
            preview: 'message 3',
            lastTimestamp: at(4),
            lastSeq: 4,
            lastSenderEmail: MINJI,
            lastKind: 'text',
            unread: 1,
            peerReadUpTo: null,
            blocked: false,
          },
        ],
        nextCursor: null,
      },
      first: true,
      askedAt: 0,
    }
    const loaded = play([page([message(1), message(2), message(3), entry(4, 2)], 'newest', [])])
    expect(room(play([list], loaded)).messages).toHaveLength(4)
    expect(room(play([list, changed(4, edited(2, 4), JUNHO)])).last).toMatchObject({ preview: 'message 3', seq: 4 })
    // A change of what the list shows, in a conversation that was never loaded.
    const [listed] = listedConversations(play([list, changed(5, message(4, { message: 'x' }), MINJI)]))
    expect(listed?.last?.seq).toBe(5)
  })

  test.each<[string, ChatEvent[]]>([
    ['in order', [changed(3, edited(1, 3)), changed(4, edited(1, 4))]],
    ['overtaken', [changed(4, edited(1, 4)), changed(3, edited(1, 3))]],
    ['with a page of before', [changed(4, edited(1, 4)), page([message(1), message(2), entry(3, 1), entry(4, 1)], 'newest')]],
    ['with a sync that is late', [changed(4, edited(1, 4)), page([edited(1, 3), message(2), entry(3, 1)], 'after')]],
    ['doubled', [changed(4, edited(1, 4)), changed(4, edited(1, 4)), changed(3, edited(1, 3))]],
  ])('of two states the later one stays: %s', (_, events) => {
    expect(texts(play([page([message(1), message(2)], 'newest'), ...events]))).toEqual(['edited by 4', 'message 2'])
  })

  test.each([
    ['edited', edited(1, 9), ['edited by 9', 'message 2']],
    ['deleted', message(1, { kind: 'deleted', message: '', changedBy: 9 }), ['-', 'message 2']],
  ])('what was %s before it was loaded is never shown as it was', (_, state, first) => {
    const known = [
      page(
        [3, 4, 5, 6, 7, 8].map((seq) => message(seq)),
        'newest',
      ),
      changed(9, state),
    ]
    const loaded = play([...known, page([message(1), message(2)], 'older')])
    expect(texts(loaded).slice(0, 2)).toEqual(first)
    // Nor when it is loaded again, as after a hole.
    const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => message(from + index))
    const pages = [page(range(20, 21), 'newest'), page(range(10, 19), 'older'), page([...range(3, 8), entry(9, 1)], 'older')]
    const again = play([...pages, page(range(1, 2), 'older')], loaded)
    expect(texts(again)[0]).toBe(first[0])
  })

  test('what a sync says beside its messages is learnt', () => {
    const state = play([page([message(3), message(4)], 'newest'), page([message(4), entry(5, 1)], 'after', [edited(1, 5)])])
    expect(texts(play([page([message(1), message(2)], 'older')], state))[0]).toBe('edited by 5')
  })

  test('deleted is final, and what is read stays read', () => {
    const gone = message(2, { kind: 'deleted', message: '', changedBy: 4, read: false })
    const state = play([page([message(1), message(2, { read: true })], 'newest'), changed(4, gone), changed(9, edited(2, 9))])
    expect(texts(state)).toEqual(['message 1', '-'])
    expect(shown(state)[1]?.read).toBe(true)
  })

  test('what is quoted stays when a state does not say it', () => {
    const quoted = { senderEmail: JUNHO, kind: 'text', preview: 'said' }
    const state = play([page([message(1, { replyTo: at(0), quoted })], 'newest'), changed(2, { ...edited(1, 2), replyTo: at(0) })])
    expect(shown(state)[0]).toMatchObject({ message: 'edited by 2', quoted })
  })

  test('a change of one’s own that is acknowledged takes back nothing that came in between', () => {
    const liked = message(1, { changedBy: 3, reactions: { [JUNHO]: ['👍'] } })
    const mine = {
      id: 'mine',
      peer: JUNHO,
      kind: 'edit',
      text: 'mine',
      target: at(1),
      after: at(2),
      createdAt: 0,
      status: 'queued',
    } as const
    const sent = { clientMessageId: 'mine', roomId: ROOM, timestamp: at(4), seq: 4, duplicate: false }
    const before = play([page([message(1), message(2)], 'newest'), { type: 'written', entry: mine }])
    expect(texts(before)).toEqual(['mine', 'message 2'])
    const acknowledged = play([{ type: 'sent', acknowledged: { sent, entry: mine } }, changed(3, liked, JUNHO)], before)
    expect(acknowledged.changes).toEqual([])
    expect(shown(acknowledged)[0]).toMatchObject({ message: 'mine', editedAt: at(4), reactions: { [JUNHO]: ['👍'] } })
    // Whatever the server shows from there on counts.
    const later = play([changed(5, { ...liked, changedBy: 5, message: 'on the phone' })], acknowledged)
    expect(texts(later)[0]).toBe('on the phone')
    expect(room(later).applied).toEqual([])
  })

  const act = fc.record({
    sender: fc.constantFrom(MINJI, JUNHO),
    does: fc.constantFrom('write', 'edit', 'react', 'delete'),
    what: fc.nat(20),
  })
  const hears = fc.record({ kind: fc.constantFrom('push', 'newest', 'older', 'sync'), what: fc.nat(60), stale: fc.nat(60) })

  test('whatever comes, in whatever order: no state goes back, and all ends as the server has it', () => {
    fc.assert(
      fc.property(fc.array(act, { minLength: 1, maxLength: 25 }), fc.array(hears, { maxLength: 40 }), (acts, heard) => {
        const { pushes, moments, end } = history(acts)
        let state = emptyState(MINJI)
        const seen = new Map<string, number>()
        const look = () => {
          for (const one of state.rooms[JUNHO] === undefined ? [] : shown(state)) {
            const by = one.changedBy ?? 0
            expect(by).toBeGreaterThanOrEqual(seen.get(one.timestamp) ?? 0)
            seen.set(one.timestamp, by)
          }
        }
        for (const { kind, what, stale } of heard) {
          const moment = moments[stale % moments.length] as readonly MessageBody[]
          const oldest = state.rooms[JUNHO]?.messages[0]?.seq ?? moment.length + 1
          const part = kind === 'older' ? moment.filter(({ seq }) => seq < oldest).slice(-5) : moment.slice(-6)
          if (kind === 'push') state = reduce(state, pushes[what % pushes.length] as ChatEvent)
          else if (kind === 'sync') state = reduce(state, page(end.slice(what % end.length), 'after', [...end]))
          else if (state.rooms[JUNHO]?.anchor != null || kind === 'newest')
            state = reduce(state, page([...part], kind, targetsOf(part, moment)))
          look()
        }
        state = play([page(end.slice(-6), 'newest', targetsOf(end.slice(-6), end)), page([...end], 'after')], state)
        const first = state.rooms[JUNHO]?.messages[0]?.seq ?? 1
        const wanted = end.filter(({ kind, seq }) => kind !== 'change' && seq >= first)
        expect(shown(state).map(({ read: _, ...rest }) => rest)).toEqual(wanted.map(({ read: _, ...rest }) => rest))
        expect(hasHole(room(state))).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  /** What a server says of all this as it happens, what it has at each moment, and in the end. */
  function history(acts: { sender: string; does: string; what: number }[]) {
    const server = new FakeServer()
    const pushes: ChatEvent[] = []
    const moments: (readonly MessageBody[])[] = []
    server.store(JUNHO, 'first')
    const link = server.connect(MINJI, {
      opened: () => {},
      closed: () => {},
      gatewayFailed: () => {},
      frame: () => {},
    })
    server.links.add(link)
    link.push = (frame) => {
      if (frame.type === 'message') {
        const { type: _, ...message } = frame
        pushes.push({ type: 'message', message })
      }
      if (frame.type === 'changed') pushes.push({ type: 'changed', frame })
    }
    server.store(JUNHO, 'second')
    for (const [index, { sender, does, what }] of acts.entries()) {
      const target = server.messages[what % server.messages.length]?.timestamp ?? ''
      const frame = { peerEmail: sender === MINJI ? JUNHO : MINJI, target }
      if (does === 'write') server.store(sender, `text ${index}`)
      else if (does === 'edit') server.change(sender, { action: 'edit', ...frame, message: `edit ${index}` })
      else if (does === 'react') server.change(sender, { action: 'react', ...frame, emoji: index % 2 === 0 ? ['👍'] : [] })
      else server.change(sender, { action: 'delete', ...frame })
      moments.push([...server.messages])
    }
    return { pushes, moments, end: server.messages }
  }

  const targetsOf = (part: readonly MessageBody[], all: readonly MessageBody[]): MessageBody[] => {
    const targets = new Set(part.map(({ target }) => target))
    return all.filter(({ timestamp }) => targets.has(timestamp))
  }
})

describe('a client', () => {
  const clients: ChatClient[] = []
  let server: FakeServer
  beforeEach(() => {
    server = new FakeServer()
  })
  afterEach(() => {
    for (const client of clients.splice(0)) client.close()
    vi.useRealTimers()
  })
  const until = (condition: () => void | Promise<void>): Promise<void> => vi.waitFor(condition, { timeout: 30_000, interval: 5 })

  function open({
    me = MINJI,
    outbox = new MemoryOutbox() as Outbox,
    online = true,
    tabs = (() => new NoTabs()) as (listener: never) => Tabs,
  } = {}) {
    let link: FakeLink | undefined
    const client = new ChatClient({
      me,
      wsUrl: 'ws://chat.example/prod',
      restUrl: 'http://chat.example',
      tokens: { get: async () => 'token', renew: async () => 'newer token' },
      outbox,
      tabs: tabs as never,
      fetch: server.fetcher(me),
      put: server.put,
      transport: (listener) => {
        link = server.connect(me, listener)
        return link
      },
    })
    clients.push(client)
    client.open(me === MINJI ? JUNHO : MINJI)
    if (online) (link as FakeLink).open()
    return { client, link: link as FakeLink }
  }
  const ready = (client: ChatClient, peer = JUNHO) => until(() => expect(client.state.rooms[peer]?.status).toBe('ready'))
  const own = (text = 'mine') => server.store(MINJI, text).stored
  const frames = (action: string) => server.received.filter((frame) => frame.action === action)

  test('shows a change at once, sends it once, and the other one sees it', async () => {
    const { timestamp } = own()
    const { client } = open()
    const junho = open({ me: JUNHO })
    await Promise.all([ready(client), ready(junho.client, MINJI)])
    void client.edit(JUNHO, { timestamp }, ' other words ')
    expect(texts(client.state)).toEqual(['other words'])
    void client.react(JUNHO, { timestamp }, ['👍', '❤️'])
    expect(shown(client.state)[0]?.reactions).toEqual({ [MINJI]: ['👍', '❤️'] })
    const theirs = () => junho.client.state.rooms[MINJI]?.messages[0]
    await until(() => expect(theirs()).toMatchObject({ message: 'other words', reactions: { [MINJI]: ['👍', '❤️'] } }))
    await until(() => expect(client.state.changes).toEqual([]))
    expect(shown(client.state)[0]).toMatchObject({ message: 'other words', editedAt: at(2), reactions: { [MINJI]: ['👍', '❤️'] } })
    void junho.client.react(MINJI, { timestamp }, ['🎉'])
    await until(() => expect(shown(client.state)[0]?.reactions).toEqual({ [MINJI]: ['👍', '❤️'], [JUNHO]: ['🎉'] }))
    expect(server.messages).toHaveLength(4)
    expect(frames('edit')[0]).toMatchObject({ target: timestamp, message: 'other words', after: at(1) })
  })

  test('sends a change again by the same id when its answer is lost, and it is stored once', async () => {
    const { timestamp } = own()
    const { client, link } = open()
    await ready(client)
    link.loseAcks = 1
    void client.edit(JUNHO, { timestamp }, 'other')
    await until(() => expect(frames('edit')).toHaveLength(1))
    link.renew()
    await until(() => expect(client.state.changes).toEqual([]))
    expect(new Set(frames('edit').map((frame) => JSON.stringify(frame))).size).toBe(1)
    expect(server.messages).toHaveLength(2)
    expect(texts(client.state)).toEqual(['other'])
  })

  test('keeps what was changed offline over a reload, for whichever tab comes, and sends it once', async () => {
    const { timestamp } = own()
    const outbox = new IndexedDbOutbox(`changes-${crypto.randomUUID()}`)
    const tabs = browser()
    const first = open({ outbox, tabs })
    await ready(first.client)
    first.link.cut()
    await first.client.edit(JUNHO, { timestamp }, 'draft')
    await first.client.edit(JUNHO, { timestamp }, 'offline')
    first.client.close()
    const pages = [open({ outbox, tabs, online: false }), open({ outbox, tabs, online: false })]
    for (const { link } of pages) link.open()
    await Promise.all(pages.map(({ client }) => ready(client)))
    for (const { client } of pages) await until(() => expect(client.state.changes).toEqual([]))
    expect(server.messages.map(({ message }) => message)).toEqual(['offline', ''])
    for (const { client } of pages) await until(() => expect(texts(client.state)).toEqual(['offline']))
    expect(await outbox.all(MINJI)).toEqual([])
  })

  test('gives other words to what nobody can have sent, and takes it back', async () => {
    const { client, link } = open({ online: false })
    await client.send(JUNHO, 'first words')
    await client.send(JUNHO, 'not meant')
    const [one, two] = client.state.pending
    await client.edit(JUNHO, { id: one?.id ?? '' }, 'second words')
    client.delete(JUNHO, { id: two?.id ?? '' })
    await until(() => expect(client.state.pending).toMatchObject([{ text: 'second words' }]))
    expect(client.state.changes).toEqual([])
    link.open()
    await until(() => expect(server.messages.map(({ message }) => message)).toEqual(['second words']))
    expect(frames('edit')).toEqual([])
  })

  test('changes what may have been sent once it has its place, and never names anything else', async () => {
    const { client, link } = open()
    await ready(client)
    link.loseAcks = 1
    await client.send(JUNHO, 'first words')
    const id = client.state.pending[0]?.id ?? ''
    await client.edit(JUNHO, { id }, 'second words')
    void client.react(JUNHO, { id }, ['👍'])
    expect(shownPending(client.state.pending, client.state.changes)).toMatchObject([{ text: 'second words' }])
    expect(frames('edit')).toEqual([])
    link.renew()
    await until(() => expect(client.state.changes).toEqual([]))
    expect(server.messages[0]).toMatchObject({ message: 'second words', reactions: { [MINJI]: ['👍'] } })
    expect(frames('edit')).toMatchObject([{ target: at(1), after: at(1) }])
    expect(frames('sendMessage').every((frame) => 'message' in frame && frame.message === 'first words')).toBe(true)
  })

  test('changes what was written offline by a change of its own, once somebody has begun to send it', async () => {
    const outbox = new MemoryOutbox()
    const { client, link } = open({ outbox, online: false })
    await client.send(JUNHO, 'first words')
    const id = client.state.pending[0]?.id ?? ''
    link.loseAcks = 1
    link.open()
    await until(() => expect(server.messages).toHaveLength(1))
    expect(await outbox.reword(id, 'lost')).toBeUndefined()
    expect(await outbox.discard(id)).toBe(false)
    await client.edit(JUNHO, { id }, 'second words')
    link.renew()
    await until(() => expect(server.messages[0]?.message).toBe('second words'))
  })

  test.each<[string, () => Outbox]>([
    ['memory', () => new MemoryOutbox()],
    ['IndexedDB', () => new IndexedDbOutbox(`waiting-${crypto.randomUUID()}`)],
  ])('goes on with a change when its message is stored, and forgets it with the message: %s', async (_, make) => {
    const outbox = make()
    const rest = { peer: JUNHO, after: EPOCH, createdAt: 1, status: 'queued' } as const
    const edit = (id: string, of: string) => ({ ...rest, id, kind: 'edit', text: 'x', target: null, of }) as const
    await outbox.add(MINJI, { ...rest, id: 'a', kind: 'text', text: 'a' })
    await outbox.add(MINJI, { ...rest, id: 'b', kind: 'text', text: 'b', unattempted: true })
    await outbox.add(MINJI, edit('of-a', 'a'))
    await outbox.add(MINJI, edit('of-b', 'b'))
    expect(await outbox.discard('b')).toBe(true)
    expect((await outbox.all(MINJI)).map(({ id }) => id)).toEqual(['a', 'of-a'])
    expect(await outbox.next(MINJI, JUNHO)).toMatchObject({ id: 'a' })
    await outbox.remove('a', at(1))
    expect(await outbox.all(MINJI)).toMatchObject([{ id: 'of-a', target: at(1), after: at(1) }])
    expect(await outbox.next(MINJI, JUNHO)).toMatchObject({ id: 'of-a' })
  })

  test('sends a change that was kept just after the message that it waits for', async () => {
    const outbox = new MemoryOutbox()
    const { stored } = server.store(MINJI, 'mine')
    const { client } = open({ outbox })
    await ready(client)
    const of = stored.clientMessageId
    await outbox.add(MINJI, {
      id: 'late',
      peer: JUNHO,
      kind: 'edit',
      text: 'other',
      target: null,
      of,
      after: EPOCH,
      createdAt: 1,
      status: 'queued',
    })
    client.refresh()
    await until(() => expect(server.messages[0]?.message).toBe('other'))
  })

  test.each(['notFound', 'notYours', 'notAccepted', 'badRequest'] as const)(
    'undoes what was refused, says why, and forgets it when asked: %s',
    async (code) => {
      const { timestamp } = own()
      const { client, link } = open()
      await ready(client)
      link.refuse.push({ code, retryable: false })
      void client.edit(JUNHO, { timestamp }, 'other')
      expect(texts(client.state)).toEqual(['other'])
      await until(() => expect(client.state.changes).toMatchObject([{ status: 'failed', reason: code, text: 'other' }]))
      expect(texts(client.state)).toEqual(['mine'])
      await client.discard(client.state.changes[0]?.id ?? '')
      expect(client.state.changes).toEqual([])
      expect(server.messages).toHaveLength(1)
    },
  )

  test('does again what was refused, when asked', async () => {
    const { timestamp } = own()
    const { client, link } = open()
    await ready(client)
    link.refuse.push({ code: 'notAccepted', retryable: false })
    void client.react(JUNHO, { timestamp }, ['👍'])
    await until(() => expect(client.state.changes).toMatchObject([{ status: 'failed' }]))
    void client.retry(client.state.changes[0]?.id ?? '')
    await until(() => expect(server.messages[0]?.reactions).toEqual({ [MINJI]: ['👍'] }))
  })

  test('goes with the message that it waits for, also when that could not be kept', async () => {
    const outbox = new MemoryOutbox()
    const add = vi.spyOn(outbox, 'add').mockRejectedValueOnce(new DOMException('full', 'QuotaExceededError'))
    const { client } = open({ outbox })
    await ready(client)
    await client.send(JUNHO, 'not kept')
    const [{ id } = { id: '' }] = client.state.pending
    expect(client.state.pending).toMatchObject([{ reason: 'notKept' }])
    await client.react(JUNHO, { id }, ['👍'])
    expect(add).toHaveBeenCalledTimes(2)
    await until(() => expect(client.state.changes).toHaveLength(1))
    await client.discard(id)
    await until(() => expect([...client.state.pending, ...client.state.changes]).toEqual([]))
  })

  test('asks for nothing more when what is to be deleted is not there', async () => {
    const { timestamp } = own()
    const { client, link } = open()
    await ready(client)
    link.refuse.push({ code: 'notFound', retryable: false })
    client.delete(JUNHO, { timestamp })
    await until(() => expect(client.state.changes).toEqual([]))
  })

  test('finds a change itself when the server is not willing to search', async () => {
    const { timestamp } = own()
    const { client, link } = open()
    await ready(client)
    link.loseAcks = 1
    link.refuse.push()
    void client.edit(JUNHO, { timestamp }, 'other')
    await until(() => expect(server.messages).toHaveLength(2))
    link.refuse.push({ code: 'resyncNeeded', retryable: true })
    link.renew()
    await until(() => expect(client.state.changes).toEqual([]))
    expect(texts(client.state)).toEqual(['other'])
    expect(server.messages).toHaveLength(2)
  })

  test('deletes for both after a while, in which it can be undone, also when the page is closed meanwhile', async () => {
    const { timestamp } = own()
    const other = server.store(MINJI, 'another').stored.timestamp
    const outbox = new IndexedDbOutbox(`held-${crypto.randomUUID()}`)
    const { client } = open({ outbox })
    await ready(client)
    const undone = client.delete(JUNHO, { timestamp }, 600)
    expect(texts(client.state)).toEqual(['-', 'another'])
    client.delete(JUNHO, { timestamp: other }, 400)
    await until(async () => expect(await outbox.all(MINJI)).toHaveLength(2))
    // What is written meanwhile does not wait for it.
    await client.send(JUNHO, 'meanwhile')
    await until(() => expect(server.messages).toHaveLength(3))
    expect(frames('delete')).toEqual([])
    await client.discard(undone)
    expect(texts(client.state)).toEqual(['mine', '-', 'meanwhile'])
    client.close()
    const next = open({ outbox })
    await until(() => expect(server.messages[1]).toMatchObject({ kind: 'deleted', message: '' }))
    await until(() => expect(texts(next.client.state)).toEqual(['mine', '-', 'meanwhile']))
    expect(frames('delete')).toHaveLength(1)
  })

  test('replies by timestamp, and the reply shows what it replies to', async () => {
    const { timestamp } = server.store(JUNHO, 'a question').stored
    const { client } = open()
    await ready(client)
    await client.send(JUNHO, 'an answer', timestamp)
    await until(() => expect(server.messages[1]).toMatchObject({ message: 'an answer', replyTo: timestamp }))
    await until(() => expect(shown(client.state)[1]).toMatchObject({ replyTo: timestamp }))
  })

  test('announces no change', async () => {
    const { timestamp } = own()
    const { client } = open()
    const heard: string[] = []
    client.onIncoming(({ message: text }) => heard.push(text))
    await ready(client)
    server.change(JUNHO, { action: 'react', peerEmail: MINJI, target: timestamp, emoji: ['👍'] })
    server.store(JUNHO, 'hello')
    await until(() => expect(heard).toEqual(['hello']))
    expect(unreadOf(client.state.rooms[JUNHO] as Room)).toBe(1)
  })

  test('asks for the list again when what it shows of a conversation may have been edited away', async () => {
    const { timestamp } = server.store(JUNHO, 'a secret').stored
    server.change(MINJI, { action: 'react', peerEmail: JUNHO, target: timestamp, emoji: ['👍'] })
    const { client, link } = open({ online: false })
    client.leave()
    const room = () => client.state.rooms[JUNHO]
    link.open()
    await until(() => expect(room()?.last?.preview).toBe('a secret'))
    server.change(JUNHO, { action: 'delete', peerEmail: MINJI, target: timestamp })
    await until(() => expect(room()?.last).toMatchObject({ preview: '', kind: 'deleted' }))
  })

  test('takes up what an earlier page has kept, whose database knew no changes', async () => {
    const name = `earlier-${crypto.randomUUID()}`
    const database = await openDB(name, 2, {
      upgrade(found) {
        const store = found.createObjectStore('outbox', { keyPath: 'order', autoIncrement: true })
        store.createIndex('user', 'user')
        store.createIndex('id', 'id', { unique: true })
        found.createObjectStore('images')
      },
    })
    await database.add('outbox', {
      id: crypto.randomUUID(),
      user: MINJI,
      peer: JUNHO,
      kind: 'text',
      text: 'old',
      after: EPOCH,
      createdAt: 1,
      status: 'queued',
    })
    database.close()
    const outbox = new IndexedDbOutbox(name)
    const { client } = open({ outbox })
    await until(() => expect(server.messages.map(({ message }) => message)).toEqual(['old']))
    await until(async () => expect(await outbox.all(MINJI)).toEqual([]))
    expect(client.state.pending).toEqual([])
  })
})

describe('the list', () => {
  const last: LastMessage = { timestamp: at(1), seq: 1, senderEmail: MINJI, kind: 'text', preview: 'old', at: at(1) }
  const change = (more: Change): PendingChange => ({
    id: 'id',
    peer: JUNHO,
    after: null,
    createdAt: 0,
    status: 'queued',
    target: at(1),
    ...more,
  })
  const shown = (...changes: PendingChange[]) => shownLast(last, changes, MINJI)

  test('shows what the user makes of the newest message before that has left', () => {
    expect(shown()).toBe(last)
    expect(shown(change({ kind: 'edit', text: 'new' }))).toMatchObject({ kind: 'text', preview: 'new' })
    expect(shown(change({ kind: 'delete' }))).toMatchObject({ kind: 'deleted', preview: '', seq: 1 })
    expect(shown(change({ kind: 'react', emoji: ['👍'] }))).toBe(last)
  })

  test('shows the message as it is when it is another one, or the change was refused', () => {
    expect(shown({ ...change({ kind: 'delete' }), target: at(3) })).toBe(last)
    expect(shown({ ...change({ kind: 'delete' }), status: 'failed', reason: 'notFound' })).toBe(last)
    expect(shownLast({ ...last, senderEmail: JUNHO }, [change({ kind: 'delete' })], MINJI)).toMatchObject({ kind: 'text' })
  })
})
