'use client'

import {
  beginning,
  type ChatClient,
  checkPeer,
  conversations,
  countedUnread,
  type LastMessage,
  listedConversations,
  type Pending,
  PREVIEW_MAX_CHARS,
  type Room,
  requests,
  shownLast,
  shownPending,
} from 'chat-core'
import { type KeyboardEvent, memo, type RefObject, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { formatBadge, formatExact, formatListTime } from '@/lib/format'
import { Button, IconButton } from './Button'
import { useNow } from './clock'
import { useDraftOf } from './drafts'
import { AlertIcon, PlusIcon, SearchIcon } from './icons'
import { NotLoaded } from './NotLoaded'
import { OnDemand, Part } from './OnDemand'
import { PartMissing } from './PartMissing'
import { Avatar, nameOf } from './people'
import { ANSWERS, usePendingPreview, usePreviewText } from './preview'
import { ListSkeleton } from './Skeleton'
import { useLocale } from './useLocale'
import { showPeer } from './usePeer'

const newChat = new Part(() => import('./NewChat'))
const requestsPart = new Part(() => import('./Requests'))

/** `onPoint`: somebody is about to open a conversation. */
export function ConversationList({ peer, onPoint }: { peer: string | null; onPoint?(): void }) {
  const t = useTranslations('list')
  const me = useChat((state) => state.me)
  const [query, setQuery] = useState('')
  const [creating, setCreating] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const search = useSearch(query)
  const open = (email: string) => {
    setQuery('')
    showPeer(email)
  }
  const create = () => setCreating(true)

  return (
    <section
      aria-label={t('label')}
      onPointerOver={onPoint}
      onFocus={onPoint}
      onKeyDown={(event) => moveFocus(event, [field.current, ...(list.current?.querySelectorAll('button') ?? [])])}
      className="flex min-h-0 min-w-0 flex-1 flex-col"
    >
      <header className="flex items-center gap-2 px-4 pt-3 pb-2">
        <h1 className="flex-1 font-semibold text-xl tracking-tight">{t('label')}</h1>
        <IconButton label={t('new')} onClick={create} className="-mr-2">
          <PlusIcon className="size-5.5" />
        </IconButton>
      </header>
      <SearchField field={field} query={query} onChange={setQuery} onEnter={() => search.meant !== null && open(search.meant)} />
      <div ref={list} className="min-h-0 flex-1 overflow-y-auto overscroll-contain pb-2">
        <Listed search={search} peer={peer} onOpen={open} onCreate={create} />
      </div>
      {creating && (
        <OnDemand
          part={newChat}
          props={{ me, onStart: open, onClose: () => setCreating(false) }}
          failed={(retry) => <NotLoaded onRetry={retry} onClose={() => setCreating(false)} />}
        />
      )}
    </section>
  )
}

interface SearchFieldProps {
  field: RefObject<HTMLInputElement | null>
  query: string
  onChange(query: string): void
  onEnter(): void
}

function SearchField({ field, query, onChange, onEnter }: SearchFieldProps) {
  const t = useTranslations('list')
  return (
    <div className="relative mx-4 mb-3">
      <SearchIcon className="pointer-events-none absolute inset-y-0 left-3 my-auto size-4.5 text-muted" />
      <input
        ref={field}
        type="search"
        aria-label={t('search')}
        placeholder={t('search')}
        value={query}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return
          if (event.key === 'Enter') onEnter()
          if (event.key === 'Escape') onChange('')
        }}
        className="field w-full bg-sunken pl-9"
      />
    </div>
  )
}

interface ListedProps {
  search: Search
  peer: string | null
  onOpen(peer: string): void
  onCreate(): void
}

