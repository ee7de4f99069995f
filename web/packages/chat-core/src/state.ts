import { KINDS } from './limits'
import { type Change, EPOCH, type Pending, type PendingChange, type Queued } from './pending'
import type { KindName, MessageBody, RequestName, SentFrame, Verdict } from './wire'

/** A kind of message that this version knows. */
export type KnownKind = (typeof KINDS)[number]

/** Whether it does. A newer server may have others, and so may an application. */
export const isKnown = (kind: KindName): kind is KnownKind => KINDS.some((known) => known === kind)

/** The newest message of a conversation, as a list shows it. `timestamp` and `seq` are those of the newest entry, which may be a change. */
export type LastMessage = Pick<MessageBody, 'timestamp' | 'seq' | 'senderEmail' | 'kind'> & {
  readonly preview: string
  /** The message's own timestamp; the list itself does not tell. */
  readonly at?: string
  /** Of an answer to a proposal, what it says; the list itself does not tell. */
  readonly verdict?: Verdict
}

/** A change of ours that is stored. */
export interface Applied {
  readonly change: Change & { readonly target: string }
  readonly seq: number
  readonly at: string
}

/** What a user decides about somebody. */
export type Decision = 'accept' | 'block' | 'unblock'

/** Messages that a reader was led to, apart from the newest ones: those between the two are not loaded. */
export interface Detached {
  /** Ascending by `seq`, without a hole. */
  readonly messages: readonly MessageBody[]
  readonly older: Room['older']
  readonly newer: 'more' | 'loading' | 'failed'
}

/** A conversation, as far as it is known. */
export interface Room {
  readonly peer: string
  /**
   * Ascending by `seq`, each once. From the first one up to `knownSeq` there is no hole; behind it there may be one, until the
   * sync that it causes. Changes are among them, as entries that are not to be shown: see `shownMessages`.
   */
  readonly messages: readonly MessageBody[]
  /** The latest states that were told of changed messages, by timestamp. A page that is loaded later may be of an earlier moment. */
  readonly learnt: Readonly<Record<string, MessageBody>>
  /** The user's own changes that are stored, and that no state told has in it yet. */
  readonly applied: readonly Applied[]
  /** A `seq` that a page has vouched for: 0 when the conversation was empty, `null` before the first page. */
  readonly anchor: number | null
  readonly status: 'idle' | 'loading' | 'ready' | 'failed'
  readonly older: 'more' | 'loading' | 'failed' | 'none'
  /** Where the reader is, if that is not at the messages above: see `atReader`. */
  readonly detached: Detached | null
  /** The user has cleared everything up to this moment for themselves, and none of it is here. */
  readonly clearedTo: string | null
  readonly last: LastMessage | null
  /** What the server counted as unread when the newest message was number `seq`, of the moment `at`. */
  readonly counted: { readonly unread: number; readonly seq: number; readonly at: string }
  readonly myReadUpTo: string | null
  readonly peerReadUpTo: string | null
  /** When this page heard how far the peer had read; the newest few. The server does not tell when it was. */
  readonly peerReads: readonly PeerRead[]
  readonly typing: boolean
  /**
   * Whose request the conversation is. It is not known of one that began with a message that has just come. One that is no request does
   * not become one again.
   */
  readonly request: 'unknown' | 'none' | RequestName
  /** Whether the user blocks the peer. */
  readonly blocked: boolean
  /** When a decision about the peer was last heard of, in milliseconds: what was asked for before may not know of it. */
  readonly decidedAt: number
  /** What the user has decided and the server has not answered. */
  readonly deciding: Decision | null
}

/** At `at`, in milliseconds, what came after `after` was read, up to `upTo`. */
export interface PeerRead {
  readonly after: string
  readonly upTo: string
  readonly at: number
}

/** When this page heard that the peer had read a message; `null` when it was read before, or is not. */
export function heardRead(room: Pick<Room, 'peerReads'>, timestamp: string): number | null {
  return room.peerReads.find(({ after, upTo }) => after < timestamp && timestamp <= upTo)?.at ?? null
}

