'use client'

import {
  isFewEmoji,
  isFinal,
  isKnown,
  type KnownKind,
  type Pending,
  type PendingChange,
  type ProposalBody,
  type ProposalState,
  type Verdict,
} from 'chat-core'
import { type ComponentType, type CSSProperties, memo } from 'react'
import { useTranslations } from 'use-intl'
import { dayOf, formatDay, formatExact, formatTime, isSameDay } from '@/lib/format'
import { belongTogether, type Cell, endsAlbum, endsLine } from './albums'
import { Boundary } from './Boundary'
import { useNow, useZone } from './clock'
import { ClockIcon, ReadIcon, SentIcon } from './conversationIcons'
import { ImageBubble, shownSize } from './ImageBubble'
import { AlertIcon } from './icons'
import { type Item, isStored, type Shown, shownOf, timeOf } from './items'
import { isLong, MessageText } from './MessageText'
import { OnDemand, Part } from './OnDemand'
import { OWN_KINDS } from './ownKinds'
import { PartMissing } from './PartMissing'
import { ANSWERS } from './preview'
import type { Quoted } from './Quote'
import { useLocale } from './useLocale'

/** A row of one line, and what it is more when another person's follows. */
const ROW_PX = 41
const GROUP_PX = 10
const LINE_PX = 21
/** A row of large emoji. */
const EMOJI_PX = 51
/** A proposal without a remark; and what is below an image without words. */
const PROPOSAL_PX = 196
const IMAGE_GAP_PX = 2
/** How wide an album is, at most. */
const ALBUM_PX = 320
const LINE_CHARACTERS = 40
/** What is replied to, emoji below a message, and that it was edited. */
const QUOTE_PX = 56
const REACTIONS_PX = 34
const EDITED_PX = 16
/** What is shown of a long text, and the button below it. */
const LONG_LINES = 22

const proposalCard = new Part(() => import('./ProposalCard'))
const albumUpload = new Part(() => import('./AlbumUpload'))
const quote = new Part(() => import('./Quote'))
const reactionsPart = new Part(() => import('./Reactions'))
const trouble = new Part(() => import('./Trouble'))
const changeTrouble = new Part(() => import('./ChangeTrouble'))

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
  /** Its place in an album, if it is in one. */
  cell?: Cell | undefined
  /** Only for a reply: what it replies to, as far as that is known. */
  quoted?: Quoted | null
  /** Changes of it that were refused. */
  refused?: readonly PendingChange[] | undefined
  /** Whether nobody can leave emoji on it. */
  fixed?: boolean
  /** Only for a proposal: how it stands, and the answer to it that is on its way. */
  standing?: ProposalState | undefined
  answering?: Verdict | null
  /** Whether there may be an answer that is not loaded. */
  unsure?: boolean
  /** Only for an answer: the proposal that it answers, if that is loaded. */
  subject?: ProposalBody | undefined
}

const peerOf = (item: Item, mine: boolean): string => (!isStored(item) ? item.peer : mine ? item.receiverEmail : item.senderEmail)

function isRead({ item, readUpTo }: Props): boolean {
  return isStored(item) && (item.read || (readUpTo !== null && item.timestamp <= readUpTo))
}

export const MessageRow = memo(Row)

function Row(props: Props) {
  const { item, before, next, continued, divider, cell } = props
  const t = useTranslations()
  useZone()
  const at = timeOf(item)
  const begins = !(continued || belongTogether(before, item)) || divider
  const ends = cell === undefined || endsAlbum(cell) ? !belongTogether(item, next) : false
  const newDay = before === null ? !continued : !isSameDay(timeOf(before), at)
  return (
    // The space between groups is part of the upper one, so a message that is loaded above does not move this row.
    <div className={ends ? 'pb-3' : cell !== undefined && !endsLine(cell) ? '' : 'pb-0.5'}>
      {newDay && (
        <p className="flex justify-center py-3">
          <Day at={at} className="rounded-full bg-sunken px-3 py-1 text-muted text-xs" />
        </p>
      )}
      {divider && (
        <p className="flex items-center gap-3 pb-3 font-medium text-accent-text text-xs before:h-px before:flex-1 before:bg-accent-line after:h-px after:flex-1 after:bg-accent-line">
          {t('window.unread')}
        </p>
      )}
      {cell === undefined ? <Bubble {...props} begins={begins} ends={ends} /> : <Photo {...props} cell={cell} ends={ends} />}
      <Left {...props} />
      {props.refused !== undefined && (
        <OnDemand part={changeTrouble} props={{ refused: props.refused }} failed={(retry) => <PartMissing onRetry={retry} />} />
      )}
      {!isStored(item) && isTroubled(item) && (cell === undefined || endsAlbum(cell)) && (
        <OnDemand
          part={trouble}
          props={{ entry: item, inAlbum: cell !== undefined }}
          failed={(retry) => <PartMissing onRetry={retry} className="mt-1 text-right text-xs" />}
        />
      )}
    </div>
  )
}