/** The conversations; or why there are none, and what to do about it. */
function Listed({ search, peer, onOpen, onCreate }: ListedProps) {
  const t = useTranslations('list')
  const client = useChatClient()
  const { status, nextCursor } = useChat((state) => state.list)
  const { all, shown, asking, isAsked, startable } = search
  if (all.length === 0 && status === 'loading') {
    return (
      <div aria-busy="true">
        <span className="sr-only">{t('loading')}</span>
        <ListSkeleton />
      </div>
    )
  }
  if (all.length === 0 && status === 'failed') {
    return (
      <Notice icon={<AlertIcon className="size-7" />} title={t('failed')} alert>
        <Button onClick={() => client.refresh()}>{t('retry')}</Button>
      </Notice>
    )
  }
  return (
    <>
      {asking.length > 0 && (
        <OnDemand
          part={requestsPart}
          props={{ count: asking.length, children: <Rows rooms={asking} peer={peer} onOpen={onOpen} /> }}
          failed={(retry) => <PartMissing onRetry={retry} />}
        />
      )}
      {shown.length > 0 && <Rows rooms={shown} peer={peer} onOpen={onOpen} />}
      {startable !== null && <StartWith email={startable} onStart={() => onOpen(startable)} />}
      {shown.length + asking.length === 0 && nextCursor === null && !isAsked && (
        <Notice
          icon={<img src="/empty.svg" alt="" width={180} height={120} className="md:hidden" />}
          title={t('empty')}
          hint={t('emptyHint')}
        >
          <Button look="primary" onClick={onCreate}>
            {t('new')}
          </Button>
        </Notice>
      )}
      {isAsked ? <SearchEnd search={search} /> : <More />}
    </>
  )
}

function StartWith({ email, onStart }: { email: string; onStart(): void }) {
  const t = useTranslations('list')
  return (
    <button
      type="button"
      onClick={onStart}
      className="flex w-full items-center gap-3 px-4 py-2.5 text-left outline-offset-[-2px] transition-colors hover:bg-hover"
    >
      <Avatar email={email} />
      <span className="min-w-0 break-words font-medium text-accent-text">{t('startWith', { email })}</span>
    </button>
  )
}

/** Below what was found: that there may be more, or that there is nothing. */
function SearchEnd({ search: { status, query, shown, startable, isSelf } }: { search: Search }) {
  const t = useTranslations('list')
  const n = useTranslations('new')
  if (status !== 'done') return <SearchProgress failed={status === 'failed'} />
  if (shown.length > 0 || startable !== null) return null
  return (
    <p className="break-words px-4 py-6 text-center text-muted text-sm">
      {isSelf ? n('selfChat') : t('noMatch', { query: query.trim() })}
    </p>
  )
}

/** Loads the next part of the list. */
function More() {
  const t = useTranslations('list')
  const client = useChatClient()
  const { nextCursor, more } = useChat((state) => state.list)
  if (nextCursor === null) return null
  const load = async (button: HTMLElement) => {
    const last = button.parentElement?.previousElementSibling?.lastElementChild
    await client.loadMoreConversations()
    // The button goes with the end of the list, or further down: the focus goes on with what follows.
    last?.nextElementSibling?.querySelector('button')?.focus({ preventScroll: true })
  }
  return (
    <div className="px-4 py-3">
      <Button className="w-full" aria-disabled={more === 'loading'} onClick={(event) => void load(event.currentTarget)}>
        {more === 'failed' ? t('retry') : t('more')}
      </Button>
    </div>
  )
}

type Search = ReturnType<typeof useSearch>

/** What is found of `query`: with nothing in it, the whole list. */
function useSearch(query: string) {
  const me = useChat((state) => state.me)
  const wanted = query.trim().toLowerCase()
  const isAsked = wanted !== ''
  const { all, shown, asking } = useConversations(wanted)
  const status = useSearchOfAll(isAsked)
  const found = checkPeer(query, me)
  const email = 'email' in found ? found.email : null
  const onlyOne = isAsked && status === 'done' && shown.length === 1 ? (shown[0]?.peer ?? null) : null
  return {
    query,
    isAsked,
    status,
    all,
    shown,
    /** The requests that others have made. */
    asking,
    /** Whom a conversation can be begun with. */
    startable: status === 'done' && email !== null && !all.some((room) => room.peer === email) ? email : null,
    /** Whose conversation Enter opens. */
    meant: email ?? onlyOne,
    isSelf: 'problem' in found && found.problem === 'selfChat',
  }
}

