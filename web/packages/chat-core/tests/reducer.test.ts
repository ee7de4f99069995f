import type { ConversationBody, HistoryBody, MessageBody } from 'chat-core'
import {
  type ChatEvent,
  type ChatState,
  conversations,
  EPOCH,
  emptyState,
  firstUnread,
  hasHole,
  knownSeq,
  listedConversations,
  newestKnown,
  type Pending,
  type Room,
  reduce,
  requests,
  syncFrom,
  totalUnread,
  unreadOf,
} from 'chat-core'
import { at, JUNHO, MINJI, message, ROOM } from 'chat-core/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const play = (events: ChatEvent[], state: ChatState = emptyState(MINJI)): ChatState => events.reduce(reduce, state)
const room = (state: ChatState): Room => state.rooms[JUNHO] as Room
const seqs = (state: ChatState): number[] => room(state).messages.map(({ seq }) => seq)
const range = (from: number, to: number): number[] => Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)

function body(messages: MessageBody[], change: Partial<HistoryBody> = {}): HistoryBody {
  return { roomId: ROOM, messages, hasMore: false, peerReadUpTo: null, myReadUpTo: null, blocked: false, ...change }
}
const newest = (from: number, to: number): ChatEvent => ({
  type: 'page',
  peer: JUNHO,
  page: body(
    range(from, to)
      .reverse()
      .map((seq) => message(seq)),
    { hasMore: from > 1 },
  ),
  range: 'newest',
  askedAt: 0,
})
const older = (from: number, to: number): ChatEvent => ({ ...newest(from, to), range: 'older', askedAt: 0 }) as ChatEvent
const synced = (from: number, to: number): ChatEvent => ({
  type: 'page',
  peer: JUNHO,
  page: body(range(from, to).map((seq) => message(seq))),
  range: 'after',
  askedAt: 0,
})
const push = (seq: number): ChatEvent => ({ type: 'message', message: message(seq) })
const entry = (seq: number): Pending => ({
  id: message(seq).clientMessageId,
  peer: JUNHO,
  kind: 'text',
  text: message(seq).message,
  after: EPOCH,
  createdAt: 0,
  status: 'queued',
})
const sent = (seq: number): ChatEvent => ({
  type: 'sent',
  acknowledged: {
    entry: entry(seq),
    sent: { clientMessageId: message(seq).clientMessageId, roomId: ROOM, timestamp: at(seq), seq, duplicate: false },
  },
})
const listed = (lastSeq: number, unread: number, change: Partial<ConversationBody> = {}): ChatEvent => {
  const last = message(lastSeq)
  const conversation: ConversationBody = {
    peerEmail: JUNHO,
    preview: last.message,
    lastTimestamp: last.timestamp,
    lastSeq,
    lastSenderEmail: last.senderEmail,
    lastKind: 'text',
    unread,
    peerReadUpTo: null,
    blocked: false,
    ...change,
  }
  return { type: 'conversations', page: { conversations: [conversation], nextCursor: null }, first: true, askedAt: 0 }
}
const read = (reader: string, seq: number): ChatEvent => ({
  type: 'read',
  frame: { roomId: ROOM, readerEmail: reader, upTo: at(seq) },
})

/** What a server with these messages, and pages of this size, may say next. */
function answer(
  server: readonly MessageBody[],
  size: number,
  state: ChatState,
  kind: string,
  seq: number,
  stale: number,
): ChatEvent {
  const count = server.length
  const page = (messages: MessageBody[], kind: 'newest' | 'older' | 'after', hasMore = false): ChatEvent => ({
    type: 'page',
    peer: JUNHO,
    page: body(messages, { hasMore }),
    range: kind,
    askedAt: 0,
  })
  if (kind === 'push') return push((seq % count) + 1)
  if (kind === 'sent') return sent(seq % 2 === 0 ? (seq % count) | 1 : 1)
  if (kind === 'list') return listed((seq % count) + 1, 0)
  const known = state.rooms[JUNHO]
  const before = known?.messages[0]?.timestamp
  if (kind === 'older' && before !== undefined && known?.anchor != null) {
    const lower = server.filter(({ timestamp }) => timestamp < before)
    return page(lower.slice(-size).reverse(), 'older', lower.length > size)
  }
  const cursor = known === undefined ? null : syncFrom(known)
  if (kind === 'sync' && cursor !== null) {
    return page(server.filter(({ timestamp }) => timestamp > cursor).slice(0, size), 'after')
  }
  // A page may be of a moment ago.
  const seen = server.slice(0, count - (stale % (count + 1)))
  return page(seen.slice(-size).reverse(), 'newest', seen.length > size)
}

