import { peerOf, roomIdOf } from './address'
import { apart, entryOf, isEntry, laterState, learn, unshown, withApplied, withStates } from './changes'
import { clearedUpTo, uncleared } from './clearing'
import { PREVIEW_MAX_CHARS } from './limits'
import { bodyOf, isChange, type PendingReason, type Queued } from './pending'
import {
  type Acknowledged,
  type ChatState,
  type ConnectionStatus,
  type Decision,
  type Detached,
  dayOf,
  emptyRoom,
  knownSeq,
  type LastMessage,
  lowerBound,
  type Room,
} from './state'
import { beginning } from './text'
import type { ChangedFrame, ConversationsBody, HistoryBody, MessageBody, ReadFrame } from './wire'

/** Everything that can happen to the state. */
export type ChatEvent =
  | { type: 'connection'; status: ConnectionStatus }
  /** A part of the list: its newest, or what follows on what is loaded. */
  | { type: 'conversations'; page: ConversationsBody; first: boolean; askedAt: number }
  | { type: 'conversationsLoading' }
  | { type: 'conversationsFailed'; first: boolean }
  | { type: 'opening'; peer: string }
  | { type: 'openFailed'; peer: string }
  | { type: 'olderLoading'; peer: string }
  | { type: 'olderFailed'; peer: string }
  /** A page of history: the newest one, one before what is known, or one of a sync. */
  | { type: 'page'; peer: string; page: HistoryBody; range: 'newest' | 'older' | 'after'; askedAt: number }
  /** A page of history where the reader was led to, or the one before or after what is loaded there. */
  | { type: 'detachedPage'; peer: string; page: HistoryBody; range: 'around' | 'older' | 'newer' }
  | { type: 'detachedEnd'; peer: string; end: 'older' | 'newer'; status: 'loading' | 'failed' }
  /** The reader is back at the newest messages. */
  | { type: 'attached'; peer: string }
  /** The user has cleared a conversation for themselves. */
  | { type: 'cleared'; peer: string; upTo: string }
  | { type: 'message'; message: MessageBody }
  | { type: 'changed'; frame: ChangedFrame }
  /** The newest message of a conversation that is not loaded, for what the list does not tell of it. */
  | { type: 'answer'; peer: string; message: MessageBody }
  | { type: 'sent'; acknowledged: Acknowledged }
  /** The server has lost what it had of a conversation. */
  | { type: 'forgotten'; peer: string }
  /** `at`: when that was heard live. */
  | { type: 'read'; frame: ReadFrame; at?: number }
  | { type: 'typing'; peer: string; typing: boolean }
  | { type: 'deciding'; peer: string; decision: Decision | null }
  | { type: 'decided'; peer: string; decision: Decision; at: number }
  /** Whether the outbox outlives the page. */
  | { type: 'keeps'; keeps: boolean }
  /** What the outbox holds. */
  | { type: 'outbox'; pending: readonly Queued[] }
  /** Not in the outbox yet, or it could not be kept there. */
  | { type: 'written'; entry: Queued }
  /** Taken back before it was in the outbox. */
  | { type: 'unwritten'; id: string }
  | { type: 'waiting'; id: string; reason: PendingReason | undefined }
  /** How much of an image has left; `null` when nothing is on its way. */
  | { type: 'progress'; id: string; share: number | null }

/**
 * The one place where optimistic sends, acknowledgements, pushes, pages and syncs come together. They may come in any order and
 * any number of times: a message is where its `seq` says, once.
 */