/** All that are known, and those whose address has what is wanted in it. */
function useConversations(wanted: string) {
  const client = useChatClient()
  const rooms = useChat((state) => state.rooms)
  const pending = useChat((state) => state.pending)
  const partialDay = useChat((state) => state.list.partialDay)
  // biome-ignore lint/correctness/useExhaustiveDependencies: they are what it is made from
  const made = useMemo(
    () => ({
      all: conversations(client.state),
      listed: listedConversations(client.state),
      asking: requests(client.state),
    }),
    [client, rooms, pending, partialDay],
  )
  const shown = wanted === '' ? made.listed : made.all.filter((room) => room.peer.includes(wanted))
  return { all: made.all, shown, asking: wanted === '' ? made.asking : [] }
}

function SearchProgress({ failed }: { failed: boolean }) {
  const t = useTranslations('list')
  const client = useChatClient()
  return (
    <div role="status" className="grid justify-items-center gap-3 px-4 py-6 text-center text-muted text-sm">
      <p>{t(failed ? 'searchFailed' : 'searching')}</p>
      {failed && <Button onClick={() => searchOn(client)}>{t('retry')}</Button>}
    </div>
  )
}

/** How far a search has come: it knows of nothing that is not loaded, so it loads the rest of the list for as long as it is wanted. */
function useSearchOfAll(wanted: boolean): 'done' | 'searching' | 'failed' {
  const client = useChatClient()
  const { status, nextCursor, more } = useChat((state) => state.list)
  const isWhole = status === 'ready' && nextCursor === null

  useEffect(() => {
    if (wanted && !isWhole && status === 'ready' && more === 'idle') searchOn(client)
  })

  if (!wanted || isWhole) return 'done'
  return status === 'failed' || more === 'failed' ? 'failed' : 'searching'
}

/** Loads the next part of the list, or the first one if that failed. */
function searchOn(client: ChatClient): void {
  if (client.state.list.status === 'failed') client.refresh()
  else void client.loadMoreConversations()
}

/** Arrows lead from place to place. In the first one, the field, the other keys move the caret. */
function moveFocus(event: KeyboardEvent, places: readonly (HTMLElement | null)[]): void {
  const at = places.indexOf(document.activeElement as HTMLElement)
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 1, End: places.length - 1 }[event.key]
  const isCaret = at === 0 && event.key !== 'ArrowDown'
  if (at < 0 || to === undefined || isCaret || event.nativeEvent.isComposing) return
  event.preventDefault()
  places[Math.min(to, places.length - 1)]?.focus()
}

function Notice({
  icon,
  title,
  hint,
  alert = false,
  children,
}: {
  icon: React.ReactNode
  title: string
  hint?: string
  alert?: boolean
  children: React.ReactNode
}) {
  return (
    <div role={alert ? 'alert' : undefined} className="grid justify-items-center gap-1 px-6 py-12 text-center">
      <span className="mb-2 text-faint">{icon}</span>
      <p className="font-medium">{title}</p>
      {hint !== undefined && <p className="text-muted text-sm">{hint}</p>}
      <div className="mt-4">{children}</div>
    </div>
  )
}

interface RowsProps {
  rooms: readonly Room[]
  peer: string | null
  onOpen(peer: string): void
}

