'use client'

import { memo } from 'react'
import { useTranslations } from 'use-intl'
import { useChatClient } from '@/context/ChatSocketContext'
import { type MessageBody, type Pending, splitLinks } from '@/lib/chat'
import { formatDay, formatExact, formatTime, isSameDay } from '@/lib/format'
import type { Locale } from '@/lib/locale'
import { AlertIcon, ClockIcon, ReadIcon, SentIcon } from './icons'
import { reasonKey } from './preview'
import { useLocale } from './useLocale'

/** A row of the list: a message that is stored, or one that is not yet. */
export type Item = { kind: 'stored'; message: MessageBody } | { kind: 'pending'; entry: Pending }

interface Props {
  item: Item
  before: Item | null
  next: Item | null
  mine: boolean
  /** What the peer is called. */
  name: string
  readUpTo: string | null
  /** Whether older ones will come above it: what is above it then must not move it. */
  continued: boolean
  /** Whether the unread ones begin here. */
  divider: boolean
}

/** Messages of one person within this time belong together. */
const GROUP_MS = 3 * 60_000

export const timeOf = (item: Item): number => (item.kind === 'stored' ? Date.parse(item.message.timestamp) : item.entry.createdAt)
const senderOf = (item: Item, name: string): string => (item.kind === 'stored' ? item.message.senderEmail : `me, not ${name}`)
const isPlaced = (item: Item): boolean => item.kind === 'stored'

function belongTogether(a: Item | null, b: Item | null, name: string): boolean {
  if (a === null || b === null || isPlaced(a) !== isPlaced(b)) return false
  const [from, to] = [timeOf(a), timeOf(b)]
  return senderOf(a, name) === senderOf(b, name) && Math.abs(to - from) < GROUP_MS && isSameDay(from, to)
}

export const MessageRow = memo(Row, (a, b) => {
  const same = (x: Item | null, y: Item | null) => x === y || (x !== null && y !== null && contentOf(x) === contentOf(y))
  return (
    same(a.item, b.item) &&
    same(a.before, b.before) &&
    same(a.next, b.next) &&
    a.mine === b.mine &&
    a.continued === b.continued &&
    a.divider === b.divider &&
    a.name === b.name &&
    isRead(a) === isRead(b)
  )
})

const contentOf = (item: Item): MessageBody | Pending => (item.kind === 'stored' ? item.message : item.entry)

function isRead({ item, readUpTo }: Props): boolean {
  return item.kind === 'stored' && (item.message.read || (readUpTo !== null && item.message.timestamp <= readUpTo))
}

function Row(props: Props) {
  const { item, before, next, mine, name, continued, divider } = props
  const t = useTranslations()
  const locale = useLocale()
  const at = timeOf(item)
  const begins = !(continued || belongTogether(before, item, name)) || divider
  const ends = !belongTogether(item, next, name)
  const failed = item.kind === 'pending' && item.entry.status === 'failed'
  const newDay = before === null ? !continued : !isSameDay(timeOf(before), at)
  return (
    // The space between groups is below each: what comes above a message moves nothing in it.
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
          className={`min-w-0 max-w-[min(34rem,82%)] border px-3.5 py-2 leading-[1.4] ${mine ? 'border-transparent bg-mine text-on-mine' : 'border-line bg-surface'} ${shape(mine, begins, ends)} ${failed ? 'opacity-70' : ''}`}
        >
          <span className="sr-only">{mine ? t('message.mine') : name}: </span>
          <Body item={item} locale={locale} />
        </div>
        {(ends || failed) && (
          <span
            className={`flex shrink-0 items-center gap-1 pb-0.5 text-[0.6875rem] text-muted tabular-nums ${mine ? 'flex-row-reverse' : ''}`}
          >
            {mine && <State status={failed ? 'failed' : item.kind === 'pending' ? 'sending' : isRead(props) ? 'read' : 'sent'} />}
            <time dateTime={new Date(at).toISOString()} title={formatExact(locale, at)}>
              {formatTime(locale, at)}
            </time>
          </span>
        )}
      </div>
      {item.kind === 'pending' && <Trouble entry={item.entry} />}
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

function Body({ item, locale }: { item: Item; locale: Locale }) {
  const t = useTranslations('message')
  if (item.kind === 'pending') return <Text text={item.entry.text} />
  const { kind, message, attachment, proposal, proposalAnswer } = item.message
  if (kind === 'image' && attachment !== undefined) {
    return (
      <>
        <p>{attachment.alt ?? t('image', { width: attachment.width, height: attachment.height })}</p>
        {message !== '' && <Text text={message} />}
      </>
    )
  }
  if (kind === 'matchProposal' && proposal !== undefined) {
    const { teamName, opponentTeamName, matchAt, place } = proposal
    return (
      <Text
        text={t('proposal', { team: teamName, opponent: opponentTeamName, when: formatExact(locale, Date.parse(matchAt)), place })}
      />
    )
  }
  if (kind === 'matchProposalAnswer' && proposalAnswer !== undefined) {
    const key = { accepted: 'answerAccepted', declined: 'answerDeclined', withdrawn: 'answerWithdrawn' } as const
    return <p>{t(key[proposalAnswer.answer])}</p>
  }
  return <Text text={message} />
}

/** A text as it was written. What is in it cannot reach outside of it: not by markup, not by direction, not by stacked marks. */
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
  if (entry.status === 'queued') {
    if (entry.reason === undefined) return null
    return <p className="mt-1 text-right text-muted text-xs">{t(`reason.${reasonKey(entry.reason)}`)}</p>
  }
  return (
    <div className="mt-1 flex flex-wrap items-center justify-end gap-x-1 text-xs">
      <span className="text-danger">
        {t('message.failed')}: {t(`reason.${reasonKey(entry.reason)}`)}
      </span>
      <button
        type="button"
        onClick={() => void client.retry(entry.id)}
        className="rounded px-1.5 py-1 font-medium text-accent-text hover:bg-hover"
      >
        {t('message.retry')}
      </button>
      <button
        type="button"
        onClick={() => void client.discard(entry.id)}
        className="rounded px-1.5 py-1 font-medium text-muted hover:bg-hover hover:text-text"
      >
        {t('message.delete')}
      </button>
    </div>
  )
}
