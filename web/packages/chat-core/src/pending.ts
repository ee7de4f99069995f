import type { AttachmentBody, ErrorCode, HeaderBody, MessageBody, ProposalAnswerBody, ProposalBody, SendMessageFrame } from './wire'

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

/** All that can be sent, by the kind of message that it becomes. Its words are empty beside a proposal or an answer. */
export type Content =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'image'; readonly text: string; readonly image: PendingImage }
  | { readonly kind: 'matchProposal'; readonly text: string; readonly proposal: ProposalBody }
  | { readonly kind: 'matchProposalAnswer'; readonly text: string; readonly answer: ProposalAnswerBody }

/**
 * Why a message waits or failed; `unanswered`: the server is slow, or the connection dead; `imageLost`: this device no longer has the image; `notKept`: it did not take the message;
 * `outdated`: it did not, because a newer version of the page is in use.
 */
export type PendingReason = ErrorCode | 'unanswered' | 'imageLost' | 'notKept' | 'outdated'

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
}

/** A message of ours that is not acknowledged yet. What is stored of it survives a reload, a crash, and being offline. */
export type Pending = Content &
  SendState & {
    /** Its `clientMessageId`. */
    readonly id: string
    readonly peer: string
    /** When it was written, in milliseconds since 1970. */
    readonly createdAt: number
  }

/** One with an image. */
export type PendingWithImage = Extract<Pending, { kind: 'image' }>

/** What the server's message says of it. An image has a name there once it was uploaded. */
export function bodyOf(content: Content): Pick<MessageBody, 'kind' | 'message' | 'attachment' | 'proposal' | 'proposalAnswer'> {
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
  }
}

/** A frame that sends a message of ours. */
export type MessageFrame = { action: 'sendMessage'; clientMessageId: string } & SendMessageFrame

/** The frame that sends it, the same one at every attempt. */
export function frameOf(entry: Pending, after: string): MessageFrame {
  const { kind: _, message, ...body } = bodyOf(entry)
  return {
    action: 'sendMessage',
    receiverEmail: entry.peer,
    clientMessageId: entry.id,
    after,
    ...(message === '' ? {} : { message }),
    ...body,
  }
}

/** Whether a message can still be taken back: it was refused, or cannot have been sent yet. */
export function isDiscardable(entry: Pending): boolean {
  return entry.status === 'failed' || (entry.kind === 'image' && !entry.image.uploaded)
}

/** Whether it is an image that can wait until others were sent: no message can have named it yet. */
export function isPostponable(entry: Pending): boolean {
  return entry.status === 'queued' && entry.kind === 'image' && !entry.image.uploaded
}

/** A refused message, to be sent again. What was refused was never stored, so it may be of that moment. */
export function requeued<T extends Pending>(entry: T): T {
  const anew = entry.reason === 'attachmentMissing' || entry.reason === 'attachmentRejected'
  return { ...(anew ? withoutUpload(entry) : entry), status: 'queued', reason: undefined, after: null }
}

/** With its image to be uploaded again: what was uploaded is missing, or no good. */
export function withoutUpload<T extends Pending>(entry: T): T {
  return entry.kind === 'image' ? { ...entry, image: { ...entry.image, upload: undefined, uploaded: false } } : entry
}

/** A message as earlier versions of the page kept it, and still do in other tabs: without its kind. */
export type Kindless<T extends Pending> = Omit<T, 'kind'> & { kind?: never }

/** What it has says which kind it is. */
export function withKind<T extends Pending>(entry: T | Kindless<T>): T {
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
