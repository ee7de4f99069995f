import type { AttachmentBody, ClientFrame, ErrorCode, HeaderBody, MessageBody, ProposalAnswerBody, ProposalBody } from './wire'

/** The `after` of a message in a conversation that is known to be empty. */
export const EPOCH = '1970-01-01T00:00:00.000Z'

/** An image of ours on its way. Its bytes are in the outbox, beside the message. */
export interface PendingImage extends Omit<AttachmentBody, 'key'> {
  /** Where its bytes go. It is kept before the first attempt, so that another attempt is no second upload. */
  readonly upload?: {
    readonly key: string
    readonly url: string
    readonly headers: readonly HeaderBody[]
    readonly expiresAt: string
  }
  /** Whether the bytes are there. From then on the message may have been sent. */
  readonly uploaded: boolean
}

/** The name of a kind of an application's own. */
export type OwnKind = `x-${string}`

const isOwn = (kind: string): boolean => kind.startsWith('x-')

/** A message of an application's own kind: what it says, as JSON, and words for those who do not know the kind. */
export interface OwnContent {
  readonly kind: OwnKind
  readonly text: string
  readonly body: unknown
}

/**
 * All that can be sent, by the kind of message that it becomes. Its words are empty beside a proposal or an answer, and the preview of an
 * application's own kind.
 */
export type Content =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'image'; readonly text: string; readonly image: PendingImage }
  | { readonly kind: 'matchProposal'; readonly text: string; readonly proposal: ProposalBody }
  | { readonly kind: 'matchProposalAnswer'; readonly text: string; readonly answer: ProposalAnswerBody }
  | OwnContent

/**
 * Why a message waits or failed; `unanswered`: the server is slow, or the connection dead; `imageLost`: this device no longer has the image; `notKept`: it did not take the message;
 * `outdated`: it did not, because a newer version of the page is in use; `cleared`: nobody knows whether it was sent, since the user has
 * cleared the part of the conversation that it would be in.
 */
export type PendingReason = ErrorCode | 'unanswered' | 'imageLost' | 'notKept' | 'outdated' | 'cleared'

/** How far a message of ours has come. */
export interface SendState {
  /**
   * The newest timestamp of the conversation that was known when it was written; `null` when nothing was known, to be filled in
   * before the first attempt.
   */
  readonly after: string | null
  readonly status: 'queued' | 'failed'
  /** Why it failed; while it is queued, why it waits. */
  readonly reason?: PendingReason | undefined
  /** Whether nobody has begun to send it, so that it can still be taken back. It is set on what is written without a connection. */
  readonly unattempted?: boolean
}

interface Named {
  /** The `clientMessageId` that it is sent with. */
  readonly id: string
  readonly peer: string
  /** When it was written, in milliseconds since 1970. */
  readonly createdAt: number
}

/** A message of ours that is not acknowledged yet. What is stored of it survives a reload, a crash, and being offline. */
export type Pending = Content &
  SendState &
  Named & {
    /** The timestamp of the message that it replies to. */
    readonly replyTo?: string
  }

/** What can be done to a message that was sent before. */
export type Change =
  /** All emoji of the user on it from now on. */
  | { readonly kind: 'react'; readonly emoji: readonly string[] }
  | { readonly kind: 'edit'; readonly text: string }
  /** For both. */
  | { readonly kind: 'delete' }

/** A change of ours that is not acknowledged yet. It goes the way of messages, and is as safe. */
export type PendingChange = Change &
  SendState &
  Named & {
    /** The timestamp of the message that it changes; `null` while that message waits itself, under the id `of`. */
    readonly target: string | null
    readonly of?: string
    /** It is not sent before that moment, in milliseconds since 1970, and can be taken back until then. */
    readonly heldUntil?: number
  }

/** All that waits to be sent. */
export type Queued = Pending | PendingChange

const CHANGES: Record<Change['kind'], true> = { react: true, edit: true, delete: true }

export const isChange = (entry: Queued): entry is PendingChange => entry.kind in CHANGES

/** One with an image. */
export type PendingWithImage = Extract<Pending, { kind: 'image' }>

/** What the server's message says of it. An image has a name there once it was uploaded. */
export function bodyOf(
  content: Content,
): Pick<MessageBody, 'kind' | 'message' | 'attachment' | 'proposal' | 'proposalAnswer' | 'preview' | 'body'> {
  const { kind, text: message } = content
  switch (content.kind) {
    case 'text':
      return { kind, message }
    case 'image': {
      const { upload, uploaded: _, ...facts } = content.image
      return upload === undefined ? { kind, message } : { kind, message, attachment: { ...facts, key: upload.key } }
    }
    case 'matchProposal':
      return { kind, message, proposal: content.proposal }
    case 'matchProposalAnswer':
      return { kind, message, proposalAnswer: content.answer }
    default:
      return { kind, message, ...(message === '' ? {} : { preview: message }), body: content.body }
  }
}

