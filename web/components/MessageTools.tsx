import { heardRead, isDiscardable, isFinal, type Room, type Target } from 'chat-core'
import { useCallback, useEffect, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { useComposing } from './composing'
import { MoreIcon } from './conversationIcons'
import { focusMessages } from './focus'
import { type Item, isStored, shownOf } from './items'
import { MessageMenu } from './MessageMenu'
import { type ActionContext, actionsOf, type MessageFacts, type Reacting } from './messageActions'
import { SmileIcon } from './messageIcons'
import { messageLink } from './messageLink'
import { wordsOf } from './messageWords'
import { Part } from './OnDemand'
import { useOverlay } from './Overlay'
import { nameOf } from './people'
import { toggled } from './Reactions'
import { reportDialog } from './reportPart'
import { indexOf, type Messages, type Sought } from './rows'
import { UndoBar } from './UndoBar'
import { useCopied } from './useCopied'
import { useLinkedMessage } from './useLinkedMessage'
import { useLocale } from './useLocale'
import { useNearRow } from './useNearRow'
import { useRowHold } from './useRowHold'
import { useRowKeys } from './useRowKeys'
import { useRowSwipe } from './useRowSwipe'
import { quoteOf, type Wanted } from './useToolsWanted'

const emojiPicker = new Part(() => import('./EmojiPicker'))
const deleteDialog = new Part(() => import('./DeleteDialog'))

/** How long a deletion can be undone, before it is sent. */
const UNDO_MS = 5_000

interface Props extends Messages {
  /** What was asked for before this was loaded, by a key or a long press; or the touch that has not ended since. */
  wanted: Wanted
  /** What was found, or `null`. */
  sought: Sought | null
  /** What is asked for from now on is heard here. */
  onReady(): void
}

const SAID_MS = 3_000

/** What can be done with messages: by pointing at them, by touching them for long, and by keyboard. */
export default function MessageTools(props: Props) {
  const { list, count, itemAt, onReady } = props
  const [menu, setMenu] = useState<{ row: HTMLElement; isShort: boolean } | null>(null)
  const openMenu = useCallback((row: HTMLElement) => setMenu({ row, isShort: false }), [])
  // Read once, when this is loaded: the list keeps it up to date until then.
  const [first] = useState(props.wanted.first)
  const { said, say } = useSaid()
  const copy = useCopy(say)
  const toolsOf = useTools(props, copy)
  const near = useNearRow(list)
  const itemOf = (row: HTMLElement): Item | undefined => {
    const index = indexOf(row)
    return row.isConnected && index < count ? itemAt(index) : undefined
  }
  const act = (item: Item, action: string): boolean => {
    const found = toolsOf(item).actions.find(({ id }) => id === action)
    found?.run()
    return found !== undefined
  }
  // Before what was asked for is asked for again.
  useEffect(onReady, [onReady])
  useRowKeys({
    ...props,
    first,
    onMenu: openMenu,
    onAct: (index, action) => act(itemAt(index), action),
  })
  useRowHold(list, openMenu, props.wanted.isMoved ? null : first)
  const swiped = useRef<(row: HTMLElement) => void>(() => {})
  swiped.current = (row) => {
    const item = itemOf(row)
    if (item !== undefined) act(item, 'reply')
  }
  useRowSwipe(
    list,
    useCallback((row) => swiped.current(row), []),
    first,
  )
  useCopied(props)
  useQuotes(list, first, useLinkedMessage(props, props.sought, say))

  const pointed = near === null ? undefined : itemOf(near)
  const bubble = near?.querySelector('[data-bubble]')
  const chosen = menu === null ? undefined : itemOf(menu.row)
  return (
    <>
      {near !== null && pointed !== undefined && bubble != null && (
        <Bar container={bubble} facts={toolsOf(pointed)} onMenu={(isShort) => setMenu({ row: near, isShort })} />
      )}
      {menu !== null && chosen !== undefined && (
        <MessageMenu
          near={menu.row.querySelector('[data-bubble]') ?? menu.row}
          {...toolsOf(chosen)}
          isShort={menu.isShort}
          onClose={() => setMenu(null)}
        />
      )}
      <UndoBar peer={props.room.peer} />
      <p
        aria-live="polite"
        data-testid="said"
        className="pointer-events-none absolute inset-x-0 bottom-16 flex justify-center px-4 text-center text-sm"
      >
        {said !== '' && <span className="rounded-full bg-text px-4 py-1.5 text-ground shadow-md">{said}</span>}
      </p>
    </>
  )
}

/** The bar beside a message. It is within its row, so that it moves with it and follows it in the order of Tab. */
function Bar({
  container,
  facts: { actions, reacting },
  onMenu,
}: {
  container: Element
  facts: MessageFacts
  /** `isShort`: emoji alone are wanted. */
  onMenu(isShort: boolean): void
}) {
  const t = useTranslations('message')
  const button = 'grid size-8 place-items-center rounded-lg text-muted hover:bg-hover hover:text-text outline-offset-[-2px]'
  return createPortal(
    <div
      role="toolbar"
      aria-label={t('tools')}
      data-bar
      className="absolute -top-7 right-1 flex rounded-xl border border-line bg-surface p-0.5 shadow-sm pointer-coarse:hidden"
    >
      {reacting !== null && (
        <button
          type="button"
          aria-haspopup="menu"
          aria-label={t('react')}
          title={t('react')}
          onClick={() => onMenu(true)}
          className={button}
        >
          <SmileIcon className="size-4.5" />
        </button>
      )}
      {actions
        .filter(({ isQuick }) => isQuick)
        .map(({ id, label, Icon, run }) => (
          <button key={id} type="button" aria-label={t(label)} title={t(label)} onClick={run} className={button}>
            <Icon className="size-4.5" />
          </button>
        ))}
      <button
        type="button"
        aria-haspopup="menu"
        aria-label={t('more')}
        title={t('more')}
        onClick={() => onMenu(false)}
        className={button}
      >
        <MoreIcon className="size-4.5" />
      </button>
    </div>,
    container,
  )
}

/** What there is to do with a message, and to know of it. */
function useTools({ room }: Messages, copy: (text: string) => void): (item: Item) => MessageFacts {
  const t = useTranslations()
  const locale = useLocale()
  const me = useChat((state) => state.me)
  const show = useOverlay()
  const changing = useChanging(room)
  return (item) => {
    const mine = !isStored(item) || item.senderEmail === me
    const link = isStored(item) ? messageLink(room.peer, me, item.timestamp) : null
    const words = wordsOf(item, locale, t)
    const isRead = isStored(item) && (item.read || (room.peerReadUpTo ?? '') >= item.timestamp)
    const report =
      mine || (isStored(item) && isFinal(item)) ? null : () => show(reportDialog, { peer: room.peer, chosen: [item.timestamp] })
    return {
      actions: actionsOf(item, { words, link, copy, report, ...changing.of(item, mine, words) }),
      reacting: changing.reacting(item),
      title: t('message.menu', { name: mine ? t('message.mine') : nameOf(room.peer) }),
      sentAt: isStored(item) ? Date.parse(item.timestamp) : null,
      read: mine && isStored(item) ? { isRead, at: heardRead(room, item.timestamp) } : null,
    }
  }
}

/** What changes a message, and what replies to it, where that can be done. */
function useChanging(room: Room) {
  const client = useChatClient()
  const show = useOverlay()
  const { compose } = useComposing()
  const me = useChat((state) => state.me)
  const { peer, blocked, request } = room
  // Of one's own request nobody hears more than its messages; they can be taken back.
  const isHeard = !blocked && request !== 'outgoing'
  const remove = (item: Item) => {
    // Nobody has begun to send it.
    if (!isStored(item) && isDiscardable(item)) void client.discard(item.id)
    else client.delete(peer, targetOf(item), UNDO_MS)
    focusMessages()
  }
  const reacting = (item: Item): Reacting | null => {
    if (!isStored(item) || isFinal(item) || !isHeard) return null
    const own = item.reactions?.[me] ?? []
    const press = (emoji: string) => void client.react(peer, targetOf(item), toggled(own, emoji))
    return { own, press, showAll: () => show(emojiPicker, { chosen: own, onPick: press }) }
  }
  return {
    reacting,
    of(item: Item, mine: boolean, words: string): Pick<ActionContext, 'reply' | 'edit' | 'remove'> {
      const isOver = isStored(item) && isFinal(item)
      const canReply = isStored(item) && !isOver && !blocked
      const canEdit = mine && isHeard && (item.kind === 'text' || item.kind === 'image')
      const canRemove = mine && !isOver && item.kind !== 'matchProposalAnswer'
      const text = shownOf(item).message
      return {
        reply: canReply ? () => compose({ kind: 'reply', to: item }) : null,
        edit: canEdit ? () => compose({ kind: 'edit', target: targetOf(item), text }) : null,
        remove: canRemove ? () => show(deleteDialog, { words, onDelete: () => remove(item) }) : null,
      }
    },
  }
}

const targetOf = (item: Item): Target => (isStored(item) ? { timestamp: item.timestamp } : { id: item.id })

/** Calls `lead` with what is quoted when a quote is pressed. */
function useQuotes(list: HTMLElement, first: Event | null, lead: (timestamp: string) => void): void {
  const asked = useRef(first)
  useEffect(() => {
    const pressed = (event: Event) => {
      const timestamp = quoteOf(event)
      if (timestamp !== null) lead(timestamp)
    }
    if (asked.current?.type === 'click') pressed(asked.current)
    asked.current = null
    list.addEventListener('click', pressed)
    return () => list.removeEventListener('click', pressed)
  }, [list, lead])
}

/** A few words about what has just been done. */
function useSaid() {
  const [said, setSaid] = useState('')
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const say = useCallback((words: string) => {
    clearTimeout(timer.current)
    setSaid(words)
    timer.current = setTimeout(() => setSaid(''), SAID_MS)
  }, [])
  useEffect(() => () => clearTimeout(timer.current), [])
  return { said, say }
}

function useCopy(say: (words: string) => void) {
  const t = useTranslations('message')
  return (text: string) => {
    // Where the page is not served safely there is no clipboard.
    const written = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('there is no clipboard'))
    written.then(
      () => say(t('copied')),
      () => say(t('copyFailed')),
    )
  }
}
