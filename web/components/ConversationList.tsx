'use client'

import { type ChatClient, checkPeer, conversations, listedConversations, type Pending, type Room, unreadOf } from 'chat-core'
import { type KeyboardEvent, memo, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { formatBadge, formatExact, formatListTime } from '@/lib/format'
import { Button, IconButton } from './Button'
import { AlertIcon, ChatIcon, PlusIcon, SearchIcon } from './icons'
import { NotLoaded } from './NotLoaded'
import { OnDemand, Part } from './OnDemand'
import { Avatar, nameOf } from './people'
import { usePendingPreview, usePreviewText } from './preview'
import { ListSkeleton } from './Skeleton'
import { useLocale } from './useLocale'
import { useNow } from './useNow'
import { showPeer } from './usePeer'

const newChat = new Part(() => import('./NewChat'))

/** `onPoint`: somebody is about to open a conversation. */
export function ConversationList({ peer, onPoint }: { peer: string | null; onPoint?(): void }) {
  const t = useTranslations('list')
  const n = useTranslations('new')
  const client = useChatClient()
  const me = useChat((state) => state.me)
  const { status, nextCursor, more } = useChat((state) => state.list)
  const pending = useChat((state) => state.pending)
  const [query, setQuery] = useState('')
  const [creating, setCreating] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const list = useRef<HTMLDivElement>(null)

  const wanted = query.trim().toLowerCase()
  const { all, shown } = useConversations(wanted)
  const search = useSearchOfAll(wanted !== '')
  const found = checkPeer(query, me)
  const startable = search === 'done' && 'email' in found && !all.some((room) => room.peer === found.email) ? found.email : null
  const meant =
    'email' in found ? found.email : wanted !== '' && search === 'done' && shown.length === 1 ? shown[0]?.peer : undefined
  const open = (email: string) => {
    setQuery('')
    showPeer(email)
  }

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
        <IconButton label={t('new')} onClick={() => setCreating(true)} className="-mr-2">
          <PlusIcon className="size-5.5" />
        </IconButton>
      </header>
      <div className="relative px-4 pb-3">
        <SearchIcon className="pointer-events-none absolute top-2.5 left-7 size-4.5 text-muted" />
        <input
          ref={field}
          type="search"
          aria-label={t('search')}
          placeholder={t('search')}
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => {
            if (event.nativeEvent.isComposing) return
            if (event.key === 'Enter' && meant !== undefined) open(meant)
            if (event.key === 'Escape') setQuery('')
          }}
          className="field w-full bg-sunken pl-9"
        />
      </div>
      <div ref={list} className="min-h-0 flex-1 overflow-y-auto overscroll-contain pb-2">
        {status === 'loading' && all.length === 0 ? (
          <div aria-busy="true">
            <span className="sr-only">{t('loading')}</span>
            <ListSkeleton />
          </div>
        ) : status === 'failed' && all.length === 0 ? (
          <Notice icon={<AlertIcon className="size-7" />} title={t('failed')} alert>
            <Button onClick={() => client.refresh()}>{t('retry')}</Button>
          </Notice>
        ) : (
          <>
            {shown.length > 0 && <Rows rooms={shown} pending={pending} peer={peer} me={me} onOpen={open} />}
            {startable !== null && (
              <button
                type="button"
                onClick={() => open(startable)}
                className="flex w-full items-center gap-3 px-4 py-2.5 text-left transition-colors hover:bg-hover"
              >
                <Avatar email={startable} />
                <span className="min-w-0 break-words font-medium text-accent-text">{t('startWith', { email: startable })}</span>
              </button>
            )}
            {all.length === 0 && wanted === '' && (
              <Notice icon={<ChatIcon className="size-8" />} title={t('empty')} hint={t('emptyHint')}>
                <Button look="primary" onClick={() => setCreating(true)}>
                  {t('new')}
                </Button>
              </Notice>
            )}
            {search !== 'done' && <SearchProgress failed={search === 'failed'} />}
            {search === 'done' && shown.length === 0 && startable === null && wanted !== '' && (
              <p className="break-words px-4 py-6 text-center text-muted text-sm">
                {'problem' in found && found.problem === 'selfChat' ? n('selfChat') : t('noMatch', { query: query.trim() })}
              </p>
            )}
            {nextCursor !== null && wanted === '' && (
              <div className="px-4 py-3">
                <Button className="w-full" disabled={more === 'loading'} onClick={() => void client.loadMoreConversations()}>
                  {more === 'failed' ? t('retry') : t('more')}
                </Button>
              </div>
            )}
          </>
        )}
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

/** All that are known, and those whose address has what is wanted in it. */
function useConversations(wanted: string) {
  const client = useChatClient()
  const rooms = useChat((state) => state.rooms)
  const pending = useChat((state) => state.pending)
  const partialDay = useChat((state) => state.list.partialDay)
  // biome-ignore lint/correctness/useExhaustiveDependencies: they are what it is made from
  const made = useMemo(
    () => ({ all: conversations(client.state), listed: listedConversations(client.state) }),
    [client, rooms, pending, partialDay],
  )
  const shown = wanted === '' ? made.listed : made.all.filter((room) => room.peer.includes(wanted))
  return { all: made.all, shown }
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
  pending: readonly Pending[]
  peer: string | null
  me: string
  onOpen(peer: string): void
}

function Rows({ rooms, pending, peer, me, onOpen }: RowsProps) {
  const now = useNow()
  const newest = useMemo(() => new Map(pending.map((entry) => [entry.peer, entry])), [pending])

  return (
    <ul>
      {rooms.map((room) => (
        <li key={room.peer}>
          <Row room={room} pending={newest.get(room.peer)} current={room.peer === peer} me={me} now={now} onOpen={onOpen} />
        </li>
      ))}
    </ul>
  )
}

interface RowProps {
  room: Room
  pending: Pending | undefined
  current: boolean
  me: string
  now: number
  onOpen(peer: string): void
}

const Row = memo(function Row({ room, pending: written, current, me, now, onOpen }: RowProps) {
  const t = useTranslations('list')
  const locale = useLocale()
  const stored = Date.parse(room.last?.timestamp ?? '')
  // A message that failed must not hide one that arrived after it.
  const pending = written?.status === 'failed' && written.createdAt < stored ? undefined : written
  const preview = usePreview(room, pending, me)
  const unread = unreadOf(room)
  const at = pending?.createdAt ?? stored
  return (
    <button
      type="button"
      onClick={() => onOpen(room.peer)}
      aria-current={current ? 'true' : undefined}
      data-peer={room.peer}
      className={`flex w-full items-center gap-3 px-4 py-2.5 text-left transition-colors ${current ? 'bg-selected' : 'hover:bg-hover'}`}
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
          {unread > 0 && (
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

function usePreview(room: Room, pending: Pending | undefined, me: string): string {
  const t = useTranslations('list')
  const w = useTranslations('window')
  const previewText = usePreviewText()
  const pendingPreview = usePendingPreview()
  if (room.typing) return w('typing')
  if (pending !== undefined)
    return t(pending.status === 'failed' ? 'failedSend' : 'pending', { text: pendingPreview(pending).slice(0, 100) })
  if (room.last === null) return ''
  const text = previewText(room.last.kind, room.last.preview)
  return room.last.senderEmail === me ? t('you', { text }) : text
}