/** A frame that sends something of ours. */
export type QueuedFrame = { clientMessageId: string } & Extract<
  ClientFrame,
  { action: 'sendMessage' | 'react' | 'edit' | 'delete' }
>

/** The frame that sends it, the same one at every attempt. */
export function frameOf(entry: Queued, after: string): QueuedFrame {
  if (isChange(entry)) return changeFrameOf(entry, after)
  const { kind, message, ...body } = bodyOf(entry)
  return {
    action: 'sendMessage',
    receiverEmail: entry.peer,
    clientMessageId: entry.id,
    after,
    ...(entry.replyTo === undefined ? {} : { replyTo: entry.replyTo }),
    ...(message === '' || isOwn(kind) ? {} : { message }),
    ...(isOwn(kind) ? { kind } : {}),
    ...body,
  }
}

function changeFrameOf(change: PendingChange, after: string): QueuedFrame {
  if (change.target === null) throw new TypeError('a change waits for the message that it changes')
  const frame = { peerEmail: change.peer, target: change.target, clientMessageId: change.id, after }
  switch (change.kind) {
    case 'react':
      return { action: 'react', ...frame, emoji: [...change.emoji] }
    case 'edit':
      return { action: 'edit', ...frame, message: change.text }
    case 'delete':
      return { action: 'delete', ...frame }
  }
}

/** Nothing is held for longer: a clock that was put back must hold nothing for hours. */
const HELD_MAX_MS = 60_000

/** How long a change is still held. */
export function heldMs(entry: Queued, now: number): number {
  const left = isChange(entry) ? (entry.heldUntil ?? 0) - now : 0
  return left > 0 && left <= HELD_MAX_MS ? left : 0
}

/** Whether it can be sent now: a change may be held, or wait for the message that it changes. */
export const isSendable = (entry: Queued, now: number): boolean =>
  entry.status === 'queued' && !(isChange(entry) && (entry.target === null || heldMs(entry, now) > 0))

/** Whether it can still be taken back: it was refused, or cannot have been sent yet. */
export function isDiscardable(entry: Queued, now = Date.now()): boolean {
  if (entry.status === 'failed' || entry.unattempted === true) return true
  return isChange(entry) ? entry.target === null || heldMs(entry, now) > 0 : entry.kind === 'image' && !entry.image.uploaded
}

/** Whether it is an image that can wait until others were sent: no message can have named it yet. */
export function isPostponable(entry: Queued): boolean {
  return entry.status === 'queued' && entry.kind === 'image' && !entry.image.uploaded
}

/** A message with other words, if it cannot have been sent with those that it has. */
export function reworded<T extends Queued>(entry: T, text: string): T | undefined {
  if (isChange(entry) || !(entry.status === 'failed' || entry.unattempted === true)) return undefined
  return { ...(entry.status === 'failed' ? requeued(entry) : entry), text }
}

/** A change of a message that has its place by now. Nobody has sent it before, so it may be of that moment. */
export const placed = <T extends PendingChange>(change: T, target: string): T => ({ ...change, target, after: target })

/** Whether it waits for a message of ours. */
export const waitsFor = (entry: Queued, id: string): entry is PendingChange =>
  isChange(entry) && entry.target === null && entry.of === id

/** The `after` of what was not attempted yet, given the newest timestamp that is known: no earlier than what it names. */
export function afterOf(entry: Queued, newest: string): string {
  const named = isChange(entry) ? entry.target : entry.replyTo
  return named != null && named > newest ? named : newest
}

/** What was refused, to be sent again. What was refused was never stored, so it may be of that moment. */
export function requeued<T extends Queued>(entry: T): T {
  const anew = entry.reason === 'attachmentMissing' || entry.reason === 'attachmentRejected'
  return { ...(anew ? withoutUpload(entry) : entry), status: 'queued', reason: undefined, after: null }
}

/** With its image to be uploaded again: what was uploaded is missing, or no good. */
export function withoutUpload<T extends Queued>(entry: T): T {
  return entry.kind === 'image' ? { ...entry, image: { ...entry.image, upload: undefined, uploaded: false } } : entry
}

/** A message as earlier versions of the page kept it, and still do in other tabs: without its kind. */
export type Kindless<T extends Queued> = Omit<T, 'kind'> & { kind?: never }

/** What it has says which kind it is. */
export function withKind<T extends Queued>(entry: T | Kindless<T>): T {
  if (entry.kind !== undefined) return entry as T
  const content = entry as Partial<Record<'image' | 'proposal' | 'answer', unknown>>
  const kind =
    content.image !== undefined
      ? 'image'
      : content.proposal !== undefined
        ? 'matchProposal'
        : content.answer !== undefined
          ? 'matchProposalAnswer'
          : 'text'
  return { ...entry, kind } as unknown as T
}