export function reduce(state: ChatState, event: ChatEvent): ChatState {
  switch (event.type) {
    case 'connection':
      return state.connection === event.status ? state : { ...state, connection: event.status }
    case 'keeps':
      return { ...state, keeps: event.keeps }
    case 'conversationsLoading':
      return { ...state, list: { ...state.list, more: 'loading' } }
    case 'conversationsFailed':
      return event.first
        ? { ...state, list: { ...state.list, status: state.list.status === 'ready' ? 'ready' : 'failed' } }
        : { ...state, list: { ...state.list, more: 'failed' } }
    case 'conversations':
      return withConversations(state, event)
    case 'opening':
    case 'openFailed':
      return changeRoom(state, event.peer, (room) => withOpening(room, event.type === 'opening' ? 'loading' : 'failed'))
    case 'olderLoading':
    case 'olderFailed':
      return changeRoom(state, event.peer, (room) => ({ ...room, older: event.type === 'olderLoading' ? 'loading' : 'failed' }))
    case 'page':
      return withPage(state, event)
    case 'detachedPage':
    case 'detachedEnd':
    case 'attached':
    case 'cleared':
      return changeRoom(state, event.peer, (room) => withReader(room, event))
    case 'message':
      return withMessage(state, event.message)
    case 'changed':
      return withChanged(state, event.frame)
    case 'answer':
      return changeRoom(state, event.peer, (room) =>
        room.last?.seq === event.message.seq ? { ...room, last: newer(room.last, wordsOf(event.message, event.message)) } : room,
      )
    case 'sent':
      return withSent(state, event.acknowledged)
    case 'forgotten':
      return changeRoom(state, event.peer, () => emptyRoom(event.peer))
    case 'read':
      return withRead(state, event.frame, event.at)
    case 'typing':
      return changeRoom(state, event.peer, (room) => (room.typing === event.typing ? room : { ...room, typing: event.typing }))
    case 'deciding':
      return changeRoom(state, event.peer, (room) => ({ ...room, deciding: event.decision }))
    case 'decided':
      return changeRoom(state, event.peer, (room) => withDecision(room, event.decision, event.at))
    case 'outbox':
      return withOutbox(state, event.pending)
    case 'written': {
      const others = apart([...state.pending, ...state.changes].filter(({ id }) => id !== event.entry.id))
      const { pending, changes } = apart([event.entry])
      return {
        ...changeRoom(state, event.entry.peer, (room) => room),
        pending: [...others.pending, ...pending],
        changes: [...others.changes, ...changes],
      }
    }
    case 'unwritten':
      return withoutQueued(state, new Set([event.id]))
    case 'waiting': {
      const waits = <T extends Queued>(entry: T): T => (entry.id === event.id ? { ...entry, reason: event.reason } : entry)
      return { ...state, pending: state.pending.map(waits), changes: state.changes.map(waits) }
    }
    case 'progress':
      return withProgress(state, event)
  }
}

function withProgress(state: ChatState, { id, share }: Extract<ChatEvent, { type: 'progress' }>): ChatState {
  const { [id]: before, ...others } = state.progress
  if ((before ?? null) === share) return state
  return { ...state, progress: share === null ? others : { ...others, [id]: share } }
}

function withOutbox(state: ChatState, kept: readonly Queued[]): ChatState {
  const before = [...state.pending, ...state.changes]
  const reasons = new Map(before.flatMap(({ id, status, reason }) => (status === 'queued' ? [[id, reason]] : [])))
  const queued = kept
    .filter(({ id, peer }) => !holds(state.rooms[peer], id))
    // Why something waits is not kept.
    .map((entry) => (entry.status === 'queued' && reasons.has(entry.id) ? { ...entry, reason: reasons.get(entry.id) } : entry))
  const { pending, changes } = apart(queued)
  return pending.reduce<ChatState>((changed, { peer }) => changeRoom(changed, peer, (room) => room), { ...state, pending, changes })
}

function withoutQueued(state: ChatState, ids: ReadonlySet<string>): ChatState {
  const pending = state.pending.filter(({ id }) => !ids.has(id))
  const changes = state.changes.filter(({ id }) => !ids.has(id))
  if (pending.length === state.pending.length && changes.length === state.changes.length) return state
  return { ...state, pending, changes }
}

function changeRoom(state: ChatState, peer: string, change: (room: Room) => Room): ChatState {
  const before = state.rooms[peer] ?? emptyRoom(peer)
  const after = change(before)
  return after === state.rooms[peer] ? state : { ...state, rooms: { ...state.rooms, [peer]: after } }
}

