'use client'

import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual'
import { firstUnread, type Pending, proposalState, type Room, unreadOf, verdicts } from 'chat-core'
import { type ComponentProps, type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { formatDay } from '@/lib/format'
import { Button } from './Button'
import { DownIcon } from './conversationIcons'
import { focusConversation, focusMessages } from './focus'
import { shownSize } from './ImageBubble'
import { AlertIcon } from './icons'
import { type Item, isStored, MessageRow, shownOf, timeOf } from './MessageRow'
import { Avatar, nameOf } from './people'
import { MessagesSkeleton } from './Skeleton'
import { isAtEnd, useEnd } from './useEnd'
import { useLocale } from './useLocale'
import { useNow } from './useNow'

/** How long the day stays after scrolling. */
const DAY_SHOWN_MS = 1_200
/** Where it ends, from the top. */
const DAY_PX = 40
/** How close to the top older ones are fetched: about a screen away. */
const OLDER_WITHIN_PX = 600
/** Room above the first message, for what is said there. */
const HEAD_PX = 72
/** A row of one line, and what it is more when another person's follows. */
const ROW_PX = 41
const GROUP_PX = 10
const LINE_PX = 21
/** A proposal without a remark; and what is round an image. */
const PROPOSAL_PX = 196
const IMAGE_FRAME_PX = 12
const LINE_CHARACTERS = 40

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
    <ul className="mx-auto w-full max-w-3xl shrink-0">
      {entries.map((entry, index) => (
        <li key={entry.id} className="px-4 md:px-6">
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
  return useMemo(() => all.filter((entry) => entry.peer === peer), [all, peer])
}

function Messages({ room }: { room: Room }) {
  const t = useTranslations('window')
  const pending = usePending(room.peer)
  const scroller = useRef<HTMLElement>(null)

  // The line above the unread messages stays where the read mark was when reading began.
  const [stoppedAt, setStoppedAt] = useState(() => (unreadOf(room) > 0 ? room.myReadUpTo : undefined))
  const divider = useMemo(() => (stoppedAt === undefined ? null : firstUnread(room, stoppedAt)), [room, stoppedAt])
  const items = useItems(room, pending)
  const { count, itemAt, keyOf } = items
  const dividerIndex = divider === null ? -1 : items.indexOfSeq(divider)
  const proposals = useProposals(room, pending)

  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => estimate(itemAt(index), index + 1 < count ? itemAt(index + 1) : null),
    getItemKey: keyOf,
    anchorTo: 'end',
    overscan: 8,
    paddingStart: HEAD_PX,
  })
  const total = virtualizer.getTotalSize()
  const { atEnd, toEnd } = useEnd(scroller, virtualizer, total)

  const day = useScrolling(scroller) ? dayAt(virtualizer, dividerIndex) : -1

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
    }, [toEnd]),
  )

  const unread = unreadOf(room)
  useEffect(() => {
    // Messages that come while the page is hidden are unread from where the reader stopped.
    if (unread > 0 && document.visibilityState === 'hidden') setStoppedAt(room.myReadUpTo)
  }, [unread, room.myReadUpTo])

  return (
    <div className="relative min-h-0 flex-1">
      <section
        ref={scroller}
        data-messages
        onScroll={loadOlderNearTop}
        aria-label={t('messages')}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
        tabIndex={0}
        className="flex h-full flex-col overflow-y-auto overscroll-contain outline-offset-[-2px]"
      >
        <div ref={(element) => size(element, total)} className="relative mx-auto mt-auto w-full max-w-3xl shrink-0">
          <div className="absolute inset-x-0 top-0 grid h-18 place-items-center px-4 text-center text-muted text-sm">
            <Head room={room} empty={count === 0} />
          </div>
          <Rows room={room} items={items} proposals={proposals} divider={divider} virtualizer={virtualizer} />
        </div>
        {count === 0 && <Empty peer={room.peer} />}
      </section>
      {day >= 0 && day < count && <FloatingDay at={timeOf(itemAt(day))} />}
      {atEnd === false && <ToEnd unread={unread} onPress={toEndByHand} />}
    </div>
  )
}

interface RowsProps {
  room: Room
  items: ReturnType<typeof useItems>
  proposals: ReturnType<typeof useProposals>
  /** The number of the first unread message. */
  divider: number | null
  virtualizer: Virtualizer<HTMLElement, Element>
}