/** The emoji that were left on a message. */
function Left({ item, mine, fixed = false }: Props) {
  if (!isStored(item) || item.reactions === undefined || isFinal(item)) return null
  return (
    <div className={`flex ${mine ? 'justify-end' : ''}`}>
      <OnDemand
        part={reactionsPart}
        props={{ message: item, peer: peerOf(item, mine), fixed }}
        // The room that a line of them takes.
        waiting={<div className="mt-1 mb-0.5 h-6.5 pointer-coarse:h-8" />}
        failed={(retry) => <PartMissing onRetry={retry} />}
      />
    </div>
  )
}

/** A day by its name, which changes at midnight. */
export function Day({ at, className }: { at: number; className: string }) {
  const locale = useLocale()
  return (
    <time dateTime={dayOf(at)} className={className}>
      {formatDay(locale, at, useNow())}
    </time>
  )
}

/** Whether there is more to say of a message than that it has not left yet. */
const isTroubled = ({ status, kind, reason }: Pending): boolean => status === 'failed' || kind === 'image' || reason !== undefined

/** A message in a bubble of its own. */
function Bubble(props: Props & { begins: boolean; ends: boolean }) {
  const { item, mine, begins, ends } = props
  const failed = !isStored(item) && item.status === 'failed'
  return (
    <div className={`flex items-end gap-2 ${mine ? 'flex-row-reverse' : ''}`}>
      <div
        data-bubble
        className={`relative min-w-0 max-w-[min(34rem,82%)] pointer-coarse:select-none leading-[1.4] ${isStored(item) ? '' : 'arriving'} ${frame(item, mine)} ${shape(mine, begins, ends)} ${failed ? 'opacity-70' : ''}`}
      >
        <Sender {...props} />
        {item.replyTo !== undefined && (
          <OnDemand
            part={quote}
            props={{ at: item.replyTo, quoted: props.quoted ?? null, inset: item.kind !== 'text' }}
            // The room that most of them take.
            waiting={<div className="mb-1 h-13" />}
            failed={(retry) => <PartMissing onRetry={retry} />}
          />
        )}
        <Body {...props} />
        {isStored(item) && item.editedAt !== undefined && <Edited at={item.editedAt} inset={item.kind !== 'text'} />}
      </div>
      {(ends || failed) && <Meta {...props} failed={failed} />}
    </div>
  )
}

/** A photo of an album. Only the last one of each line takes room in the list; the others stand beside it. */
function Photo(props: Props & { cell: Cell; ends: boolean }) {
  const { item, mine, cell, ends } = props
  const { column, columns, line, lines } = cell
  const { message: text, image } = shownOf(item)
  if (image === undefined) return null
  return (
    <div className={`flex gap-2 ${mine ? 'flex-row-reverse' : ''} ${endsLine(cell) ? 'items-end' : 'h-0 items-start'}`}>
      {/* Of a width that no time beside it changes, or its lines would not be equally wide. */}
      <div className="w-[min(20rem,70%)] shrink-0">
        <div
          data-bubble
          className="cell relative pointer-coarse:select-none"
          // By the element's own properties, which the page's policy allows: React sets no attribute.
          style={{ '--column': column, '--columns': columns, '--line': line, '--lines': lines } as CSSProperties}
        >
          <Sender {...props} />
          <ImageBubble name={nameOfImage(item, image.contentType)} facts={image} peer={peerOf(item, mine)} fit="cell" />
          {!isStored(item) && <OnDemand part={albumUpload} props={{ entry: item }} failed={() => null} />}
        </div>
        {text !== '' && (
          <div className={`mt-0.5 w-fit rounded-2xl border px-3.5 py-2 leading-[1.4] ${side(mine)}`}>
            <MessageText text={text} />
          </div>
        )}
      </div>
      {ends && <Meta {...props} failed={false} />}
    </div>
  )
}