function withConversations(state: ChatState, { page, first, askedAt }: Extract<ChatEvent, { type: 'conversations' }>): ChatState {
  const rooms: Record<string, Room> = { ...state.rooms }
  for (const found of page.conversations) {
    const last: LastMessage = {
      timestamp: found.lastTimestamp,
      seq: found.lastSeq,
      senderEmail: found.lastSenderEmail,
      kind: found.lastKind,
      preview: found.preview,
    }
    const before = rooms[found.peerEmail] ?? emptyRoom(found.peerEmail)
    const isAnew = before.last !== null && disagree(placeOf(before.last), placeOf(last))
    const room = clearedUpTo(isAnew ? emptyRoom(found.peerEmail) : before, found.clearedTo)
    rooms[found.peerEmail] = {
      ...room,
      last: newer(room.last, last),
      counted:
        found.lastSeq >= room.counted.seq ? { unread: found.unread, seq: found.lastSeq, at: found.lastTimestamp } : room.counted,
      peerReadUpTo: later(room.peerReadUpTo, found.peerReadUpTo),
      ...consentOf(room, found, askedAt),
    }
  }
  if (first && page.nextCursor === null) {
    // What is known from an earlier list alone, and is on none now, is gone.
    const listed = new Set(page.conversations.map(({ peerEmail }) => peerEmail))
    for (const room of Object.values(rooms)) {
      const onlyListed = room.last !== null && room.anchor === null && room.messages.length === 0
      if (onlyListed && !listed.has(room.peer)) rooms[room.peer] = { ...emptyRoom(room.peer), status: room.status }
    }
  }
  // The first page again, after more were loaded, must not take back how far the list is known.
  const again = first && state.list.status === 'ready'
  const nextCursor = again ? state.list.nextCursor : page.nextCursor
  const partialDay = again ? state.list.partialDay : partialDayOf(page)
  return { ...state, rooms, list: { status: 'ready', nextCursor, more: again ? state.list.more : 'idle', partialDay } }
}

/** The day on which a part of the list ends. Where it has no other day, it is shown as it is: it is as much as is loaded at once. */
function partialDayOf({ conversations, nextCursor }: ConversationsBody): string | null {
  if (nextCursor === null) return null
  const days = conversations.map(({ lastTimestamp }) => dayOf(lastTimestamp)).sort()
  return days[0] === days.at(-1) ? null : (days[0] ?? null)
}

function withPage(state: ChatState, { peer, page, range, askedAt }: Extract<ChatEvent, { type: 'page' }>): ChatState {
  const told = range === 'after' ? page.messages : [...page.messages].reverse()
  const changed = changeRoom(state, peer, (before) => {
    const room = clearedUpTo(before, page.clearedTo)
    // What was asked for before it was cleared may come after.
    const ascending = uncleared(told, room.clearedTo)
    if (contradicted(room, ascending)) return beginAnew(state.me, peer, ascending, page.changed)
    const top = ascending.at(-1)?.seq ?? 0
    const bottom = ascending[0]?.seq ?? 0
    const known = knownSeq(room)
    // A newest page that lies beyond a hole becomes what is known: the hole may be thousands wide.
    const anew = range === 'newest' && (known === null || bottom > known + 1)
    // A sync of what was cleared begins with the first that is left: nothing is missing before that.
    const isVouched =
      range === 'after' && room.clearedTo !== null && known !== null && !room.messages.some(({ seq }) => seq === known)
    const anchor = anew ? top : isVouched ? Math.max(room.anchor ?? 0, bottom) : room.anchor
    const { messages, ...found } = withFound(room, ascending, page.changed ?? [], anchor)
    // A room that was removed in part begins later than at 1.
    const isFirst = ascending.length === 0 ? range === 'older' : range !== 'after' && messages[0]?.seq === bottom
    const beginsHere = isFirst && !page.hasMore
    const whole = anchor === 0 || messages[0]?.seq === 1 || beginsHere
    const older = whole ? 'none' : anew || range === 'older' ? 'more' : room.older
    return {
      ...withLast({ ...room, ...found, messages, applied: unshown(room.applied, found.learnt) }, state.me),
      anchor,
      status: anchor === null ? room.status : 'ready',
      older,
      myReadUpTo: later(room.myReadUpTo, page.myReadUpTo),
      peerReadUpTo: later(room.peerReadUpTo, page.peerReadUpTo),
      // Of what has not begun nothing can be said.
      ...(messages.length === 0 ? {} : consentOf(room, page, askedAt)),
    }
  })
  return settle(changed, peer, told)
}

/** What is loaded stays loaded. */
const withOpening = (room: Room, status: 'loading' | 'failed'): Room => ({
  ...room,
  status: room.anchor === null ? status : room.status,
})

type ReaderEvent = Extract<ChatEvent, { type: 'detachedPage' | 'detachedEnd' | 'attached' | 'cleared' }>