function expectSound(server: readonly MessageBody[], state: ChatState): void {
  const found = state.rooms[JUNHO]
  if (found === undefined) return
  const numbers = found.messages.map(({ seq }) => seq)
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
  for (const one of found.messages) expect(one).toEqual(server[one.seq - 1])
  const known = knownSeq(found)
  if (known === null) return
  // No hole below what is said to be known.
  const below = numbers.filter((seq) => seq <= known)
  expect(below).toEqual(below.length === 0 ? [] : range(below[0] as number, known))
}

describe('messages', () => {
  test.each<[string, ChatEvent[], number[], number | null]>([
    ['a page, then pushes', [newest(1, 3), push(4), push(5)], [1, 2, 3, 4, 5], 5],
    ['a push that overtook another one', [newest(1, 3), push(5), push(4)], [1, 2, 3, 4, 5], 5],
    ['a doubled push', [newest(1, 3), push(4), push(4)], [1, 2, 3, 4], 4],
    ['a hole', [newest(1, 3), push(6)], [1, 2, 3, 6], 3],
    ['a hole that a sync fills', [newest(1, 3), push(6), synced(4, 6)], [1, 2, 3, 4, 5, 6], 6],
    ['pushes before the first page', [push(4), push(5), newest(1, 4)], [1, 2, 3, 4, 5], 5],
    ['an older page twice', [newest(51, 100), older(1, 50), older(1, 50)], range(1, 100), 100],
    ['a newest page beyond a hole', [newest(1, 50), newest(101, 150)], range(101, 150), 150],
    ['a newest page that is older than what is known', [newest(51, 100), newest(31, 80)], range(31, 100), 100],
    ['an empty conversation, then the first message', [newest(1, 0), push(1)], [1], 1],
    ['an empty conversation that was not empty', [newest(1, 0), push(3)], [3], 0],
    ['an acknowledgement', [newest(1, 2), sent(3)], [1, 2, 3], 3],
    ['an acknowledgement after the push', [newest(1, 2), push(3), sent(3)], [1, 2, 3], 3],
    ['a push that comes late, of long ago', [newest(51, 100), push(7)], range(51, 100), 100],
  ])('%s', (_, events, expected, known) => {
    const state = play(events)
    expect(seqs(state)).toEqual(expected)
    expect(knownSeq(room(state))).toBe(known)
    expect(syncFrom(room(state))).toBe(known === null ? null : known === 0 ? EPOCH : at(known - 1))
  })

  test('that are not in a room of mine change nothing', () => {
    const state = emptyState(MINJI)
    expect(reduce(state, { type: 'message', message: message(1, { roomId: 'a@x.yz#b@x.yz' }) })).toBe(state)
  })

  test('known already change nothing, not even the object', () => {
    const state = play([newest(1, 5)])
    expect(reduce(state, push(3))).toBe(state)
  })

  const anew = (seq: number) => message(seq, { timestamp: at(1_000 + seq), clientMessageId: `anew-${seq}`, message: `anew ${seq}` })
  test.each<[string, ChatEvent[], ChatEvent, number[]]>([
    ['a push whose number is taken', [newest(1, 3)], { type: 'message', message: anew(2) }, [2]],
    ['a push of today with a number of long ago', [newest(51, 100)], { type: 'message', message: anew(7) }, [7]],
    ['a push, when only the list is known', [listed(10, 4)], { type: 'message', message: anew(1) }, [1]],
    [
      'a sync that begins with the first message',
      [newest(51, 100)],
      { type: 'page', peer: JUNHO, page: body([anew(1), anew(2)]), range: 'after', askedAt: 0 },
      [1, 2],
    ],
    ['a server that says so', [newest(1, 3)], { type: 'forgotten', peer: JUNHO }, []],
  ])('of a server that began anew take the place of all others: %s', (_, events, event, expected) => {
    const state = play([...events, event])
    expect(seqs(state)).toEqual(expected)
    expect(room(state).last?.seq ?? null).toBe(expected.at(-1) ?? null)
    expect(syncFrom(room(state))).toBeNull()
    expect(unreadOf(room(state))).toBe(expected.filter((seq) => seq % 2 === 0).length)
  })

  test('older ones are asked for until the first one is there', () => {
    expect(room(play([newest(51, 100)])).older).toBe('more')
    expect(room(play([newest(51, 100), older(1, 50)])).older).toBe('none')
    expect(room(play([newest(1, 0)])).older).toBe('none')
    expect(room(play([newest(51, 100), { type: 'olderLoading', peer: JUNHO }, synced(101, 102)])).older).toBe('loading')
    expect(room(play([newest(51, 100), { type: 'olderFailed', peer: JUNHO }])).older).toBe('failed')
    // Of a room that was removed in part, the first that is left.
    const last = (event: ChatEvent): ChatEvent =>
      ({ ...event, page: { ...(event as { page: HistoryBody }).page, hasMore: false } }) as ChatEvent
    expect(room(play([last(newest(51, 100))])).older).toBe('none')
    expect(room(play([newest(51, 100), last(older(31, 50))])).older).toBe('none')
    expect(room(play([newest(51, 100), older(51, 50)])).older).toBe('more')
    expect(room(play([newest(51, 100), last(older(51, 50))])).older).toBe('none')
  })

  test('end in the order of the server, whole and once, whatever comes in whatever order', () => {
    const step = fc.record({
      kind: fc.constantFrom('push', 'sent', 'newest', 'older', 'sync', 'list'),
      seq: fc.nat(),
      stale: fc.nat(),
    })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 160 }),
        fc.integer({ min: 1, max: 30 }),
        fc.array(step, { maxLength: 60 }),
        (count, size, steps) => {
          const server = range(1, count).map((seq) => message(seq))
          let state = emptyState(MINJI)
          const take = (kind: string, seq = 0, stale = 0) => {
            state = reduce(state, answer(server, size, state, kind, seq, stale))
          }
          for (const { kind, seq, stale } of steps) {
            take(kind, seq, stale)
            expectSound(server, state)
          }
          take('newest')
          while (hasHole(room(state)) || (knownSeq(room(state)) ?? 0) < count) take('sync')
          while (room(state).older !== 'none') take('older')
          expect(room(state).messages).toEqual(server)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('pending messages', () => {
  test('are there from the moment of sending, in order, and leave when stored', () => {
    const queued: ChatEvent[] = [
      { type: 'written', entry: entry(3) },
      { type: 'written', entry: entry(5) },
    ]
    const state = play([newest(1, 2), ...queued])
    expect(state.pending.map(({ id }) => id)).toEqual([entry(3).id, entry(5).id])
    expect(play([sent(3)], state).pending.map(({ id }) => id)).toEqual([entry(5).id])
    expect(play([push(3)], state).pending).toHaveLength(1)
    expect(play([synced(3, 5)], state).pending).toHaveLength(0)
  })

  test('of the peer with the same id stay', () => {
    const state = play([{ type: 'written', entry: entry(2) }, push(2)])
    expect(state.pending).toHaveLength(1)
  })

  test('that the outbox still holds although they are stored are not shown again', () => {
    const state = play([newest(1, 3), { type: 'outbox', pending: [entry(3), entry(5)] }])
    expect(state.pending.map(({ id }) => id)).toEqual([entry(5).id])
  })

  test.each<[string, ChatEvent]>([
    ['when they are written', { type: 'written', entry: { ...entry(1), createdAt: 5 } }],
    ['when they are read from the outbox', { type: 'outbox', pending: [{ ...entry(1), createdAt: 5 }] }],
  ])('begin a conversation %s', (_, event) => {
    const state = play([{ type: 'conversations', page: { conversations: [], nextCursor: null }, first: true, askedAt: 0 }, event])
    expect(conversations(state).map(({ peer }) => peer)).toEqual([JUNHO])
  })

  test('say why they wait until they no longer do, however often the outbox is read', () => {
    const outbox: ChatEvent = { type: 'outbox', pending: [entry(1)] }
    const waiting = play([outbox, { type: 'waiting', id: entry(1).id, reason: 'rateLimited' }, outbox])
    expect(waiting.pending[0]?.reason).toBe('rateLimited')
    const failed: ChatEvent = { type: 'outbox', pending: [{ ...entry(1), status: 'failed', reason: 'badRequest' }] }
    expect(play([failed], waiting).pending[0]?.reason).toBe('badRequest')
    expect(play([failed, outbox], waiting).pending[0]?.reason).toBeUndefined()
    expect(play([{ type: 'waiting', id: entry(1).id, reason: undefined }, outbox], waiting).pending[0]?.reason).toBeUndefined()
  })
})

describe('unread', () => {
  test.each<[string, ChatEvent[], number]>([
    ['as the server counts', [listed(10, 4)], 4],
    ['and what came since', [listed(10, 4), push(12), push(12), push(14)], 6],
    ['what I sent does not count', [listed(10, 4), push(11)], 4],
    ['everything read', [listed(10, 4), read(MINJI, 10)], 0],
    ['everything read, and one more', [listed(10, 4), read(MINJI, 10), push(12)], 1],
    ['the list of a moment ago', [listed(10, 4), read(MINJI, 10), listed(10, 4)], 0],
    ['a part read, with the messages there', [newest(1, 10), read(MINJI, 6)], 2],
    ['a mark that moves back', [newest(1, 10), read(MINJI, 8), read(MINJI, 2)], 1],
    ['nothing read, all there', [newest(1, 10)], 5],
  ])('%s', (_, events, unread) => {
    const state = play(events)
    expect(unreadOf(room(state))).toBe(unread)
    expect(totalUnread(state)).toBe(unread)
  })
})

describe('where the unread ones begin', () => {
  test.each<[string, ChatEvent[], number | null, number | null]>([
    ['after the mark', [newest(1, 10)], 5, 6],
    ['with the first one, when nothing was ever read', [newest(1, 10)], null, 2],
    ['is not known, while it lies further back', [newest(51, 100)], 20, null],
    ['is not known, while nothing was ever read and there are older ones', [newest(51, 100)], null, null],
    ['is found when older ones are loaded', [newest(51, 100), older(11, 50)], 20, 22],
    ['is found when what is loaded reaches back to the mark', [newest(51, 100), older(20, 50)], 20, 22],
    ['nowhere, when all was read', [newest(1, 10)], 10, null],
    ['nowhere, when there is nothing', [newest(1, 0)], null, null],
  ])('%s', (_, events, mark, expected) => {
    expect(firstUnread(room(play(events)), mark === null ? null : at(mark))).toBe(expected)
  })
})

describe('read marks', () => {
  test('of the peer are kept, and never move back', () => {
    const state = play([newest(1, 5), read(JUNHO, 5), read(JUNHO, 3)])
    expect(room(state).peerReadUpTo).toBe(at(5))
  })

  test('of a stranger are ignored', () => {
    const state = play([newest(1, 5)])
    expect(reduce(state, read('stranger@example.com', 5))).toBe(state)
  })
})

describe('the list', () => {
  test('is newest first, and shows the newest message whichever way it came', () => {
    const other = {
      ...message(1),
      roomId: 'club@example.com#minji@example.com',
      senderEmail: 'club@example.com',
      receiverEmail: MINJI,
    }
    const state = play([listed(4, 0), { type: 'message', message: { ...other, timestamp: at(99) } }])
    expect(conversations(state).map(({ peer }) => peer)).toEqual(['club@example.com', JUNHO])
    expect(conversations(play([push(6), listed(4, 0)], state))[1]?.last?.seq).toBe(6)
  })

  test('keeps how far it was loaded when its first page comes again', () => {
    const page = (nextCursor: string | null, first: boolean): ChatEvent => ({
      type: 'conversations',
      page: { conversations: [], nextCursor },
      first,
      askedAt: 0,
    })
    expect(play([page('2', true), page(null, false), page('2', true)]).list.nextCursor).toBeNull()
  })

  test('that failed once is not lost', () => {
    expect(play([{ type: 'conversationsFailed', first: true }]).list.status).toBe('failed')
    expect(play([listed(1, 0), { type: 'conversationsFailed', first: true }]).list.status).toBe('ready')
  })
})

describe('the newest known timestamp', () => {
  test('is that of the list, of a push, of an empty conversation, or nothing', () => {
    expect(newestKnown(undefined)).toBeNull()
    expect(newestKnown(room(play([{ type: 'opening', peer: JUNHO }])))).toBeNull()
    expect(newestKnown(room(play([newest(1, 0)])))).toBe(EPOCH)
    expect(newestKnown(room(play([listed(10, 0), newest(1, 4)])))).toBe(at(10))
  })
})

describe('a request', () => {
  const told = (request: 'incoming' | 'outgoing' | undefined, blocked = false, askedAt = 0): ChatEvent => ({
    type: 'page',
    peer: JUNHO,
    page: body([message(2)], { ...(request === undefined ? {} : { request }), blocked }),
    range: 'newest',
    askedAt,
  })
  const decided = (decision: 'accept' | 'block' | 'unblock', at = 0): ChatEvent => ({ type: 'decided', peer: JUNHO, decision, at })
  const standing = (...events: ChatEvent[]) => {
    const { request, blocked } = room(play(events))
    return blocked ? `${request}, blocked` : request
  }

  test.each<[string, ChatEvent[], string]>([
    ['is not known of what has just come', [push(2)], 'unknown'],
    ['is not known of a conversation without a message', [synced(1, 0)], 'unknown'],
    ['is what the server says', [told('incoming')], 'incoming'],
    ['is none where the server names none', [told(undefined)], 'none'],
    ['ends when it is accepted', [told('incoming'), decided('accept')], 'none'],
    ['ends when its receiver answers', [told('incoming'), push(3)], 'none'],
    ['ends when the other one answers', [told('outgoing'), push(4)], 'none'],
    ['goes on when who asked asks again', [told('incoming'), push(4)], 'incoming'],
    [
      'that has ended does not begin again by what was asked before',
      [told('incoming'), decided('accept'), told('incoming')],
      'none',
    ],
    ['can be blocked, and is one still', [told('incoming'), decided('block')], 'incoming, blocked'],
    ['is one still when the block is lifted', [told('incoming', true), decided('unblock', 0)], 'incoming'],
    [
      'of somebody who was just blocked is not unblocked by what was asked before',
      [decided('block', 9_000), told('incoming', false, 8_000)],
      'incoming, blocked',
    ],
    [
      'of somebody who is unblocked elsewhere is in the end',
      [decided('block', 9_000), told('incoming', false, 15_000)],
      'incoming',
    ],
  ])('%s', (_, events, expected) => expect(standing(...events)).toBe(expected))

  test('calls for no attention, and is among the requests', () => {
    const state = play([listed(2, 1, { request: 'incoming' })])
    expect(unreadOf(room(state))).toBe(1)
    expect(totalUnread(state)).toBe(0)
    expect(requests(state).map(({ peer }) => peer)).toEqual([JUNHO])
    expect(listedConversations(state)).toEqual([])
    const accepted = play([decided('accept')], state)
    expect(totalUnread(accepted)).toBe(1)
    expect(requests(accepted)).toEqual([])
    expect(listedConversations(accepted).map(({ peer }) => peer)).toEqual([JUNHO])
    const blocked = play([decided('block')], state)
    expect([requests(blocked), listedConversations(blocked), totalUnread(blocked)]).toEqual([[], [], 0])
    expect(conversations(blocked).map(({ peer }) => peer)).toEqual([JUNHO])
  })

  test('that may be one is in no list before that is known', () => {
    const state = play([push(2)])
    expect([requests(state), listedConversations(state), totalUnread(state)]).toEqual([[], [], 0])
  })
})
