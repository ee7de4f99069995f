import { isFinal, laterState, type MessageBody, SEARCH_QUERY_MAX_CHARS, shownMessages } from 'chat-core'
import { placesOf, Search, type SearchState } from 'chat-core/search'
import { Fragment, type KeyboardEvent, type RefObject, useEffect, useMemo, useReducer, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { formatDay, formatExact, formatListTime } from '@/lib/format'
import { Button, IconButton } from './Button'
import { useNow } from './clock'
import { focusConversation } from './focus'
import { CloseIcon, Icon, SearchIcon } from './icons'
import { nameOf } from './people'
import { usePreviewText } from './preview'
import type { Sought } from './rows'
import { useLocale } from './useLocale'

/** How much of a text is shown before what was found in it, and altogether. */
const BEFORE_CHARACTERS = 24
const SHOWN_CHARACTERS = 200

interface Props {
  peer: string
  /** How often finding was asked for: each time leads to the field. */
  asked: number
  onSeek(sought: Sought): void
  onClose(): void
}

/** Finds messages of a conversation, and leads to them. */
export default function ConversationSearch({ peer, asked, onSeek, onClose }: Props) {
  const t = useTranslations('find')
  const field = useField(asked)
  const panel = useRef<HTMLElement>(null)
  const { search, state } = useSearch(peer)
  const hits = useHits(peer, state)
  const [chosen, setChosen] = useState<string | null>(null)
  const [isListed, setListed] = useState(true)
  const close = useClose(onClose)
  const further = useFurther(search, panel)
  const at = hits.findIndex(({ timestamp }) => timestamp === chosen)
  const lead = ({ timestamp }: MessageBody, isStep: boolean) => {
    setChosen(timestamp)
    setListed(false)
    onSeek({ timestamp, isStep })
  }
  const step = (by: 1 | -1) => {
    const next = hits[at + by]
    if (next !== undefined) lead(next, true)
    else if (by === 1) search.further()
  }
  const typed = (words: string) => {
    search.find(words)
    setChosen(null)
  }
  const pressed = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return
    if (event.key === 'Escape') close()
    else if (event.key === 'Enter' && event.target === field.current) step(event.shiftKey ? -1 : 1)
    else if (!moveFocus(event, field.current, panel.current)) return
    // Escape would leave the conversation.
    event.preventDefault()
  }
  const isOver = at === hits.length - 1 && state.status !== 'more' && state.status !== 'failed'
  return (
    <search
      ref={panel}
      data-find
      aria-label={t('label')}
      onKeyDown={pressed}
      className="relative z-10 shrink-0 border-line border-b bg-surface"
    >
      <div className="column flex flex-wrap items-center gap-x-1 gap-y-1 px-3 py-2 md:flex-nowrap md:px-6">
        <Field field={field} onAsk={() => setListed(true)} onChange={typed} />
        <IconButton label={t('close')} onClick={close} className="-mr-2 md:order-last">
          <CloseIcon />
        </IconButton>
        {/* It is there before it says anything, or nobody would be told. */}
        <div className={state.status === 'idle' ? 'sr-only' : 'flex basis-full items-center md:basis-auto'}>
          <Status state={state} count={hits.length} at={at} />
          {state.status !== 'idle' && (
            <>
              <Step label={t('older')} isOver={isOver} onPress={() => step(1)} />
              <Step label={t('newer')} isOver={at < 1} onPress={() => step(-1)} className="rotate-180" />
            </>
          )}
        </div>
      </div>
      {isListed && state.status !== 'idle' && (hits.length > 0 || state.status !== 'done') && (
        <div className="absolute inset-x-0 top-full max-h-[min(24rem,55dvh)] overflow-y-auto overscroll-contain border-line border-b bg-surface shadow-lg">
          <div className="column py-1 md:px-3">
            <Hits peer={peer} hits={hits} words={state.words} chosen={chosen} onChoose={(hit) => lead(hit, false)} />
            <More status={state.status} onMore={further} />
          </div>
        </div>
      )}
    </search>
  )
}

interface FieldProps {
  field: RefObject<HTMLInputElement | null>
  /** What is found is wanted on the screen. */
  onAsk(): void
  onChange(words: string): void
}