/** A conversation whose reader is led elsewhere in it, or has cleared it. */
function withReader(room: Room, event: ReaderEvent): Room {
  if (event.type === 'cleared') return clearedUpTo(room, event.upTo)
  if (event.type === 'detachedPage') return withDetachedPage(room, event)
  if (room.detached === null) return room
  return { ...room, detached: event.type === 'attached' ? null : { ...room.detached, [event.end]: event.status } }
}

function withDetachedPage(before: Room, { page, range }: Extract<ChatEvent, { type: 'detachedPage' }>): Room {
  const room = clearedUpTo(before, page.clearedTo)
  const found = uncleared(range === 'newer' ? page.messages : [...page.messages].reverse(), room.clearedTo)
  if (contradicted(room, found)) return emptyRoom(room.peer)
  const held: Detached | null = range === 'around' ? { messages: [], older: 'more', newer: 'more' } : room.detached
  // The reader has left meanwhile.
  if (held === null || room.anchor === null) return room
  const { learnt, messages } = withFound({ ...room, messages: held.messages }, found, page.changed ?? [], null)
  const older = range === 'newer' ? held.older : page.nextBefore === undefined ? 'none' : 'more'
  const all = { ...room, learnt, applied: unshown(room.applied, learnt), detached: { messages, older, newer: 'more' as const } }
  return joined(all, range === 'newer' && !page.hasMore)
}

/** A conversation whose detached messages are one with the newest ones, once they have come to them; `isWhole`: nothing is newer. */
function joined(room: Room & { detached: Detached }, isWhole: boolean): Room {
  const { detached, messages, anchor } = room
  const [begins] = detached.messages
  const ends = detached.messages.at(-1)
  const isThere = isWhole || messages[0] === undefined || (ends !== undefined && ends.seq + 1 >= messages[0].seq)
  if (!isThere) return room
  const all = connected(merge(detached.messages, messages), anchor)
  return { ...room, detached: null, messages: all, older: all[0]?.seq === begins?.seq ? detached.older : room.older }
}

function withMessage(state: ChatState, message: MessageBody): ChatState {
  const peer = peerOf(message.roomId, state.me)
  if (peer === null) return state
  const changed = changeRoom(state, peer, (room) => withEntry(state.me, room, message, []))
  return settle(changed, peer, [message])
}

function withChanged(state: ChatState, frame: ChangedFrame): ChatState {
  const peer = peerOf(frame.roomId, state.me)
  if (peer === null) return state
  const entry = entryOf(frame)
  const changed = changeRoom(state, peer, (room) => withEntry(state.me, room, entry, [frame.message]))
  return settle(changed, peer, [entry])
}

/** A change is stored: what became of the message is not told, but the user knows what they wanted. */
function withSent(state: ChatState, acknowledged: Acknowledged): ChatState {
  const { entry, sent } = acknowledged
  const message = asMessage(state.me, acknowledged)
  const stored = withMessage(state, message)
  if (!isChange(entry) || entry.target === null) return stored
  const { target } = entry
  return changeRoom(stored, entry.peer, (room) => {
    // The conversation begins anew with it.
    if (room.applied.some(({ seq }) => seq === sent.seq) || !room.messages.some(({ seq }) => seq === sent.seq)) return room
    const all = [...room.applied, { change: { ...entry, target }, seq: sent.seq, at: sent.timestamp }]
    const applied = unshown(
      all.sort((a, b) => a.seq - b.seq),
      room.learnt,
    )
    return applied.length === room.applied.length ? room : withLast({ ...room, applied }, state.me)
  })
}

/** With an entry that has come by itself, and the states that came with it. */
function withEntry(me: string, room: Room, entry: MessageBody, states: readonly MessageBody[]): Room {
  const { peer } = room
  if (entry.timestamp <= (room.clearedTo ?? '')) return room
  if (contradicted(room, [entry])) return beginAnew(me, peer, [entry], states)
  // A change of what is cleared is told like every other, and brings none of it back.
  const left = states.filter(({ timestamp }) => timestamp > (room.clearedTo ?? ''))
  const { learnt, messages, detached } = withFound(room, [entry], left, room.anchor)
  const typing = entry.senderEmail === peer && !isEntry(entry) ? false : room.typing
  if (messages === room.messages && learnt === room.learnt && typing === room.typing) return room
  const answers = { [peer]: 'outgoing', [me]: 'incoming' }[entry.senderEmail]
  const request = room.request === answers ? 'none' : room.request
  return withLast({ ...room, learnt, messages, detached, applied: unshown(room.applied, learnt), typing, request }, me)
}

