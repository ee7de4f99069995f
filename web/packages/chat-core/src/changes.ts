import { PREVIEW_MAX_CHARS } from './limits'
import { type Change, isChange, type Pending, type PendingChange } from './pending'
import { type Applied, type LastMessage, lowerBound, type Room } from './state'
import { beginning } from './text'
import type { ChangedFrame, MessageBody } from './wire'

/** An entry of a conversation that tells of a change. It has a number, and is no message. */
export const isEntry = ({ kind }: Pick<MessageBody, 'kind'>): boolean => kind === 'change'

/** Whether nothing changes a message any more. */
export const isFinal = ({ kind }: Pick<MessageBody, 'kind'>): boolean => kind === 'deleted' || kind === 'erased'

/** The entry that a frame tells of. */
export function entryOf({ message, ...frame }: ChangedFrame): MessageBody {
  const { senderEmail, receiverEmail } = message
  return {
    roomId: frame.roomId,
    timestamp: frame.timestamp,
    seq: frame.seq,
    senderEmail: frame.senderEmail,
    receiverEmail: frame.senderEmail === senderEmail ? receiverEmail : senderEmail,
    message: '',
    read: false,
    kind: 'change',
    clientMessageId: frame.clientMessageId,
    target: frame.target,
  }
}

/** Of two states of one message the later one. `held` itself, when there is nothing new in `found`. */
export function laterState(held: MessageBody, found: MessageBody): MessageBody {
  const isLater = !isFinal(held) && (isFinal(found) || (found.changedBy ?? 0) > (held.changedBy ?? 0))
  const read = held.read || found.read
  if (!isLater) {
    const quoted = held.quoted ?? (isFinal(held) ? undefined : found.quoted)
    if (read === held.read && quoted === held.quoted) return held
    return { ...held, read, ...(quoted === undefined ? {} : { quoted }) }
  }
  // Where a state does not say what is quoted, it is what it was.
  const quoted = found.quoted ?? (found.replyTo === undefined ? undefined : held.quoted)
  return { ...found, read, ...(quoted === undefined ? {} : { quoted }) }
}

/** What is known of changed messages, by their timestamps: of those too that are not loaded. */
export type Learnt = Readonly<Record<string, MessageBody>>

/** With these states, as far as they are later than what is known. */
export function learn(learnt: Learnt, found: readonly MessageBody[]): Learnt {
  let known: Record<string, MessageBody> | null = null
  for (const state of found) {
    if (isEntry(state) || (state.changedBy === undefined && !isFinal(state))) continue
    const held = (known ?? learnt)[state.timestamp]
    const later = held === undefined ? state : laterState(held, state)
    if (later === held) continue
    known ??= { ...learnt }
    known[state.timestamp] = later
  }
  return known ?? learnt
}

/** Messages with what became of them. */
export function withStates(messages: readonly MessageBody[], found: readonly MessageBody[]): readonly MessageBody[] {
  let changed: MessageBody[] | null = null
  for (const state of found) {
    const index = lowerBound(messages, state.seq)
    const held = (changed ?? messages)[index]
    if (held?.timestamp !== state.timestamp) continue
    const later = laterState(held, state)
    if (later === held) continue
    changed ??= [...messages]
    changed[index] = later
  }
  return changed ?? messages
}

/** Those whose effect the server has not shown yet. */
export function unshown(applied: readonly Applied[], learnt: Learnt): readonly Applied[] {
  const left = applied.filter(({ change, seq }) => {
    const state = learnt[change.target]
    return state === undefined || !(isFinal(state) || (state.changedBy ?? 0) >= seq)
  })
  return left.length === applied.length ? applied : left
}

