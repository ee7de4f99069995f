'use client'

import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual'
import {
  atReader,
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
import {
  type ComponentProps,
  type RefObject,
  useCallback,
  useEffect,
  useEffectEvent,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react'
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
import type { Sought } from './rows'
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
/** How close to an end of what is loaded the next ones are fetched: about a screen away. */
const LOAD_WITHIN_PX = 600
/** None of those that are not stored yet: they follow on the newest message, which the reader is not at. */
const NONE: readonly Pending[] = []
/** Room above the first message, for what is said there. */
const HEAD_PX = 72

export function MessageList({ room, sought = null }: { room: Room; sought?: Sought | null }) {
  const t = useTranslations('window')
  const client = useChatClient()
  const name = nameOf(room.peer)
  if (room.status === 'ready') return <Messages key={room.peer} room={room} sought={sought} />
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

function Messages({ room: whole, sought }: { room: Room; sought: Sought | null }) {
  const t = useTranslations('window')
  const { peer, detached } = whole
  const room = useMemo(() => atReader(whole), [whole])
  const unsent = usePending(peer)
  const pending = detached === null ? unsent : NONE
  useZone()
  const scroller = useRef<HTMLElement>(null)
  const [divider, setStoppedAt] = useDivider(room, unreadOf(whole))
  const items = useItems(room, pending, divider)
  const { count, itemAt } = items
  const dividerIndex = items.indexOfSeq(divider)
  const proposals = useProposals(whole, room.messages, pending)
  // The list begins where reading stopped if what came since does not fit on the screen.
  const stoppedBefore = dividerIndex >= 0 && count - dividerIndex > 12 ? dividerIndex : null
  const virtualizer = useRows(items, scroller, stoppedBefore)
  const total = virtualizer.getTotalSize()
  const { atEnd, toEnd, leaveEnd } = useEnd(scroller, virtualizer, total, detached !== null)
  const isNewDay = (index: number) =>
    index === 0 ? room.older === 'none' : !isSameDay(timeOf(itemAt(index - 1)), timeOf(itemAt(index)))
  const hasLine = (index: number) => index === dividerIndex || (index < count && isNewDay(index))
  // While older ones are on their way, nothing stands above the first that would be covered for long.
  const headPx = room.older === 'none' || room.older === 'failed' ? HEAD_PX : 0
  const day = useScrolling(scroller) ? dayAt(virtualizer, hasLine, headPx) : -1

  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the conversation is shown
  useLayoutEffect(() => {
    stoppedBefore === null ? toEnd() : virtualizer.scrollToIndex(stoppedBefore, { align: 'start' })
  }, [])

  const loadNearEnds = useEnds(room, scroller)
  useMarkRead(whole, atEnd === true && detached === null, scroller)
  const toNewest = useNewest(peer, toEnd)
  const toEndByHand = () => {
    toNewest()
    // The button goes, and the focus must not go with it.
    scroller.current?.focus()
  }
  // One's own message is always worth seeing.
  useWritten(unsent, () => {
    setStoppedAt(undefined)
    toNewest()
  })

  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <section
        ref={scroller}
        data-messages
        onScroll={loadNearEnds}
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
        {detached !== null && <Tail peer={peer} failed={detached.newer === 'failed'} />}
        {count === 0 && whole.clearedTo === null && <Empty peer={peer} />}
      </section>
      {day >= 0 && day < count && <FloatingDay at={timeOf(itemAt(day))} />}
      <Tools {...{ room, items, scroller, virtualizer, sought, toNewest }} onLeave={leaveEnd} />
      {(atEnd === false || detached !== null) && <ToEnd unread={unreadOf(whole)} onPress={toEndByHand} />}
    </div>
  )
}

type Items = ReturnType<typeof useItems>

/** Which rows are on the screen, and where. The first that is drawn is `from`, or else the last is the newest. */
function useRows({ count, itemAt, keyOf, cells }: Items, scroller: RefObject<HTMLElement | null>, from: number | null) {
  const estimateSize = (index: number) => estimate(itemAt(index), index + 1 < count ? itemAt(index + 1) : null, cells.get(index))
  // Before anything is laid out, the list is taken to be as high as the page. Without it the oldest rows would be drawn, and taken away
  // again.
  const initialOffset = () => {
    let top = HEAD_PX
    for (let index = 0; index < (from ?? count); index += 1) top += estimateSize(index)
    return from === null ? Math.max(0, top - innerHeight) : top
  }
  return useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize,
    initialOffset,
    initialRect: { width: innerWidth, height: innerHeight },
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
function useDivider(room: Room, unread: number) {
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
  sought: Sought | null
  toNewest(): void
  /** Somebody is led away from the end. */
  onLeave(): void
}

/** What can be done with the messages. Its code comes when somebody is about to. */
function Tools({ room, items: { count, itemAt }, scroller, virtualizer, onLeave, ...props }: ToolsProps) {
  const { wanted, onReady, onDismiss } = useToolsWanted(scroller, props.sought !== null || linkedMessage() !== null)
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
      props={{ list, room, count, itemAt, toIndex, wanted, onReady, ...props }}
      failed={(retry) => <ToolsMissing asked={wanted.first} onRetry={retry} onDismiss={onDismiss} />}
    />
  )
}

/** Loads more when an end of what is loaded is near; returns what to do when the list was scrolled. */
function useEnds({ peer, older, detached }: Room, scroller: RefObject<HTMLElement | null>): () => void {
  const client = useChatClient()
  const newer = detached?.newer
  const load = (withinPx: number) => {
    const { current: list } = scroller
    if (list === null) return
    const { scrollTop, scrollHeight, clientHeight } = list
    if (older === 'more' && (scrollTop < withinPx || scrollHeight <= clientHeight)) void client.loadOlder(peer)
    if (newer === 'more' && scrollHeight - scrollTop - clientHeight < LOAD_WITHIN_PX) void client.loadNewer(peer)
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each page, since there may be nothing to scroll yet
  useEffect(() => load(0), [client, older, newer, peer, scroller])
  return () => load(LOAD_WITHIN_PX)
}

/** Leads to the newest messages, wherever the reader is. */
function useNewest(peer: string, toEnd: () => void): () => void {
  const client = useChatClient()
  return useCallback(() => {
    client.showNewest(peer)
    toEnd()
  }, [client, peer, toEnd])
}

/** Calls `onWritten` when there is another message of one's own. */
function useWritten(pending: readonly Pending[], onWritten: () => void): void {
  const before = useRef(pending)
  const written = useEffectEvent(onWritten)
  useLayoutEffect(() => {
    const mine = pending.at(-1)
    const isNew = mine !== undefined && !before.current.some(({ id }) => id === mine.id)
    before.current = pending
    if (isNew) written()
  }, [pending])
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
    focusMessages()
  }
  if (room.older === 'none' && room.clearedTo !== null) return <span>{t('cleared')}</span>
  if (room.older === 'none') return empty ? null : <span>{t('beginning')}</span>
  if (room.older === 'failed') return <Failed words={t('olderFailed')} onRetry={retry} />
  return <span className="animate-pulse">{t('olderLoading')}</span>
}

/** Below what the reader was led to, whose newer ones come as they are scrolled to. */
function Tail({ peer, failed }: { peer: string; failed: boolean }) {
  const t = useTranslations('window')
  const client = useChatClient()
  const retry = () => {
    void client.loadNewer(peer)
    focusMessages()
  }
  return (
    <div className="grid h-18 shrink-0 place-items-center text-muted text-sm">
      {failed ? <Failed words={t('newerFailed')} onRetry={retry} /> : <span className="animate-pulse">{t('newerLoading')}</span>}
    </div>
  )
}

/** More did not come. The button goes when it is pressed, and the focus must not go with it. */
function Failed({ words, onRetry }: { words: string; onRetry(): void }) {
  const t = useTranslations('window')
  return (
    <span role="alert" className="flex items-center gap-2">
      {words}
      <Button look="plain" className="min-h-8 px-2 text-sm" onClick={onRetry}>
        {t('retry')}
      </Button>
    </span>
  )
}

/**
 * How the proposals of the conversation stand, and which proposal each answer is about. `shown` are the messages that the reader is at:
 * between them and the newest ones there may be an answer that is not loaded.
 */
function useProposals({ messages, detached }: Room, shown: readonly MessageBody[], pending: readonly Pending[]) {
  const now = useNow()
  return useMemo(() => {
    const answered = verdicts(detached === null ? shown : [...shown, ...messages])
    const proposed = new Map(shown.flatMap(({ timestamp, proposal }) => (proposal === undefined ? [] : [[timestamp, proposal]])))
    const answering = new Map(
      pending.flatMap((entry) =>
        entry.kind !== 'matchProposalAnswer' || entry.status === 'failed'
          ? []
          : [[entry.answer.proposal, entry.answer.answer] as const],
      ),
    )
    return {
      of(item: Item): Pick<ComponentProps<typeof MessageRow>, 'standing' | 'answering' | 'subject' | 'unsure'> {
        const { proposal, proposalAnswer } = shownOf(item)
        if (proposalAnswer !== undefined) return { subject: proposed.get(proposalAnswer.proposal) }
        if (proposal === undefined || !isStored(item)) return {}
        const verdict = answered.get(item.timestamp)
        const standing = proposalState(proposal, verdict, now)
        const unsure = detached !== null && verdict === undefined
        return { standing, unsure, answering: answering.get(item.timestamp) ?? null }
      },
    }
  }, [messages, detached, shown, pending, now])
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
  const indexOfSeq = (seq: number | null) => messages.findIndex((message) => message.seq === seq)
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
  // What a short list leaves free is above it. A list that grows moves its rows by transforms, which is no shift of the layout. Each change
  // has the browser look at all rows anew, so the list counts as no higher than the screen: beyond that nothing is left free.
  const shown = Math.min(height, Math.max(screen.height, innerHeight))
  element.style.setProperty('--slack', `max(0px, 100cqh - ${shown}px)`)
}

function place(element: HTMLElement | null, top: number, measure: (element: HTMLElement | null) => void): void {
  if (element !== null) element.style.transform = `translateY(calc(${top}px + var(--slack)))`
  measure(element)
}