/** What is known of a room together with messages that were found, and with states of others. */
function withFound(
  room: Pick<Room, 'learnt' | 'messages' | 'detached'>,
  found: readonly MessageBody[],
  states: readonly MessageBody[],
  anchor: number | null,
): Pick<Room, 'learnt' | 'messages' | 'detached'> {
  const learnt = learn(learn(room.learnt, found), states)
  // What is found may be of an earlier moment than what was learnt.
  const latest = found.map((message) => {
    const state = learnt[message.timestamp]
    return state === undefined || isEntry(message) ? message : laterState(message, state)
  })
  const { detached } = room
  return {
    learnt,
    messages: connected(withStates(merge(room.messages, latest), states), anchor),
    detached: detached && { ...detached, messages: withStates(detached.messages, states) },
  }
}

/** How many times of reading are kept of a conversation. */
const READS_MAX = 100

function withRead(state: ChatState, frame: ReadFrame, at?: number): ChatState {
  const peer = peerOf(frame.roomId, state.me)
  if (peer === null || (frame.readerEmail !== peer && frame.readerEmail !== state.me)) return state
  return changeRoom(state, peer, (room) => {
    const mark = frame.readerEmail === peer ? 'peerReadUpTo' : 'myReadUpTo'
    const upTo = later(room[mark], frame.upTo)
    if (upTo === room[mark]) return room
    if (mark === 'myReadUpTo' || at === undefined) return { ...room, [mark]: upTo }
    const read = { after: room.peerReadUpTo ?? '', upTo: frame.upTo, at }
    return { ...room, peerReadUpTo: upTo, peerReads: [...room.peerReads.slice(1 - READS_MAX), read] }
  })
}

/** For how long after a decision an answer of the server may still leave it out: the server may read its store as it was a moment ago. */
const LAG_MS = 5_000

/** What the server told of a request and of a block, unless more is known already. */
function consentOf(
  { request, blocked, decidedAt }: Room,
  told: Pick<HistoryBody, 'request' | 'blocked'>,
  askedAt: number,
): Pick<Room, 'request' | 'blocked'> {
  const isLate = askedAt < decidedAt + LAG_MS
  return { request: request === 'none' ? 'none' : (told.request ?? 'none'), blocked: isLate ? blocked : told.blocked === true }
}

function withDecision(room: Room, decision: Decision, decidedAt: number): Room {
  if (decision === 'accept') return { ...room, request: 'none' }
  return { ...room, blocked: decision === 'block', decidedAt }
}

type Place = Pick<MessageBody, 'seq' | 'timestamp'> & { readonly senderEmail?: string; readonly clientMessageId?: string }

/** Where the newest entry of a conversation stands. Whose it is, is known of a message alone. */
const placeOf = ({ seq, timestamp, senderEmail, at }: LastMessage): Place =>
  at === timestamp ? { seq, timestamp, senderEmail } : { seq, timestamp }

/** Whether one server can't have stored both: numbers and timestamps rise together, and each number is given once. */
function disagree(a: Place, b: Place): boolean {
  if (a.seq !== b.seq) return a.seq < b.seq ? a.timestamp >= b.timestamp : a.timestamp <= b.timestamp
  const differ = (one: string | undefined, other: string | undefined) => one !== undefined && other !== undefined && one !== other
  return a.timestamp !== b.timestamp || differ(a.clientMessageId, b.clientMessageId) || differ(a.senderEmail, b.senderEmail)
}

/** Whether the server must have begun anew since the room was loaded: what came does not fit to what is held. */
function contradicted({ messages, last }: Room, found: readonly MessageBody[]): boolean {
  return found.some((message) => {
    const index = lowerBound(messages, message.seq)
    const held = [messages[index - 1], messages[index], last && placeOf(last)]
    return held.some((place) => place != null && disagree(place, message))
  })
}

/** Nothing held is of use. Without an anchor the room is loaded again. */
function beginAnew(me: string, peer: string, found: readonly MessageBody[], states: readonly MessageBody[] = []): Room {
  const room = emptyRoom(peer)
  return withLast({ ...room, ...withFound(room, found, states, null) }, me)
}