/** A message once a change of the user `me`, made at `at`, is applied to it. */
export function changedBy(message: MessageBody, change: Change, me: string, at: string): MessageBody {
  if (isFinal(message)) return message
  switch (change.kind) {
    case 'react': {
      const { [me]: _, ...others } = message.reactions ?? {}
      const reactions = change.emoji.length === 0 ? others : { ...others, [me]: [...change.emoji] }
      return { ...message, reactions: Object.keys(reactions).length === 0 ? undefined : reactions }
    }
    case 'edit':
      return { ...message, message: change.text, editedAt: at }
    case 'delete': {
      const { roomId, timestamp, seq, senderEmail, receiverEmail, read, clientMessageId } = message
      return { roomId, timestamp, seq, senderEmail, receiverEmail, read, clientMessageId, message: '', kind: 'deleted' }
    }
  }
}

/** A message with the user's changes of it that the server has acknowledged, and not shown. */
export function withApplied(message: MessageBody, applied: readonly Applied[], me: string): MessageBody {
  return applied
    .filter(({ change, seq }) => change.target === message.timestamp && seq > (message.changedBy ?? 0))
    .reduce((changed, { change, at }) => changedBy(changed, change, me, at), message)
}

/**
 * The messages of a conversation as they are to be shown: without entries that tell of changes, and with the user's own changes,
 * whether or not they have left. The list of the room itself, when that is the same.
 */
export function shownMessages(
  { messages, applied }: Pick<Room, 'messages' | 'applied'>,
  changes: readonly PendingChange[],
  me: string,
): readonly MessageBody[] {
  const waiting = changes.filter(({ status }) => status === 'queued')
  if (waiting.length === 0 && applied.length === 0)
    return messages.some(isEntry) ? messages.filter((one) => !isEntry(one)) : messages
  const isOf = ({ target, of }: PendingChange, { timestamp, senderEmail, clientMessageId }: MessageBody) =>
    target === timestamp || (target === null && of === clientMessageId && senderEmail === me)
  return messages
    .filter((message) => !isEntry(message))
    .map((message) =>
      waiting
        .filter((change) => isOf(change, message))
        .reduce(
          (changed, change) => changedBy(changed, change, me, new Date(change.createdAt).toISOString()),
          withApplied(message, applied, me),
        ),
    )
}

/** What is to be sent, as it is to be shown: in the words that it was given since, and without what is to be deleted once it is sent. */
export function shownPending(pending: readonly Pending[], changes: readonly PendingChange[]): readonly Pending[] {
  const waiting = changes.filter(({ status, target }) => status === 'queued' && target === null)
  if (waiting.length === 0) return pending
  return pending
    .filter(({ id }) => !waiting.some(({ kind, of }) => kind === 'delete' && of === id))
    .map((entry) => {
      const edit = waiting.findLast((change) => change.kind === 'edit' && change.of === entry.id)
      return edit?.kind === 'edit' ? { ...entry, text: edit.text } : entry
    })
}

/** What a list shows of a conversation, with the user's own changes that have not left yet. What it has, when there are none. */
export function shownLast(last: LastMessage | null, changes: readonly PendingChange[], me: string): LastMessage | null {
  if (last === null || last.senderEmail !== me || isFinal(last)) return last
  const { at = last.timestamp } = last
  let shown = last
  for (const change of changes) {
    if (change.status !== 'queued' || change.target !== at) continue
    if (change.kind === 'edit') shown = { ...shown, preview: beginning(change.text, PREVIEW_MAX_CHARS) }
    if (change.kind === 'delete') shown = { ...shown, kind: 'deleted', preview: '' }
  }
  return shown
}

/** The user's changes of a message that were refused. */
export const refusedChanges = (changes: readonly PendingChange[], timestamp: string): readonly PendingChange[] =>
  changes.filter(({ target, status }) => target === timestamp && status === 'failed')

/** The changes among what waits to be sent, and the rest. */
export function apart(queued: readonly (Pending | PendingChange)[]): { pending: Pending[]; changes: PendingChange[] } {
  const pending: Pending[] = []
  const changes: PendingChange[] = []
  for (const entry of queued) {
    if (isChange(entry)) changes.push(entry)
    else pending.push(entry)
  }
  return { pending, changes }
}