/**
 * Why there will be no connection with this session. `signedOut`: it has ended, and only signing in again helps. `suspended`, `notYours`:
 * whoever runs the chat has suspended the user, or the address belongs to another account.
 */
export type End = 'signedOut' | 'suspended' | 'notYours'

/** How the connection is. */
export type ConnectionStatus = 'connecting' | 'online' | 'reconnecting' | 'offline' | End

export interface ChatState {
  readonly me: string
  readonly connection: ConnectionStatus
  readonly list: {
    readonly status: 'loading' | 'ready' | 'failed'
    readonly nextCursor: string | null
    readonly more: 'idle' | 'loading' | 'failed'
    /**
     * The day, `YYYY-MM-DD` in UTC, on which the loaded part ends, and of which conversations may be missing; `null` when none are
     * missing that are to be shown.
     */
    readonly partialDay: string | null
  }
  readonly rooms: Readonly<Record<string, Room>>
  /** Whether this browser keeps what is queued when the page is closed; `null` until that is known. */
  readonly keeps: boolean | null
  /** Ours that are not acknowledged, oldest first. */
  readonly pending: readonly Pending[]
  /** Changes of ours that are not acknowledged, oldest first. */
  readonly changes: readonly PendingChange[]
  /** How much of an image that this tab uploads has left, 0 to 1, by the message's id. */
  readonly progress: Readonly<Record<string, number>>
}

/** An acknowledgement together with what it acknowledges. */
export interface Acknowledged {
  readonly sent: SentFrame
  readonly entry: Queued
}

export function emptyState(me: string): ChatState {
  return {
    me,
    connection: 'connecting',
    list: { status: 'loading', nextCursor: null, more: 'idle', partialDay: null },
    rooms: {},
    keeps: null,
    pending: [],
    changes: [],
    progress: {},
  }
}

export function emptyRoom(peer: string): Room {
  return {
    peer,
    messages: [],
    detached: null,
    clearedTo: null,
    learnt: {},
    applied: [],
    anchor: null,
    status: 'idle',
    older: 'more',
    last: null,
    counted: { unread: 0, seq: 0, at: EPOCH },
    myReadUpTo: null,
    peerReadUpTo: null,
    peerReads: [],
    typing: false,
    request: 'unknown',
    blocked: false,
    decidedAt: 0,
    deciding: null,
  }
}

/** The index of the first message whose `seq` is at least `seq`. */
export function lowerBound(messages: readonly MessageBody[], seq: number): number {
  let low = 0
  let high = messages.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((messages[middle] as MessageBody).seq < seq) low = middle + 1
    else high = middle
  }
  return low
}

/** The number up to which everything is known, counted from what was loaded; `null` when nothing was. */
export function knownSeq({ messages, anchor }: Pick<Room, 'messages' | 'anchor'>): number | null {
  if (anchor === null) return null
  const start = anchor === 0 ? 0 : lowerBound(messages, anchor)
  const first = messages[start]
  // The message of that number may have been cleared.
  if (first === undefined || first.seq > anchor + 1) return anchor
  // Numbers are unique and ascending, so there is no hole up to an index exactly when the numbers rose as much as the index.
  let low = start
  let high = messages.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((messages[middle] as MessageBody).seq - first.seq === middle - start) low = middle
    else high = middle - 1
  }
  return (messages[low] as MessageBody).seq
}

/**
 * The `after` of the next sync; `null` before the first page. It is right before the newest message up to which everything is
 * known, so that one comes again: if it does not, the server has lost it.
 */
export function syncFrom(room: Room): string | null {
  const seq = knownSeq(room)
  if (seq === null) return null
  const newest = room.messages[lowerBound(room.messages, seq)]
  return newest?.seq === seq ? new Date(Date.parse(newest.timestamp) - 1).toISOString() : (room.clearedTo ?? EPOCH)
}

/** Whether something is missing between what is known. */
export function hasHole(room: Room): boolean {
  const seq = knownSeq(room)
  return seq !== null && Math.max(room.messages.at(-1)?.seq ?? 0, room.last?.seq ?? 0) > seq
}