/** Takes what is stored out of what is pending. */
function settle(state: ChatState, peer: string, stored: readonly MessageBody[]): ChatState {
  if (![...state.pending, ...state.changes].some((entry) => entry.peer === peer)) return state
  const mine = stored.filter(({ senderEmail }) => senderEmail === state.me)
  return withoutQueued(state, new Set(mine.map(({ clientMessageId }) => clientMessageId)))
}

/** Both lists in one, ascending, each number once. What is known already stays, unless it has changed since. */
function merge(known: readonly MessageBody[], found: readonly MessageBody[]): readonly MessageBody[] {
  let merged: MessageBody[] | null = null
  for (const message of found) {
    const messages: readonly MessageBody[] = merged ?? known
    const index = lowerBound(messages, message.seq)
    const there = messages[index]
    const later = there?.seq === message.seq ? laterState(there, message) : message
    if (later === there) continue
    merged ??= [...known]
    merged.splice(index, there?.seq === message.seq ? 1 : 0, later)
  }
  return merged ?? known
}

/** Without what lies below a hole: it is loaded again when somebody scrolls there. */
function connected(messages: readonly MessageBody[], anchor: number | null): readonly MessageBody[] {
  if (anchor === null || anchor === 0) return messages
  let index = lowerBound(messages, anchor)
  while (index > 0 && (messages[index - 1] as MessageBody).seq + 1 === messages[index]?.seq) index -= 1
  return index === 0 ? messages : messages.slice(index)
}

function holds(room: Room | undefined, id: string): boolean {
  return room?.messages.some(({ clientMessageId }) => clientMessageId === id) ?? false
}

function asMessage(me: string, { sent, entry }: Acknowledged): MessageBody {
  const { timestamp, seq, clientMessageId } = sent
  const place = { roomId: roomIdOf(me, entry.peer), timestamp, seq, senderEmail: me, receiverEmail: entry.peer }
  const rest = { read: false, clientMessageId }
  if (isChange(entry)) return { ...place, ...rest, kind: 'change', message: '', ...(entry.target && { target: entry.target }) }
  const { replyTo } = entry
  return { ...bodyOf(entry), ...place, ...rest, ...(replyTo === undefined ? {} : { replyTo }) }
}

/** What a list shows of a message, while `newest` is the newest entry. */
function wordsOf(said: MessageBody, newest: Pick<MessageBody, 'timestamp' | 'seq'>): LastMessage {
  const { senderEmail, kind, proposalAnswer } = said
  return {
    timestamp: newest.timestamp,
    seq: newest.seq,
    senderEmail,
    kind,
    preview: beginning(said.message, PREVIEW_MAX_CHARS),
    at: said.timestamp,
    ...(proposalAnswer === undefined ? {} : { verdict: proposalAnswer.answer }),
  }
}

/** What a list shows of a room, by the messages that are known of it. */
function withLast(room: Room, me: string): Room {
  const { messages, learnt, applied } = room
  const newest = messages.at(-1)
  if (newest === undefined) return room
  let last = room.last
  const index = messages.findLastIndex((message) => !isEntry(message))
  const said = messages[index]
  // Behind a hole there may be a later message, which a list may have told of.
  const isWhole = said !== undefined && newest.seq - said.seq === messages.length - 1 - index
  if (said !== undefined && (isWhole || last === null || said.seq > last.seq)) {
    const found = wordsOf(withApplied(said, applied, me), newest)
    if (last === null || newest.seq > last.seq || (newest.seq === last.seq && !isSame(last, found))) last = found
  } else if (last !== null) {
    const { at = last.timestamp } = last
    const state = learnt[at]
    const place = newest.seq > last.seq ? newest : last
    const found =
      state === undefined
        ? { ...last, seq: place.seq, timestamp: place.timestamp }
        : wordsOf(withApplied(state, applied, me), place)
    if (!isSame(last, found)) last = found
  }
  return last === room.last ? room : { ...room, last }
}

const isSame = (a: LastMessage, b: LastMessage): boolean =>
  a.seq === b.seq &&
  a.timestamp === b.timestamp &&
  a.senderEmail === b.senderEmail &&
  a.kind === b.kind &&
  a.preview === b.preview &&
  a.at === b.at &&
  a.verdict === b.verdict

function newer(a: LastMessage | null, b: LastMessage | null): LastMessage | null {
  if (a === null || b === null) return a ?? b
  // Of the same message a list says less.
  return b.seq > a.seq || (b.seq === a.seq && b.verdict !== undefined) ? b : a
}

function later(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b
  return b > a ? b : a
}
