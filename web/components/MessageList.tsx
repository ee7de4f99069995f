'use client'

import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual'
import {
  firstUnread,
  type MessageBody,
  type Pending,
  type PendingChange,
  proposalState,
  type QuotedBody,
  type Room,
  refusedChanges,
  shownMessages,
  shownPending,
  unreadOf,
  verdicts,
} from 'chat-core'
import { type ComponentProps, type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { isSameDay } from '@/lib/format'
import { albumsOf } from './albums'
import { isLookedAt, onLook } from './attention'
import { Button } from './Button'
import { useNow, useZone } from './clock'
import { DownIcon } from './conversationIcons'
import { focusConversation, focusMessages } from './focus'
import { AlertIcon } from './icons'
import { type Item, isStored, shownOf, timeOf } from './items'
import { Day, estimate, MessageRow } from './MessageRow'
import { linkedMessage } from './messageLink'
import { OnDemand, Part } from './OnDemand'
import { Avatar, nameOf } from './people'
import { MessagesSkeleton } from './Skeleton'
import { ToolsMissing } from './ToolsMissing'
import { isAtEnd, useEnd } from './useEnd'
import { useKeptRows } from './useKeptRows'
import { useToolsWanted } from './useToolsWanted'

const messageTools = new Part(() => import('./MessageTools'))

/** How long the day stays after scrolling. */
const DAY_SHOWN_MS = 1_200
/** Where it ends, from the top. */
const DAY_PX = 40
/** How tall a line above messages is, with the space around it. */
const LINE_ABOVE_PX = 48
/** How close to the top older ones are fetched: about a screen away. */
const OLDER_WITHIN_PX = 600
/** Room above the first message, for what is said there. */
const HEAD_PX = 72

export function MessageList({ room }: { room: Room }) {
  const t = useTranslations('window')
  const client = useChatClient()
  const name = nameOf(room.peer)
  if (room.status === 'ready') return <Messages key={room.peer} room={room} />
  const retry = () => {
    client.open(room.peer)
    focusConversation()
  }
  return (
    // In a reversed column a browser begins at the end, and stays there.
    <section
      data-messages
      aria-label={t('messages')}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
      tabIndex={0}
      className="flex min-h-0 flex-1 flex-col-reverse overflow-y-auto overscroll-contain outline-offset-[-2px]"
    >
      <div className="flex min-h-full shrink-0 flex-col">
        {room.status === 'failed' ? (
          <div role="alert" className="grid flex-1 place-items-center px-6 py-4">
            <div className="text-center">
              <AlertIcon className="mx-auto mb-3 size-8 text-faint" />
              <p className="mb-4 font-medium">{t('failed')}</p>
              <Button onClick={retry}>{t('retry')}</Button>
            </div>
          </div>
        ) : (
          <div aria-busy="true" className="grid flex-1">
            <span className="sr-only">{t('loading', { name })}</span>
            <MessagesSkeleton />
          </div>
        )}
        <Unsent room={room} />
      </div>
    </section>
  )
}

/** Messages that have not left yet, while the conversation above them is not loaded. */
function Unsent({ room }: { room: Room }) {
  const entries = usePending(room.peer)
  return (
    <ul className="column shrink-0">
      {entries.map((entry, index) => (
        <li key={entry.id} className="px-3 md:px-6">
          <MessageRow
            item={entry}
            before={entries[index - 1] ?? null}
            next={entries[index + 1] ?? null}
            mine
            name={nameOf(room.peer)}
            continued={index === 0}
            readUpTo={null}
            divider={false}
          />
        </li>
      ))}
    </ul>
  )
}

/** The messages of a conversation that are not stored yet, oldest first. */
function usePending(peer: string): readonly Pending[] {
  const all = useChat((state) => state.pending)
  const changes = useChat((state) => state.changes)
  return useMemo(
    () =>
      shownPending(
        all.filter((entry) => entry.peer === peer),
        changes,
      ),
    [all, changes, peer],
  )
}

/** The stored messages of a conversation, as the user's own changes make them. */
function useShown({ peer, messages, applied }: Room): readonly MessageBody[] {
  const me = useChat((state) => state.me)
  const all = useChat((state) => state.changes)
  return useMemo(() => {
    const changes = all.filter((change) => change.peer === peer)
    return shownMessages({ messages, applied }, changes, me)
  }, [messages, applied, all, peer, me])
}

function Messages({ room }: { room: Room }) {
  const t = useTranslations('window')
  const pending = usePending(room.peer)
  useZone()
  const scroller = useRef<HTMLElement>(null)
  const [divider, setStoppedAt] = useDivider(room)
  const items = useItems(room, pending, divider)
  const { count, itemAt } = items
  const dividerIndex = divider === null ? -1 : items.indexOfSeq(divider)
  const proposals = useProposals(room, pending)
  const virtualizer = useRows(items, scroller)
  const total = virtualizer.getTotalSize()
  const { atEnd, toEnd, leaveEnd } = useEnd(scroller, virtualizer, total)
  const isNewDay = (index: number) =>
    index === 0 ? room.older === 'none' : !isSameDay(timeOf(itemAt(index - 1)), timeOf(itemAt(index)))
  const hasLine = (index: number) => index === dividerIndex || (index < count && isNewDay(index))
  // While older ones are on their way, nothing stands above the first that would be covered for long.
  const headPx = room.older === 'none' || room.older === 'failed' ? HEAD_PX : 0
  const day = useScrolling(scroller) ? dayAt(virtualizer, hasLine, headPx) : -1

  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the conversation is shown
  useLayoutEffect(() => {
    // The list begins where reading stopped if what came since does not fit on the screen.
    if (dividerIndex >= 0 && count - dividerIndex > 12) virtualizer.scrollToIndex(dividerIndex, { align: 'start' })
    else toEnd()
  }, [])

  const loadOlderNearTop = useOlder(room, scroller)
  useMarkRead(room, atEnd === true, scroller)
  const toEndByHand = () => {
    toEnd()
    // The button goes, and the focus must not go with it.
    scroller.current?.focus()
  }
  useWritten(
    pending,
    // One's own message is always worth seeing.
    useCallback(() => {
      setStoppedAt(undefined)
      toEnd()
    }, [setStoppedAt, toEnd]),
  )

  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <section
        ref={scroller}
        data-messages
        onScroll={loadOlderNearTop}
        aria-label={t('messages')}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
        tabIndex={0}
        className="[container-type:size] flex min-h-0 flex-1 touch-pan-y flex-col overflow-y-auto overscroll-contain outline-offset-[-2px]"
      >
        <div ref={(element) => size(element, total)} className="column relative shrink-0 grow">
          <div className="slack absolute inset-x-0 top-0 grid h-18 place-items-center px-4 text-center text-muted text-sm">
            <Head room={room} empty={count === 0} />
          </div>
          <Rows room={room} items={items} proposals={proposals} divider={divider} virtualizer={virtualizer} />
        </div>
        {count === 0 && <Empty peer={room.peer} />}
      </section>
      {day >= 0 && day < count && <FloatingDay at={timeOf(itemAt(day))} />}
      <Tools room={room} items={items} scroller={scroller} virtualizer={virtualizer} onLeave={leaveEnd} />
      {atEnd === false && <ToEnd unread={unreadOf(room)} onPress={toEndByHand} />}
    </div>
  )
}

