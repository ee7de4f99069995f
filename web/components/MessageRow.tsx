'use client'

import {
  isDiscardable,
  type MessageBody,
  type Pending,
  type ProposalBody,
  type ProposalState,
  splitLinks,
  type Verdict,
} from 'chat-core'
import { memo } from 'react'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { formatDay, formatExact, formatShare, formatTime, isSameDay } from '@/lib/format'
import { ClockIcon, ReadIcon, SentIcon } from './conversationIcons'
import { focusConversation } from './focus'
import { ImageBubble } from './ImageBubble'
import { AlertIcon } from './icons'
import { ProposalCard } from './ProposalCard'
import { reasonKey } from './preview'
import { useHeldUp } from './useHeldUp'
import { useLocale } from './useLocale'

/** A row of the list: a message that is stored, or one that is not yet. */
export type Item = MessageBody | Pending

interface Props {
  item: Item
  before: Item | null
  next: Item | null
  mine: boolean
  /** What the peer is called. */
  name: string
  readUpTo: string | null
  /** Whether older messages will be loaded above it. They must not move it when they come. */
  continued: boolean
  /** Whether the unread messages begin here. */
  divider: boolean
  /** Only for a proposal: how it stands, and the answer to it that is on its way. */
  standing?: ProposalState | undefined
  answering?: Verdict | null
  /** Only for an answer: the proposal that it answers, if that is loaded. */
  subject?: ProposalBody | undefined
}

/** Messages of one person within this time belong together. */
const GROUP_MS = 3 * 60_000

export const isStored = (item: Item): item is MessageBody => 'seq' in item
export const timeOf = (item: Item): number => (isStored(item) ? Date.parse(item.timestamp) : item.createdAt)
/** The sender, or `null` for everything that is not stored yet: one person wrote all of it. */
const senderOf = (item: Item): string | null => (isStored(item) ? item.senderEmail : null)

/** What a message shows, stored or not. */
export function shownOf(item: Item) {
  if (isStored(item)) {
    const { message: text, attachment: image, proposal, proposalAnswer: answer } = item
    return { text, image, proposal, answer }
  }
  return {
    text: item.text,
    image: item.kind === 'image' ? item.image : undefined,
    proposal: item.kind === 'matchProposal' ? item.proposal : undefined,
    answer: item.kind === 'matchProposalAnswer' ? item.answer : undefined,
  }
}

function belongTogether(a: Item | null, b: Item | null): boolean {
  if (a === null || b === null || senderOf(a) !== senderOf(b)) return false
  const [from, to] = [timeOf(a), timeOf(b)]
  return Math.abs(to - from) < GROUP_MS && isSameDay(from, to)
}

function isRead({ item, readUpTo }: Props): boolean {
  return isStored(item) && (item.read || (readUpTo !== null && item.timestamp <= readUpTo))
}

export const MessageRow = memo(Row)

function Row(props: Props) {
  const { item, before, next, mine, name, continued, divider } = props
  const t = useTranslations()
  const locale = useLocale()
  const at = timeOf(item)
  const begins = !(continued || belongTogether(before, item)) || divider
  const ends = !belongTogether(item, next)
  const failed = !isStored(item) && item.status === 'failed'
  const newDay = before === null ? !continued : !isSameDay(timeOf(before), at)
  return (
    // The space between groups is part of the upper one, so a message that is loaded above does not move this row.
    <div className={ends ? 'pb-3' : 'pb-0.5'}>
      {newDay && (
        <p className="flex justify-center py-3">
          <time dateTime={new Date(at).toISOString().slice(0, 10)} className="rounded-full bg-sunken px-3 py-1 text-muted text-xs">
            {formatDay(locale, at)}
          </time>
        </p>
      )}
      {divider && (
        <p className="flex items-center gap-3 pb-3 font-medium text-accent-text text-xs before:h-px before:flex-1 before:bg-accent-line after:h-px after:flex-1 after:bg-accent-line">
          {t('window.unread')}
        </p>
      )}
      <div className={`flex items-end gap-2 ${mine ? 'flex-row-reverse' : ''}`}>
        <div
          className={`min-w-0 max-w-[min(34rem,82%)] border leading-[1.4] ${item.kind === 'image' ? 'p-1' : 'px-3.5 py-2'} ${mine ? 'border-transparent bg-mine text-on-mine' : 'border-line bg-surface'} ${shape(mine, begins, ends)} ${failed ? 'opacity-70' : ''}`}
        >
          <span className="sr-only">{mine ? t('message.mine') : name}: </span>
          <Body {...props} />
        </div>
        {(ends || failed) && (
          <span
            className={`flex shrink-0 items-center gap-1 pb-0.5 text-[0.6875rem] text-muted tabular-nums ${mine ? 'flex-row-reverse' : ''}`}
          >
            {mine && <State status={failed ? 'failed' : !isStored(item) ? 'sending' : isRead(props) ? 'read' : 'sent'} />}
            <time dateTime={new Date(at).toISOString()} title={formatExact(locale, at)}>
              {formatTime(locale, at)}
            </time>
          </span>
        )}
      </div>
      {!isStored(item) && <Trouble entry={item} />}
    </div>
  )
}