function Sender({ mine, name }: Props) {
  const t = useTranslations('message')
  return <span className="sr-only">{mine ? t('mine') : name}: </span>
}

/** That the words are not those that were sent, and since when. */
function Edited({ at, inset }: { at: string; inset: boolean }) {
  const t = useTranslations('message')
  const locale = useLocale()
  return (
    <p className={`text-right text-[0.6875rem] opacity-75 ${inset ? 'px-3.5 pb-1.5' : ''}`}>
      <time dateTime={at} title={t('editedAt', { time: formatExact(locale, Date.parse(at)) })}>
        {t('edited')}
      </time>
    </p>
  )
}

/** When it was sent, and how far one's own has come. */
function Meta(props: Props & { failed: boolean }) {
  const { item, mine, failed } = props
  const locale = useLocale()
  const at = timeOf(item)
  return (
    <span
      className={`flex shrink-0 items-center gap-1 pb-0.5 text-[0.6875rem] text-muted tabular-nums ${mine ? 'flex-row-reverse' : ''}`}
    >
      {mine && <State status={failed ? 'failed' : !isStored(item) ? 'sending' : isRead(props) ? 'read' : 'sent'} />}
      <time dateTime={new Date(at).toISOString()} title={formatExact(locale, at)}>
        {formatTime(locale, at)}
      </time>
    </span>
  )
}

const side = (mine: boolean): string => (mine ? 'border-transparent bg-mine text-on-mine' : 'border-line bg-surface')