type Items = ReturnType<typeof useItems>

/** Which rows are on the screen, and where. */
function useRows({ count, itemAt, keyOf, cells }: Items, scroller: RefObject<HTMLElement | null>) {
  return useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => estimate(itemAt(index), index + 1 < count ? itemAt(index + 1) : null, cells.get(index)),
    getItemKey: keyOf,
    anchorTo: 'end',
    overscan: 8,
    paddingStart: HEAD_PX,
    rangeExtractor: useKeptRows(scroller, keyOf, count),
  })
}

/**
 * The number of the first unread message, above which a line is drawn, and what says up to where somebody has read. The line stays
 * where the read mark was when reading began.
 */
function useDivider(room: Room) {
  const unread = unreadOf(room)
  const [stoppedAt, setStoppedAt] = useState(() => (unread > 0 ? room.myReadUpTo : undefined))
  const divider = useMemo(() => (stoppedAt === undefined ? null : firstUnread(room, stoppedAt)), [room, stoppedAt])
  useEffect(() => {
    // Messages that come while nobody looks are unread from where the reader stopped.
    if (unread > 0 && !isLookedAt()) setStoppedAt(room.myReadUpTo)
  }, [unread, room.myReadUpTo])
  return [divider, setStoppedAt] as const
}

interface RowsProps {
  room: Room
  items: Items
  proposals: ReturnType<typeof useProposals>
  /** The number of the first unread message. */
  divider: number | null
  virtualizer: Virtualizer<HTMLElement, Element>
}