function shape(mine: boolean, begins: boolean, ends: boolean): string {
  const corners = mine
    ? [begins ? '' : 'rounded-tr-md', ends ? '' : 'rounded-br-md']
    : [begins ? '' : 'rounded-tl-md', ends ? '' : 'rounded-bl-md']
  return `rounded-2xl ${corners.join(' ')}`
}

const STATES = {
  sending: { Icon: ClockIcon, className: 'size-3.5' },
  sent: { Icon: SentIcon, className: 'size-4' },
  read: { Icon: ReadIcon, className: 'size-4 text-accent-text' },
  failed: { Icon: AlertIcon, className: 'size-4 text-danger' },
}

function State({ status }: { status: keyof typeof STATES }) {
  const t = useTranslations('message')
  const { Icon, className } = STATES[status]
  return (
    <span title={t(status)} data-status={status}>
      <Icon className={className} />
      <span className="sr-only">{t(status)}</span>
    </span>
  )
}

function Body({ item, mine, standing = 'open', answering = null, subject }: Props) {
  const t = useTranslations('message')
  const { text, image, proposal, answer } = shownOf(item)
  if (image !== undefined) {
    // An image that is pending has no key yet; it is shown from the bytes that the outbox keeps.
    const [id, key] = isStored(item) ? [item.clientMessageId, item.attachment?.key] : [item.id, undefined]
    return (
      <>
        <ImageBubble name={{ id, key, type: image.contentType }} facts={image} />
        {text !== '' && (
          <div className="px-2.5 pt-1.5 pb-1">
            <Text text={text} />
          </div>
        )}
      </>
    )
  }
  if (proposal !== undefined) {
    const [peer, at] = isStored(item) ? [mine ? item.receiverEmail : item.senderEmail, item.timestamp] : [item.peer, null]
    return <ProposalCard proposal={proposal} state={standing} mine={mine} at={at} peer={peer} answering={answering} />
  }
  if (answer !== undefined) {
    const said = t(ANSWERS[answer.answer])
    return (
      <>
        <p className="font-medium">{said}</p>
        {subject !== undefined && (
          <p className="text-sm opacity-75">
            <bdi>{subject.teamName}</bdi> – <bdi>{subject.opponentTeamName}</bdi>
          </p>
        )}
      </>
    )
  }
  if (item.kind === 'erased') return <p className="italic opacity-75">{t('erased')}</p>
  return <Text text={text} />
}

const ANSWERS = { accepted: 'answerAccepted', declined: 'answerDeclined', withdrawn: 'answerWithdrawn' } as const

/** A text as it was written. Markup, writing direction and stacked marks in it have no effect outside of it. */
function Text({ text }: { text: string }) {
  return (
    <p dir="auto" className="message-text">
      {splitLinks(text).map((part, index) =>
        part.kind === 'text' ? (
          part.text
        ) : (
          <a
            // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text never change
            key={index}
            href={part.href}
            target="_blank"
            rel="noopener noreferrer nofollow"
            className="underline decoration-1 underline-offset-2"
          >
            {part.text}
          </a>
        ),
      )}
    </p>
  )
}

/** Why a message has not left, and what can be done. */
function Trouble({ entry }: { entry: Pending }) {
  const t = useTranslations()
  const client = useChatClient()
  const locale = useLocale()
  const share = useChat((state) => state.progress[entry.id] ?? null)
  const discard = () => void client.discard(entry.id)
  const heldUp = useHeldUp(entry)
  if (entry.status === 'queued') {
    const words = entry.reason === undefined ? null : t(`reason.${reasonKey(entry.reason)}`)
    if (entry.kind !== 'image' || !isDiscardable(entry))
      return words === null ? null : <p className="mt-1 text-right text-muted text-xs">{words}</p>
    return (
      <div className="mt-1 flex flex-wrap items-center justify-end gap-x-2 text-muted text-xs">
        <span>{words ?? (share === null ? t('image.waiting') : t('image.uploading', { share: formatShare(locale, share) }))}</span>
        {share !== null && <progress aria-label={t('image.progress')} value={share} max={1} className="progress" />}
        {heldUp && (
          <Action strong onClick={() => void client.textsFirst(entry.peer)}>
            {t('message.textsFirst')}
          </Action>
        )}
        <Action onClick={discard}>{t('image.stop')}</Action>
      </div>
    )
  }
  // Another attempt would fail in the same way.
  const final = entry.reason === 'imageLost' || entry.reason === 'proposalState' || entry.reason === 'outdated'
  return (
    <div className="mt-1 flex flex-wrap items-center justify-end gap-x-1 text-xs">
      <span className="text-danger">
        {t('message.failed')}: {t(`reason.${reasonKey(entry.reason)}`)}
      </span>
      <span className="-mr-1.5 flex">
        {!final && (
          <Action strong onClick={() => void client.retry(entry.id)}>
            {t('message.retry')}
          </Action>
        )}
        <Action onClick={discard}>{t('message.delete')}</Action>
      </span>
    </div>
  )
}

/** The button disappears when it is pressed, so the focus moves to the conversation first. */
function Action({ strong = false, onClick, children }: { strong?: boolean; onClick(): void; children: string }) {
  return (
    <button
      type="button"
      onClick={() => {
        onClick()
        focusConversation()
      }}
      className={`rounded px-1.5 py-1 font-medium hover:bg-hover ${strong ? 'text-accent-text' : 'text-muted hover:text-text'}`}
    >
      {children}
    </button>
  )
}