function Rows({ rooms, peer, onOpen }: RowsProps) {
  const me = useChat((state) => state.me)
  const pending = useChat((state) => state.pending)
  const changes = useChat((state) => state.changes)
  const now = useNow()
  const newest = useMemo(() => new Map(shownPending(pending, changes).map((entry) => [entry.peer, entry])), [pending, changes])

  const list = useRef<HTMLUListElement>(null)
  const isLoaded = useChat((state) => state.list.status === 'ready')
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each conversation, also when the list comes later
  useEffect(() => {
    list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' })
  }, [peer, isLoaded])
  return (
    <ul ref={list}>
      {rooms.map((room) => (
        <li key={room.peer}>
          <Row
            room={room}
            last={shownLast(room.last, changes, me)}
            pending={newest.get(room.peer)}
            current={room.peer === peer}
            me={me}
            now={now}
            onOpen={onOpen}
          />
        </li>
      ))}
    </ul>
  )
}

interface RowProps {
  room: Room
  /** What was said in it last, as it is by now. */
  last: LastMessage | null
  pending: Pending | undefined
  current: boolean
  me: string
  now: number
  onOpen(peer: string): void
}

const Row = memo(function Row({ room, last, pending: written, current, me, now, onOpen }: RowProps) {
  const t = useTranslations('list')
  const locale = useLocale()
  const stored = Date.parse(last?.timestamp ?? '')
  // A message that failed must not hide one that arrived after it.
  const pending = written?.status === 'failed' && written.createdAt < stored ? undefined : written
  const draft = useDraftOf(room.peer, me)
  // What is written in the field that is open is to be seen there.
  const preview = usePreview({ ...room, last }, pending, me, current ? '' : draft)
  const unread = countedUnread(room)
  const at = pending?.createdAt ?? stored
  return (
    <button
      type="button"
      onClick={() => onOpen(room.peer)}
      aria-current={current ? 'true' : undefined}
      data-peer={room.peer}
      className={`flex w-full items-center gap-3 px-4 py-2.5 text-left outline-offset-[-2px] transition-colors ${current ? 'bg-selected' : 'hover:bg-hover'}`}
    >
      <Avatar email={room.peer} />
      <span className="min-w-0 flex-1">
        <span className="flex items-baseline gap-2">
          <span className={`truncate ${unread > 0 ? 'font-semibold' : 'font-medium'}`}>{nameOf(room.peer)}</span>
          {Number.isFinite(at) && (
            <time
              dateTime={new Date(at).toISOString()}
              title={formatExact(locale, at)}
              className="ml-auto shrink-0 text-muted text-xs tabular-nums"
            >
              {formatListTime(locale, at, now)}
            </time>
          )}
        </span>
        <span className="mt-0.5 flex items-center gap-2">
          <span
            className={`min-w-0 flex-1 truncate text-sm ${pending?.status === 'failed' ? 'text-danger' : unread > 0 ? 'text-text' : 'text-muted'}`}
          >
            <bdi>{preview}</bdi>
          </span>
          {/* The open conversation says by itself what is new in it. */}
          {unread > 0 && !current && (
            <>
              <span aria-hidden="true" data-testid="unread" className="badge shrink-0">
                {formatBadge(unread)}
              </span>
              <span className="sr-only">{t('unread', { count: formatBadge(unread) })}</span>
            </>
          )}
        </span>
      </span>
    </button>
  )
})

function usePreview(
  room: Pick<Room, 'blocked' | 'typing' | 'last'>,
  pending: Pending | undefined,
  me: string,
  draft: string,
): string {
  const t = useTranslations('list')
  const w = useTranslations('window')
  const m = useTranslations('message')
  const previewText = usePreviewText()
  const pendingPreview = usePendingPreview()
  if (room.blocked) return t('blocked')
  if (room.typing) return w('typing')
  if (pending !== undefined)
    return t(pending.status === 'failed' ? 'failedSend' : 'pending', {
      text: beginning(pendingPreview(pending), PREVIEW_MAX_CHARS),
    })
  if (draft !== '') return t('draft', { text: beginning(draft.trim(), PREVIEW_MAX_CHARS) })
  if (room.last === null) return ''
  const { kind, preview, verdict } = room.last
  const text = verdict === undefined ? previewText(kind, preview) : m(ANSWERS[verdict])
  return room.last.senderEmail === me ? t('you', { text }) : text
}