/** The rows that are on the screen, and a few more. */
function Rows({ room, items, proposals, divider, virtualizer }: RowsProps) {
  const me = useChat((state) => state.me)
  const refusedOf = useRefused()
  return (
    <ul>
      {virtualizer.getVirtualItems().map((row) => {
        const item = items.itemAt(row.index)
        return (
          <li
            key={row.key}
            data-index={row.index}
            data-key={row.key}
            data-cell={items.cells.has(row.index) || undefined}
            tabIndex={-1}
            ref={(element) => place(element, row.start, virtualizer.measureElement)}
            className="absolute inset-x-0 top-0 px-3 outline-offset-[-2px] md:px-6"
          >
            <MessageRow
              item={item}
              before={row.index > 0 ? items.itemAt(row.index - 1) : null}
              next={row.index + 1 < items.count ? items.itemAt(row.index + 1) : null}
              mine={!isStored(item) || item.senderEmail === me}
              name={nameOf(room.peer)}
              continued={row.index === 0 && room.older !== 'none'}
              readUpTo={room.peerReadUpTo}
              divider={isStored(item) && item.seq === divider}
              cell={items.cells.get(row.index)}
              quoted={item.replyTo === undefined ? null : items.quotedBy(item)}
              refused={refusedOf(item)}
              fixed={!canReact(room)}
              {...proposals.of(item)}
            />
          </li>
        )
      })}
    </ul>
  )
}

/** Nobody hears of emoji in a request that is one's own. */
const canReact = ({ request, blocked }: Room): boolean => request !== 'outgoing' && !blocked

/** The changes of a message that were refused; nothing when there are none. */
function useRefused(): (item: Item) => readonly PendingChange[] | undefined {
  const changes = useChat((state) => state.changes)
  return useCallback(
    (item) => {
      const refused = isStored(item) ? refusedChanges(changes, item.timestamp) : []
      return refused.length === 0 ? undefined : refused
    },
    [changes],
  )
}

interface ToolsProps extends Pick<RowsProps, 'room' | 'items' | 'virtualizer'> {
  scroller: RefObject<HTMLElement | null>
  /** Somebody is led away from the end. */
  onLeave(): void
}

/** What can be done with the messages. Its code comes when somebody is about to. */
function Tools({ room, items: { count, itemAt }, scroller, virtualizer, onLeave }: ToolsProps) {
  const { wanted, onReady, onDismiss } = useToolsWanted(scroller, linkedMessage() !== null)
  const toIndex = useCallback(
    (index: number, align: 'auto' | 'center' = 'auto') => {
      if (align === 'center') onLeave()
      virtualizer.scrollToIndex(index, { align })
    },
    [virtualizer, onLeave],
  )
  const { current: list } = scroller
  if (wanted === null || list === null) return null
  return (
    <OnDemand
      part={messageTools}
      props={{ list, room, count, itemAt, toIndex, wanted, onReady }}
      failed={(retry) => <ToolsMissing asked={wanted.first} onRetry={retry} onDismiss={onDismiss} />}
    />
  )
}

/** Loads older ones when the top is near; returns what to do when the list was scrolled. */
function useOlder({ peer, older }: Room, scroller: RefObject<HTMLElement | null>): () => void {
  const client = useChatClient()
  useEffect(() => {
    // There is nothing to scroll when the first page does not fill the screen.
    const { current: list } = scroller
    if (list !== null && list.scrollHeight <= list.clientHeight && older === 'more') void client.loadOlder(peer)
  }, [client, older, peer, scroller])
  return () => {
    const { current: list } = scroller
    if (list !== null && list.scrollTop < OLDER_WITHIN_PX && older === 'more') void client.loadOlder(peer)
  }
}