/** The newest timestamp known of a conversation, for the `after` of a new message; `null` when it was never looked at. */
export function newestKnown(room: Room | undefined): string | null {
  if (room === undefined) return null
  return room.last?.timestamp ?? room.clearedTo ?? (room.anchor === 0 ? EPOCH : null)
}

/** A conversation with the messages that the reader is at in the place of the newest ones. */
export const atReader = (room: Room): Room => {
  if (room.detached === null) return room
  const { messages, older } = room.detached
  return { ...room, messages, older }
}

/** Whether the user has cleared all that was said: the conversation is on no list until something new is said. */
export const isCleared = ({ last, clearedTo }: Pick<Room, 'last' | 'clearedTo'>): boolean =>
  last !== null && (last.at ?? last.timestamp) <= (clearedTo ?? '')

/**
 * How many messages of the peer are unread. Counted from the messages wherever they reach back to the mark, otherwise the
 * server's count and what came since.
 */
export function unreadOf(room: Room): number {
  const { last, messages, myReadUpTo: mark } = room
  if (last === null || (mark !== null && mark >= last.timestamp)) return 0
  const lowest = messages[0]
  const complete = !hasHole(room) && lowest !== undefined && room.anchor !== null
  const reachesMark = complete && (lowest.seq === 1 || (mark !== null && lowest.timestamp <= mark))
  const from = reachesMark ? 0 : room.counted.seq
  const outdated = mark !== null && mark >= room.counted.at
  let count = reachesMark || outdated ? 0 : room.counted.unread
  for (let index = messages.length - 1; index >= 0; index -= 1) {
    const message = messages[index] as MessageBody
    if (message.seq <= from || (mark !== null && message.timestamp <= mark)) break
    if (message.senderEmail === room.peer && message.kind !== 'change') count += 1
  }
  return count
}

/** Whether a conversation is not to call for attention: nothing was agreed to yet, or nothing is wanted any more. */
export const isQuiet = ({ request, blocked }: Room): boolean => blocked || request === 'incoming' || request === 'unknown'

/** How many messages of the peer call for attention. */
export const countedUnread = (room: Room): number => (isQuiet(room) || isCleared(room) ? 0 : unreadOf(room))

/** What is unread in all conversations that are known, but for those that are quiet. */
export function totalUnread(state: ChatState): number {
  return Object.values(state.rooms).reduce((sum, room) => sum + countedUnread(room), 0)
}

/** Requests of others that the user has neither accepted nor blocked, the newest first. */
export const requests = (state: ChatState): Room[] =>
  conversations(state).filter(({ request, blocked }) => request === 'incoming' && !blocked)

/** The day of a timestamp, by which the server sorts conversations. */
export const dayOf = (timestamp: string): string => timestamp.slice(0, 'YYYY-MM-DD'.length)

/** Conversations with something in them that are no requests of others, the newest first, up to where none is missing between them. */
export function listedConversations(state: ChatState): Room[] {
  const { partialDay } = state.list
  const written = new Set(state.pending.map(({ peer }) => peer))
  const isListed = ({ peer, last }: Room) =>
    partialDay === null || written.has(peer) || (last !== null && dayOf(last.timestamp) > partialDay)
  // One of which nothing is known but what has just come may be a request.
  const isOwn = ({ peer, request, last }: Room) =>
    request !== 'incoming' && !(request === 'unknown' && last?.senderEmail === peer && !written.has(peer))
  return conversations(state).filter((room) => isListed(room) && isOwn(room))
}

/** All known conversations with something in them, the newest first. */
export function conversations(state: ChatState): Room[] {
  const written = new Map<string, number>()
  for (const { peer, createdAt } of state.pending) written.set(peer, createdAt)
  const said = (room: Room) => (room.last === null || isCleared(room) ? 0 : Date.parse(room.last.timestamp))
  const newest = (room: Room) => Math.max(said(room), written.get(room.peer) ?? 0)
  return Object.values(state.rooms)
    .filter((room) => newest(room) > 0)
    .map((room) => ({ room, at: newest(room) }))
    .sort((a, b) => b.at - a.at || (a.room.peer < b.room.peer ? -1 : 1))
    .map(({ room }) => room)
}