function Field({ field, onAsk, onChange }: FieldProps) {
  const t = useTranslations('find')
  return (
    <div className="relative min-w-40 flex-1">
      <SearchIcon className="pointer-events-none absolute inset-y-0 left-3 my-auto size-4.5 text-muted" />
      <input
        ref={field}
        type="search"
        enterKeyHint="search"
        aria-label={t('field')}
        placeholder={t('field')}
        maxLength={SEARCH_QUERY_MAX_CHARS}
        onChange={(event) => {
          onAsk()
          onChange(event.target.value)
        }}
        onClick={onAsk}
        className="field w-full bg-sunken pl-9"
      />
    </div>
  )
}

interface StepProps {
  label: string
  /** Whether there is nothing in that direction. The button keeps the focus all the same. */
  isOver: boolean
  onPress(): void
  className?: string
}

const Step = ({ label, isOver, onPress, className = '' }: StepProps) => (
  <IconButton label={label} aria-disabled={isOver} onClick={onPress} className={isOver ? 'opacity-50' : ''}>
    <Icon className={`size-5 ${className}`}>
      <path d="m6 14.500 6-6 6 6" />
    </Icon>
  </IconButton>
)

/** The field, which has the focus when finding is asked for, whatever had it before. */
function useField(asked: number) {
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (asked === 0) return
    field.current?.focus()
    field.current?.select()
  }, [asked])
  return field
}

/** Gives the focus back to what had it before, if that is still there. */
function useClose(onClose: () => void): () => void {
  const [before] = useState(() => document.activeElement)
  return () => {
    onClose()
    if (before instanceof HTMLElement && before.isConnected && before !== document.body) before.focus()
    else focusConversation()
  }
}

function useSearch(peer: string): { search: Search; state: SearchState } {
  const client = useChatClient()
  const [, changed] = useReducer((count: number) => count + 1, 0)
  const [search] = useState(() => new Search((words, before, signal) => client.search(peer, words, before, signal), changed))
  useEffect(() => () => search.close(), [search])
  return { search, state: search.state }
}

/** What was found, as it is by now: without what was deleted, cleared, or edited away since. */
function useHits(peer: string, { hits, words }: SearchState): readonly MessageBody[] {
  const me = useChat((state) => state.me)
  const room = useChat((state) => state.rooms[peer])
  const all = useChat((state) => state.changes)
  return useMemo(() => {
    const { learnt = {}, applied = [], clearedTo } = room ?? {}
    const changes = all.filter((change) => change.peer === peer)
    const messages = hits.map((hit) => laterState(hit, learnt[hit.timestamp] ?? hit))
    const before = new Map(hits.map(({ timestamp, message }) => [timestamp, message]))
    return shownMessages({ messages, applied }, changes, me).filter((message) => {
      const isAsFound = before.get(message.timestamp) === message.message
      const isLeft = !isFinal(message) && message.timestamp > (clearedTo ?? '')
      return isLeft && (isAsFound || placesOf(message.message, words).length > 0)
    })
  }, [hits, words, room, all, me, peer])
}

/** How far the search has come; also told to screen readers. */
function Status({ state: { words, searchedTo, status, code }, count, at }: { state: SearchState; count: number; at: number }) {
  const t = useTranslations('find')
  const locale = useLocale()
  const now = useNow()
  const day = searchedTo === null ? '' : formatDay(locale, Date.parse(searchedTo), now)
  const isOpenEnded = searchedTo !== null && status !== 'done'
  const parts = [
    ...(status === 'failed' ? [t(code === 'rateLimited' ? 'rateLimited' : 'failed')] : []),
    ...(at >= 0 ? [t('place', { index: at + 1, count })] : count > 0 ? [t('found', { count })] : []),
    ...(status === 'searching' ? [t('searching')] : []),
    ...(count === 0 && status === 'done' ? [t('none', { words })] : []),
    ...(count === 0 && status === 'more' ? [t('noneSince', { words, day })] : []),
    ...(isOpenEnded && at < 0 && !(count === 0 && status === 'more') ? [t('searchedTo', { day })] : []),
  ]
  return (
    <p role="status" data-testid="find-status" className="min-w-0 flex-1 px-1 text-muted text-sm md:max-w-64 md:text-right">
      {parts.join(' · ')}
    </p>
  )
}

interface HitsProps {
  peer: string
  hits: readonly MessageBody[]
  words: string
  chosen: string | null
  onChoose(hit: MessageBody): void
}

