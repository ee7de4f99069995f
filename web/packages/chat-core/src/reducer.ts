import { peerOf, roomIdOf } from './address'
import { PREVIEW_MAX_CHARS } from './limits'
import { bodyOf, type Pending, type PendingReason } from './pending'
import {
  type Acknowledged,
  type ChatState,
  type ConnectionStatus,
  dayOf,
  emptyRoom,
  knownSeq,
  type LastMessage,
  lowerBound,
  type Room,
} from './state'
import { beginning } from './text'
import type { ConversationsBody, HistoryBody, MessageBody, ReadFrame } from './wire'

/** Everything that can happen to the state. */
export type ChatEvent =
  | { type: 'connection'; status: ConnectionStatus }
  /** A part of the list: its newest, or what follows on what is loaded. */
  | { type: 'conversations'; page: ConversationsBody; first: boolean }
  | { type: 'conversationsLoading' }
  | { type: 'conversationsFailed'; first: boolean }
  | { type: 'opening'; peer: string }
  | { type: 'openFailed'; peer: string }
  | { type: 'olderLoading'; peer: string }
  | { type: 'olderFailed'; peer: string }
  /** A page of history: the newest one, one before what is known, or one of a sync. */
  | { type: 'page'; peer: string; page: HistoryBody; range: 'newest' | 'older' | 'after' }
  | { type: 'message'; message: MessageBody }
  | { type: 'sent'; acknowledged: Acknowledged }
  /** The server has lost what it had of a conversation. */
  | { type: 'forgotten'; peer: string }
  | { type: 'read'; frame: ReadFrame }
  | { type: 'typing'; peer: string; typing: boolean }
  /** Whether the outbox outlives the page. */
  | { type: 'keeps'; keeps: boolean }
  /** What the outbox holds. */
  | { type: 'outbox'; pending: readonly Pending[] }
  /** Not in the outbox yet, or it could not be kept there. */
  | { type: 'written'; entry: Pending }
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
    case 'conversationsLoading':
      return { ...state, list: { ...state.list, more: 'loading' } }
    case 'conversationsFailed':
      return event.first
        ? { ...state, list: { ...state.list, status: state.list.status === 'ready' ? 'ready' : 'failed' } }
        : { ...state, list: { ...state.list, more: 'failed' } }
    case 'conversations':
      return withConversations(state, event.page, event.first)
    case 'opening':
      return changeRoom(state, event.peer, (room) => ({ ...room, status: room.anchor === null ? 'loading' : room.status }))
    case 'openFailed':
      return changeRoom(state, event.peer, (room) => ({ ...room, status: room.anchor === null ? 'failed' : room.status }))
    case 'olderLoading':
      return changeRoom(state, event.peer, (room) => ({ ...room, older: 'loading' }))
    case 'olderFailed':
      return changeRoom(state, event.peer, (room) => ({ ...room, older: 'failed' }))
    case 'page':
      return withPage(state, event.peer, event.page, event.range)
    case 'message':
      return withMessage(state, event.message)
    case 'sent':
      return withMessage(state, asMessage(state.me, event.acknowledged))
    case 'forgotten':
      return changeRoom(state, event.peer, () => emptyRoom(event.peer))
    case 'read':
      return withRead(state, event.frame)
    case 'typing':
      return changeRoom(state, event.peer, (room) => (room.typing === event.typing ? room : { ...room, typing: event.typing }))
    case 'keeps':
      return { ...state, keeps: event.keeps }
    case 'outbox':
      return withOutbox(state, event.pending)
    case 'written': {
      const others = state.pending.filter(({ id }) => id !== event.entry.id)
      return { ...changeRoom(state, event.entry.peer, (room) => room), pending: [...others, event.entry] }
    }
    case 'unwritten':
      return { ...state, pending: state.pending.filter(({ id }) => id !== event.id) }
    case 'waiting':
      return {
        ...state,
        pending: state.pending.map((entry) => (entry.id === event.id ? { ...entry, reason: event.reason } : entry)),
      }
    case 'progress': {
      const { [event.id]: before, ...others } = state.progress
      if ((before ?? null) === event.share) return state
      return { ...state, progress: event.share === null ? others : { ...others, [event.id]: event.share } }
    }
  }
}

function withOutbox(state: ChatState, kept: readonly Pending[]): ChatState {
  const reasons = new Map(state.pending.flatMap(({ id, status, reason }) => (status === 'queued' ? [[id, reason]] : [])))
  const pending = kept
    .filter(({ id, peer }) => !holds(state.rooms[peer], id))
    // Why something waits is not kept.
    .map((entry) => (entry.status === 'queued' && reasons.has(entry.id) ? { ...entry, reason: reasons.get(entry.id) } : entry))
  return pending.reduce<ChatState>((changed, { peer }) => changeRoom(changed, peer, (room) => room), { ...state, pending })
}

function changeRoom(state: ChatState, peer: string, change: (room: Room) => Room): ChatState {
  const before = state.rooms[peer] ?? emptyRoom(peer)
  const after = change(before)
  return after === state.rooms[peer] ? state : { ...state, rooms: { ...state.rooms, [peer]: after } }
}