/** Calls `onWritten` when there is another message of one's own. */
function useWritten(pending: readonly Pending[], onWritten: () => void): void {
  const before = useRef(pending)
  useLayoutEffect(() => {
    const mine = pending.at(-1)
    const isNew = mine !== undefined && !before.current.some(({ id }) => id === mine.id)
    before.current = pending
    if (isNew) onWritten()
  }, [pending, onWritten])
}

function Empty({ peer }: { peer: string }) {
  const t = useTranslations('window')
  const me = useChat((state) => state.me)
  return (
    <div className="absolute inset-0 grid place-items-center px-6 text-center">
      <div>
        <div className="mb-4 flex justify-center">
          <Avatar email={me} className="size-16 text-2xl" />
          <Avatar email={peer} className="-ml-4 size-16 text-2xl ring-4 ring-ground" />
        </div>
        <p className="text-muted">{t('empty', { name: nameOf(peer) })}</p>
      </div>
    </div>
  )
}

/** Leads to the newest message. That there are new ones stands below those that are read, and covers none of them. */
function ToEnd({ unread, onPress }: { unread: number; onPress(): void }) {
  const t = useTranslations('window')
  const words = unread > 0 ? t('newMessages', { count: unread }) : t('latest')
  const place = unread > 0 ? 'mx-auto my-1.5 shrink-0 px-4 font-medium text-accent-text' : FLOATING
  return (
    <button
      type="button"
      onClick={onPress}
      aria-label={words}
      className={`flex h-9 pointer-coarse:h-11 items-center gap-1.5 rounded-full border border-line bg-surface text-sm shadow-md transition-colors hover:bg-hover ${place}`}
    >
      <DownIcon className="size-4" />
      {/* In an element of its own, which can be taken away when the browser has translated the page. */}
      {unread > 0 && <span>{words}</span>}
    </button>
  )
}

const FLOATING = 'absolute right-4 bottom-3 w-9 pointer-coarse:w-11 justify-center text-muted md:right-6'

function Head({ room, empty }: { room: Room; empty: boolean }) {
  const t = useTranslations('window')
  const client = useChatClient()
  const retry = () => {
    void client.loadOlder(room.peer)
    // The button goes, and the focus must not go with it.
    focusMessages()
  }
  if (room.older === 'none') return empty ? null : <span>{t('beginning')}</span>
  if (room.older === 'failed') {
    return (
      <span role="alert" className="flex items-center gap-2">
        {t('olderFailed')}
        <Button look="plain" className="min-h-8 px-2 text-sm" onClick={retry}>
          {t('retry')}
        </Button>
      </span>
    )
  }
  return <span className="animate-pulse">{t('olderLoading')}</span>
}

/** How the proposals of the conversation stand, and which proposal each answer is about. */
function useProposals({ messages }: Room, pending: readonly Pending[]) {
  const now = useNow()
  return useMemo(() => {
    const answered = verdicts(messages)
    const proposed = new Map(messages.flatMap(({ timestamp, proposal }) => (proposal === undefined ? [] : [[timestamp, proposal]])))
    const answering = new Map(
      pending.flatMap((entry) =>
        entry.kind !== 'matchProposalAnswer' || entry.status === 'failed'
          ? []
          : [[entry.answer.proposal, entry.answer.answer] as const],
      ),
    )
    return {
      of(item: Item): Pick<ComponentProps<typeof MessageRow>, 'standing' | 'answering' | 'subject'> {
        const { proposal, proposalAnswer } = shownOf(item)
        if (proposalAnswer !== undefined) return { subject: proposed.get(proposalAnswer.proposal) }
        if (proposal === undefined || !isStored(item)) return {}
        const standing = proposalState(proposal, answered.get(item.timestamp), now)
        return { standing, answering: answering.get(item.timestamp) ?? null }
      },
    }
  }, [messages, pending, now])
}