function Hits({ peer, hits, words, chosen, onChoose }: HitsProps) {
  const t = useTranslations('find')
  const m = useTranslations('message')
  const locale = useLocale()
  const now = useNow()
  if (hits.length === 0) return null
  return (
    <ul aria-label={t('results')}>
      {hits.map((hit) => {
        const at = Date.parse(hit.timestamp)
        return (
          <li key={hit.timestamp}>
            <button
              type="button"
              data-hit
              aria-current={hit.timestamp === chosen ? 'true' : undefined}
              onClick={() => onChoose(hit)}
              className={`block min-h-11 w-full px-4 py-2 text-left text-sm outline-offset-[-2px] md:rounded-lg ${hit.timestamp === chosen ? 'bg-selected' : 'hover:bg-hover'}`}
            >
              <span className="flex items-baseline gap-2">
                <span className="truncate font-medium">{hit.senderEmail === peer ? nameOf(peer) : m('mine')}</span>
                <time dateTime={hit.timestamp} title={formatExact(locale, at)} className="ml-auto shrink-0 text-muted text-xs">
                  {formatListTime(locale, at, now)}
                </time>
              </span>
              <span className="line-clamp-2 text-muted">
                <Found hit={hit} words={words} />
              </span>
            </button>
          </li>
        )
      })}
    </ul>
  )
}

/** The part of a text in which something was found, with that marked. */
function Found({ hit: { kind, message }, words }: { hit: MessageBody; words: string }) {
  const preview = usePreviewText()
  const places = placesOf(message, words)
  const [first] = places
  if (first === undefined) return <bdi>{preview(kind, message.slice(0, SHOWN_CHARACTERS))}</bdi>
  const begins = wholeFrom(message, first[0] > 2 * BEFORE_CHARACTERS ? first[0] - BEFORE_CHARACTERS : 0)
  const ends = wholeFrom(message, Math.max(begins + SHOWN_CHARACTERS, first[1]))
  const shown = places.filter(([, to]) => to <= ends)
  const beforeEach = shown.map(([from], index) => message.slice(shown[index - 1]?.[1] ?? begins, from))
  return (
    <bdi>
      {shown.map(([from, to], index) => (
        <Fragment key={from}>
          <span>{`${index === 0 && begins > 0 ? '…' : ''}${beforeEach[index]}`}</span>
          <mark className="rounded-sm bg-warn text-on-warn">{message.slice(from, to)}</mark>
        </Fragment>
      ))}
      <span>{message.slice(shown.at(-1)?.[1] ?? begins, ends)}</span>
    </bdi>
  )
}

/** The same place, or the one before it where that would cut a character in two. */
const wholeFrom = (text: string, at: number): number => (/[\uDC00-\uDFFF]/.test(text[at] ?? '') ? at - 1 : at)

/** Looks further back, or once more. */
function More({ status, onMore }: { status: SearchState['status']; onMore(): void }) {
  const t = useTranslations('find')
  if (status === 'done') return null
  return (
    <div className="p-2">
      <Button data-more className="w-full" aria-disabled={status === 'searching'} onClick={onMore}>
        {t(status === 'searching' ? 'searching' : status === 'failed' ? 'retry' : 'further')}
      </Button>
    </div>
  )
}

/** Looks further back when that is asked for. The button goes when nothing is further, and then the focus goes to what was found last. */
function useFurther(search: Search, panel: RefObject<HTMLElement | null>): () => void {
  const { status } = search.state
  const wasPressed = useRef(false)
  useEffect(() => {
    if (status !== 'done' || !wasPressed.current) return
    wasPressed.current = false
    if (document.activeElement !== document.body) return
    const places = panel.current?.querySelectorAll<HTMLElement>('input, [data-hit]') ?? []
    places[places.length - 1]?.focus()
  }, [status, panel])
  return () => {
    wasPressed.current = true
    search.further()
  }
}

/** Up and down lead from the field to what was found, and back; whether they did. In the field the other keys move the caret. */
function moveFocus(event: KeyboardEvent, field: HTMLElement | null, panel: HTMLElement | null): boolean {
  const places = [field, ...(panel?.querySelectorAll<HTMLElement>('[data-hit], [data-more]') ?? [])]
  const at = places.indexOf(document.activeElement as HTMLElement)
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (at < 0 || by === undefined || places.length === 1) return false
  places[Math.max(0, Math.min(at + by, places.length - 1))]?.focus()
  return true
}