/** A photo fills its bubble, and is one by itself when there are no words, as a few emoji are. */
function frame(item: Item, mine: boolean): string {
  const { message: text, image } = shownOf(item)
  const isBare = image === undefined ? item.kind === 'text' && isFewEmoji(text) : text === ''
  if (isBare && item.replyTo === undefined) return ''
  return `border ${image === undefined ? 'px-3.5 py-2' : ''} ${side(mine)}`
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

function Body(props: Props) {
  const { Said } = lookOf(props.item)
  return <Said {...props} />
}

interface Look {
  Said: ComponentType<Props>
  /** How tall a row of it is, roughly. */
  height(shown: Shown): number
}

/** How each kind of message looks that this page knows. */
const LOOKS: Record<KnownKind, Look> = {
  text: { Said: Words, height: wordsHeight },
  image: { Said: Picture, height: pictureHeight },
  matchProposal: { Said: Proposed, height: () => PROPOSAL_PX },
  matchProposalAnswer: { Said: Answered, height: () => ROW_PX },
  // It is in no list.
  change: { Said: () => null, height: () => 0 },
  deleted: { Said: Deleted, height: () => ROW_PX },
  erased: { Said: Erased, height: () => ROW_PX },
}

/** A newer server, or an application, may have kinds that this page does not know. */
const UNKNOWN: Look = { Said: Unknown, height: wordsHeight }

const lookOf = ({ kind }: Item): Look => {
  if (isKnown(kind)) return LOOKS[kind]
  const own = OWN_KINDS[kind]
  return own === undefined ? UNKNOWN : { Said: Own, height: () => own.heightPx }
}

/** Guesses the height of a row, closely enough that older messages move the rest by less than a line when they come. */
export function estimate(item: Item, next: Item | null, cell: Cell | undefined): number {
  if (cell !== undefined) return endsLine(cell) ? ALBUM_PX / cell.columns : 0
  const sameSender = isStored(item) && next !== null && isStored(next) && item.senderEmail === next.senderEmail
  return lookOf(item).height(shownOf(item)) + extraHeight(item) + (sameSender ? 0 : GROUP_PX)
}

/** What stands above and below what a message says. */
function extraHeight(item: Item): number {
  const [reactions, editedAt] = isStored(item) ? [item.reactions, item.editedAt] : []
  const below = (reactions === undefined ? 0 : REACTIONS_PX) + (editedAt === undefined ? 0 : EDITED_PX)
  return below + (item.replyTo === undefined ? 0 : QUOTE_PX)
}

function wordsHeight({ message: text }: Shown): number {
  return isFewEmoji(text) ? EMOJI_PX : ROW_PX + linesHeight(text)
}

function pictureHeight({ message: text, image }: Shown): number {
  const height = image === undefined ? 0 : shownSize(image, text !== '').height
  return height + (text === '' ? IMAGE_GAP_PX : ROW_PX + linesHeight(text))
}

/** What the lines of a text take beyond the first. */
function linesHeight(text: string): number {
  return (isLong(text) ? LONG_LINES : Math.floor(text.length / LINE_CHARACTERS)) * LINE_PX
}

/** A message of the application's own kind; its preview until its code is there, and where that does not come or cannot show it. */
function Own(props: Props) {
  const { item, mine } = props
  const { message: preview, body } = shownOf(item)
  const part = OWN_KINDS[item.kind]?.part
  const words = <Unknown {...props} />
  if (part === undefined) return words
  return (
    <Boundary failed={() => words}>
      <OnDemand part={part} props={{ body, preview, mine, peer: peerOf(item, mine) }} waiting={words} failed={() => words} />
    </Boundary>
  )
}

/** What a message brings for those who do not know its kind. */
function Unknown(props: Props) {
  const t = useTranslations('message')
  return shownOf(props.item).message === '' ? <p className="italic opacity-75">{t('unknown')}</p> : <Words {...props} />
}

function Words({ item }: Props) {
  return <MessageText text={shownOf(item).message} />
}

function Picture(props: Props) {
  const { item, mine } = props
  const { message: text, image } = shownOf(item)
  if (image === undefined) return <Words {...props} />
  const isBare = text === ''
  return (
    <>
      <ImageBubble
        name={nameOfImage(item, image.contentType)}
        facts={image}
        peer={peerOf(item, mine)}
        fit={isBare ? 'bare' : 'worded'}
      />
      {/* The words are as wide as the photo. */}
      {!isBare && (
        <div className="w-0 min-w-full px-3.5 py-2">
          <MessageText text={text} />
        </div>
      )}
    </>
  )
}

/** An image that is pending has no key yet; it is shown from the bytes that the outbox keeps. */
const nameOfImage = (item: Item, type: string) =>
  isStored(item) ? { id: item.clientMessageId, key: item.attachment?.key, type } : { id: item.id, key: undefined, type }

function Proposed(props: Props) {
  const { item, mine, standing = 'open', answering = null, unsure = false } = props
  const { proposal } = shownOf(item)
  if (proposal === undefined) return <Words {...props} />
  const peer = peerOf(item, mine)
  const at = isStored(item) ? item.timestamp : null
  return (
    <OnDemand
      part={proposalCard}
      props={{ proposal, state: standing, mine, at, peer, answering, unsure }}
      // The room that most of them take.
      waiting={<div className="h-45 w-72 max-w-full" />}
      failed={(retry) => (
        <PartMissing onRetry={retry} className="grid h-45 w-72 max-w-full place-content-center justify-items-center gap-2" />
      )}
    />
  )
}

function Answered(props: Props) {
  const { item, subject } = props
  const t = useTranslations('message')
  const { proposalAnswer } = shownOf(item)
  if (proposalAnswer === undefined) return <Words {...props} />
  return (
    <>
      <p className="font-medium">{t(ANSWERS[proposalAnswer.answer])}</p>
      {subject !== undefined && (
        <p className="text-sm opacity-75">
          <bdi>{subject.teamName}</bdi> – <bdi>{subject.opponentTeamName}</bdi>
        </p>
      )}
    </>
  )
}

function Deleted() {
  const t = useTranslations('message')
  return <p className="italic opacity-75">{t('deleted')}</p>
}

function Erased() {
  const t = useTranslations('message')
  return <p className="italic opacity-75">{t('erased')}</p>
}