/** The rows that are on the screen, and a few more. */
function Rows({ room, items, proposals, divider, virtualizer }: RowsProps) {
  const me = useChat((state) => state.me)
  return (
    <ul>
      {virtualizer.getVirtualItems().map((row) => {
        const item = items.itemAt(row.index)
        return (
          <li
            key={row.key}
            data-index={row.index}
            ref={(element) => place(element, row.start, virtualizer.measureElement)}
            className="absolute inset-x-0 top-0 px-4 md:px-6"
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
              {...proposals.of(item)}
            />
          </li>
        )
      })}
    </ul>
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
  return (
    <div className="absolute inset-0 grid place-items-center px-6 text-center">
      <div>
        <Avatar email={peer} className="mx-auto mb-3 size-16 text-2xl" />
        <p className="text-muted">{t('empty', { name: nameOf(peer) })}</p>
      </div>
    </div>
  )
}

/** Leads to the newest message. */
function ToEnd({ unread, onPress }: { unread: number; onPress(): void }) {
  const t = useTranslations('window')
  return (
    <button
      type="button"
      onClick={onPress}
      aria-label={unread > 0 ? t('newMessages', { count: unread }) : t('latest')}
      className={`absolute bottom-3 flex h-9 items-center gap-1.5 rounded-full border border-line bg-surface text-sm shadow-md transition-colors hover:bg-hover ${unread > 0 ? 'left-1/2 -translate-x-1/2 px-4 font-medium text-accent-text' : 'right-4 w-9 justify-center text-muted md:right-6'}`}
    >
      <DownIcon className="size-4" />
      {unread > 0 && t('newMessages', { count: unread })}
    </button>
  )
}

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
        const { proposal, answer } = shownOf(item)
        if (answer !== undefined) return { subject: proposed.get(answer.proposal) }
        if (proposal === undefined || !isStored(item)) return {}
        const standing = proposalState(proposal, answered.get(item.timestamp), now)
        return { standing, answering: answering.get(item.timestamp) ?? null }
      },
    }
  }, [messages, pending, now])
}

/** The stored messages, followed by those that are not stored yet. A message keeps its key when it is stored. */
function useItems(room: Room, pending: readonly Pending[]) {
  const { messages } = room
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
  const indexOfSeq = (seq: number) => messages.findIndex((message) => message.seq === seq)
  return { count: stored + pending.length, itemAt, keyOf, indexOfSeq }
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

/** The index of the message whose day is shown: the first one on the screen; -1 where the day would cover the line above unread ones. */
function dayAt(virtualizer: Pick<Virtualizer<HTMLElement, Element>, 'getVirtualItemForOffset' | 'scrollOffset'>, divider: number) {
  const top = virtualizer.scrollOffset ?? 0
  const [first, behind] = [top, top + DAY_PX].map((offset) => virtualizer.getVirtualItemForOffset(offset)?.index ?? -1)
  return first === divider || behind === divider ? -1 : (first ?? -1)
}

/** Shows the day of the messages on the screen while they scroll. Screen readers hear it from the rows. */
function FloatingDay({ at }: { at: number }) {
  const locale = useLocale()
  return (
    <p aria-hidden="true" className="pointer-events-none absolute inset-x-0 top-2 flex justify-center">
      <span
        data-testid="floating-day"
        className="rounded-full border border-line bg-surface px-3 py-1 text-muted text-xs shadow-sm"
      >
        {formatDay(locale, at)}
      </span>
    </p>
  )
}

/** Marks the conversation as read when its end is shown on a visible screen. */
function useMarkRead(room: Room, atEnd: boolean, scroller: RefObject<HTMLElement | null>): void {
  const client = useChatClient()
  const { peer, messages } = room
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new message is a reason to look again
  useEffect(() => {
    const mark = () => {
      const { current: list } = scroller
      if (!atEnd || list === null || document.visibilityState !== 'visible') return
      if (isAtEnd(list)) client.markRead(peer)
    }
    mark()
    document.addEventListener('visibilitychange', mark)
    return () => document.removeEventListener('visibilitychange', mark)
  }, [client, peer, messages, atEnd, scroller])
}

/** Guesses the height of a row, closely enough that older messages move the rest by less than a line when they come. */
function estimate(item: Item, next: Item | null): number {
  const { text, image, proposal } = shownOf(item)
  const sameSender = isStored(item) && next !== null && isStored(next) && item.senderEmail === next.senderEmail
  const gap = sameSender ? 0 : GROUP_PX
  if (proposal !== undefined) return PROPOSAL_PX + gap
  const lines = Math.min(Math.floor(text.length / LINE_CHARACTERS), 200) * LINE_PX
  if (image !== undefined)
    return shownSize(image).height + IMAGE_FRAME_PX + gap + (text === '' ? 0 : ROW_PX - IMAGE_FRAME_PX + lines)
  return ROW_PX + gap + lines
}

// Styles are set as properties, never as an attribute: the page's policy allows no inline styles.
function size(element: HTMLElement | null, height: number): void {
  if (element !== null) element.style.height = `${height}px`
}

function place(element: HTMLElement | null, top: number, measure: (element: HTMLElement | null) => void): void {
  if (element !== null) element.style.transform = `translateY(${top}px)`
  measure(element)
}