function withConversations(state: ChatState, page: ConversationsBody, first: boolean): ChatState {
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
    const room = before.last !== null && disagree(before.last, last) ? emptyRoom(found.peerEmail) : before
    rooms[found.peerEmail] = {
      ...room,
      last: newer(room.last, last),
      counted:
        found.lastSeq >= room.counted.seq ? { unread: found.unread, seq: found.lastSeq, at: found.lastTimestamp } : room.counted,
      peerReadUpTo: later(room.peerReadUpTo, found.peerReadUpTo),
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

function withPage(state: ChatState, peer: string, page: HistoryBody, range: 'newest' | 'older' | 'after'): ChatState {
  const ascending = range === 'after' ? page.messages : [...page.messages].reverse()
  const changed = changeRoom(state, peer, (room) => {
    if (contradicted(room, ascending)) return beginAnew(peer, ascending)
    const top = ascending.at(-1)?.seq ?? 0
    const bottom = ascending[0]?.seq ?? 0
    const known = knownSeq(room)
    // A newest page that lies beyond a hole becomes what is known: the hole may be thousands wide.
    const anew = range === 'newest' && (known === null || bottom > known + 1)
    const anchor = anew ? top : room.anchor
    const messages = connected(merge(room.messages, ascending), anchor)
    // A room that was removed in part begins later than at 1.
    const isFirst = ascending.length === 0 ? range === 'older' : range !== 'after' && messages[0]?.seq === bottom
    const beginsHere = isFirst && !page.hasMore
    const whole = anchor === 0 || messages[0]?.seq === 1 || beginsHere
    const older = whole ? 'none' : anew || range === 'older' ? 'more' : room.older
    return {
      ...room,
      messages,
      anchor,
      status: anchor === null ? room.status : 'ready',
      older,
      last: newer(room.last, lastOf(messages)),
      myReadUpTo: later(room.myReadUpTo, page.myReadUpTo),
      peerReadUpTo: later(room.peerReadUpTo, page.peerReadUpTo),
    }
  })
  return settle(changed, peer, ascending)
}

function withMessage(state: ChatState, message: MessageBody): ChatState {
  const peer = peerOf(message.roomId, state.me)
  if (peer === null) return state
  const changed = changeRoom(state, peer, (room) => {
    if (contradicted(room, [message])) return beginAnew(peer, [message])
    const messages = connected(merge(room.messages, [message]), room.anchor)
    const typing = message.senderEmail === peer ? false : room.typing
    if (messages === room.messages && typing === room.typing) return room
    return { ...room, messages, typing, last: newer(room.last, lastOf([message])) }
  })
  return settle(changed, peer, [message])
}

function withRead(state: ChatState, frame: ReadFrame): ChatState {
  const peer = peerOf(frame.roomId, state.me)
  if (peer === null || (frame.readerEmail !== peer && frame.readerEmail !== state.me)) return state
  return changeRoom(state, peer, (room) => {
    const mark = frame.readerEmail === peer ? 'peerReadUpTo' : 'myReadUpTo'
    const upTo = later(room[mark], frame.upTo)
    return upTo === room[mark] ? room : { ...room, [mark]: upTo }
  })
}

type Place = Pick<MessageBody, 'seq' | 'timestamp' | 'senderEmail'> & { readonly clientMessageId?: string }

/** Whether one server can't have stored both: numbers and timestamps rise together, and each number is given once. */
function disagree(a: Place, b: Place): boolean {
  if (a.seq !== b.seq) return a.seq < b.seq ? a.timestamp >= b.timestamp : a.timestamp <= b.timestamp
  const sameId = a.clientMessageId === undefined || b.clientMessageId === undefined || a.clientMessageId === b.clientMessageId
  return !sameId || a.timestamp !== b.timestamp || a.senderEmail !== b.senderEmail
}

/** Whether the server must have begun anew since the room was loaded: what came does not fit to what is held. */
function contradicted({ messages, last }: Room, found: readonly MessageBody[]): boolean {
  return found.some((message) => {
    const index = lowerBound(messages, message.seq)
    const held = [messages[index - 1], messages[index], last]
    return held.some((place) => place != null && disagree(place, message))
  })
}

/** Nothing held is of use. Without an anchor the room is loaded again. */
function beginAnew(peer: string, found: readonly MessageBody[]): Room {
  const messages = merge([], found)
  return { ...emptyRoom(peer), messages, last: lastOf(messages) }
}

/** Takes messages that are stored out of what is pending. */
function settle(state: ChatState, peer: string, stored: readonly MessageBody[]): ChatState {
  if (!state.pending.some((entry) => entry.peer === peer)) return state
  const ids = new Set(stored.filter(({ senderEmail }) => senderEmail === state.me).map(({ clientMessageId }) => clientMessageId))
  const pending = state.pending.filter(({ id }) => !ids.has(id))
  return pending.length === state.pending.length ? state : { ...state, pending }
}

/** Both lists in one, ascending, each number once. What is known already stays, but for `read`, which only becomes true. */
function merge(known: readonly MessageBody[], found: readonly MessageBody[]): readonly MessageBody[] {
  let merged: MessageBody[] | null = null
  for (const message of found) {
    const messages: readonly MessageBody[] = merged ?? known
    const index = lowerBound(messages, message.seq)
    const there = messages[index]
    if (there?.seq !== message.seq) {
      merged ??= [...known]
      merged.splice(index, 0, message)
    } else if (message.read && !there.read) {
      merged ??= [...known]
      merged[index] = { ...there, read: true }
    }
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
  return {
    ...bodyOf(entry),
    roomId: roomIdOf(me, entry.peer),
    timestamp: sent.timestamp,
    seq: sent.seq,
    senderEmail: me,
    receiverEmail: entry.peer,
    read: false,
    clientMessageId: sent.clientMessageId,
  }
}

function lastOf(messages: readonly MessageBody[]): LastMessage | null {
  const message = messages.at(-1)
  if (message === undefined) return null
  const { timestamp, seq, senderEmail, kind } = message
  return {
    timestamp,
    seq,
    senderEmail,
    kind,
    preview: beginning(message.message, PREVIEW_MAX_CHARS),
  }
}

function newer(a: LastMessage | null, b: LastMessage | null): LastMessage | null {
  if (a === null || b === null) return a ?? b
  return b.seq > a.seq ? b : a
}

function later(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b
  return b > a ? b : a
}