/** The stored messages, followed by those that are not stored yet. A message keeps its key when it is stored. */
function useItems(room: Room, pending: readonly Pending[], divider: number | null) {
  const messages = useShown(room)
  const stored = messages.length
  const itemAt = useCallback(
    (index: number): Item => messages[index] ?? (pending[index - stored] as Pending),
    [messages, pending, stored],
  )
  const keyOf = useCallback(
    (index: number): string => {
      const item = itemAt(index)
      if (!isStored(item)) return item.id
      return item.senderEmail === room.peer ? `${item.seq}` : item.clientMessageId
    },
    [itemAt, room.peer],
  )
  const quotedBy = (item: Item): MessageBody | QuotedBody | null => {
    const { replyTo = '' } = item
    const index = indexAt(messages, replyTo)
    return messages[index] ?? room.learnt[replyTo] ?? (isStored(item) ? item.quoted : null) ?? null
  }
  const indexOfSeq = (seq: number) => messages.findIndex((message) => message.seq === seq)
  const count = stored + pending.length
  const cells = useMemo(() => albumsOf(count, itemAt, divider), [count, itemAt, divider])
  return { count, itemAt, keyOf, indexOfSeq, quotedBy, cells }
}

/** Where the message of a timestamp is; -1 where it is not. */
function indexAt(messages: readonly MessageBody[], timestamp: string): number {
  let low = 0
  let high = messages.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((messages[middle] as MessageBody).timestamp < timestamp) low = middle + 1
    else high = middle
  }
  return messages[low]?.timestamp === timestamp ? low : -1
}

/** Whether the reader is scrolling, or has just stopped. At its end the list moves by itself, which does not count. */
function useScrolling(scroller: RefObject<HTMLElement | null>): boolean {
  const [scrolling, setScrolling] = useState(false)
  useEffect(() => {
    const list = scroller.current
    if (list === null) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const scrolled = () => {
      clearTimeout(timer)
      setScrolling(!isAtEnd(list))
      timer = setTimeout(() => setScrolling(false), DAY_SHOWN_MS)
    }
    list.addEventListener('scroll', scrolled, { passive: true })
    return () => {
      clearTimeout(timer)
      list.removeEventListener('scroll', scrolled)
    }
  }, [scroller])
  return scrolling
}

/**
 * The index of the message whose day is shown: the first one on the screen; -1 where the day would cover a line above messages, which is
 * that of their day or of unread ones, or what stands at the beginning.
 */
function dayAt({ scrollOffset, getVirtualItemForOffset: at }: Rows, hasLine: (index: number) => boolean, headPx: number): number {
  const top = scrollOffset ?? 0
  const [first, behind] = [at(top), at(top + DAY_PX)]
  if (first === undefined || top < headPx) return -1
  const isCovered = [first, behind].some((row) => row !== undefined && row.start > top - LINE_ABOVE_PX && hasLine(row.index))
  return isCovered ? -1 : first.index
}

type Rows = Pick<Virtualizer<HTMLElement, Element>, 'getVirtualItemForOffset' | 'scrollOffset'>

/** Shows the day of the messages on the screen while they scroll. Screen readers hear it from the rows. */
function FloatingDay({ at }: { at: number }) {
  return (
    <p aria-hidden="true" data-testid="floating-day" className="pointer-events-none absolute inset-x-0 top-2 flex justify-center">
      <Day at={at} className="rounded-full border border-line bg-surface px-3 py-1 text-muted text-xs shadow-sm" />
    </p>
  )
}

/** Marks the conversation as read when its end is shown and somebody looks. */
function useMarkRead(room: Room, atEnd: boolean, scroller: RefObject<HTMLElement | null>): void {
  const client = useChatClient()
  const { peer, messages } = room
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new message is a reason to look again
  useEffect(() => {
    const mark = () => {
      const { current: list } = scroller
      if (!atEnd || list === null || !isLookedAt()) return
      if (isAtEnd(list)) client.markRead(peer)
    }
    mark()
    return onLook(mark)
  }, [client, peer, messages, atEnd, scroller])
}

// Styles are set as properties, never as an attribute: the page's policy allows no inline styles.
function size(element: HTMLElement | null, height: number): void {
  if (element === null) return
  element.style.minHeight = `${height}px`
  // What a short list leaves free is above it. A list that grows moves its rows by transforms, which is no shift of the layout.
  element.style.setProperty('--slack', `max(0px, 100cqh - ${height}px)`)
}

function place(element: HTMLElement | null, top: number, measure: (element: HTMLElement | null) => void): void {
  if (element !== null) element.style.transform = `translateY(calc(${top}px + var(--slack)))`
  measure(element)
}
