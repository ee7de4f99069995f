'use client'

import { countedUnread, emptyRoom, type Room, totalUnread } from 'chat-core'
import { type ClipboardEvent, type DragEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat } from '@/context/ChatSocketContext'
import { formatBadge } from '@/lib/format'
import { IconButton } from './Button'
import { Composer } from './Composer'
import { ComposingProvider } from './composing'
import { BackIcon, ImageIcon, MoreIcon } from './conversationIcons'
import { focusConversation } from './focus'
import { SearchIcon } from './icons'
import { MessageList } from './MessageList'
import { NotLoaded } from './NotLoaded'
import { OnDemand, Part } from './OnDemand'
import { OverlayProvider, useOverlay } from './Overlay'
import { PartMissing } from './PartMissing'
import { areNames } from './pastedNames'
import { Avatar, nameOf } from './people'
import type { Sought } from './rows'
import { showPeer } from './usePeer'

const imagePreview = new Part(() => import('./ImagePreview'))
const consentBar = new Part(() => import('./ConsentBar'))
const conversationMenu = new Part(() => import('./ConversationMenu'))
const conversationSearch = new Part(() => import('./ConversationSearch'))

export default function ConversationWindow({ peer }: { peer: string }) {
  const t = useTranslations('window')
  const room = useChat((state) => state.rooms[peer]) ?? emptyRoom(peer)
  const { picked, pick, putAway } = usePicked()
  const drop = useDrop(pick)
  const find = useFind(room)
  const name = nameOf(peer)

  return (
    <ComposingProvider peer={peer}>
      <OverlayProvider>
        <section
          aria-label={t('label', { name })}
          onPaste={(event) => pastePictures(event, pick)}
          {...drop.handlers}
          onKeyDown={(event) => {
            find.pressed(event)
            if (event.key !== 'Escape' || event.nativeEvent.isComposing || event.defaultPrevented) return
            showPeer(null)
            document.querySelector<HTMLElement>(`button[data-peer="${CSS.escape(peer)}"]`)?.focus()
          }}
          className="patterned relative flex min-h-0 min-w-0 flex-1 flex-col"
        >
          <Header room={room} isFinding={find.asked > 0} onFind={find.toggle} />
          {find.asked > 0 && (
            <OnDemand
              part={conversationSearch}
              props={{ peer, asked: find.asked, onSeek: find.seek, onClose: find.close }}
              failed={(retry) => <PartMissing onRetry={retry} />}
            />
          )}
          <MessageList room={room} sought={find.sought} />
          {(room.blocked || room.request === 'incoming' || room.request === 'outgoing') && (
            <OnDemand part={consentBar} props={{ room }} failed={(retry) => <PartMissing onRetry={retry} />} />
          )}
          {!room.blocked && <Composer peer={peer} onPick={room.request === 'outgoing' ? null : pick} />}
          {drop.over && (
            <div className="pointer-events-none absolute inset-3 grid place-content-center justify-items-center gap-2 rounded-2xl border-2 border-accent border-dashed bg-surface/90 text-accent-text">
              <ImageIcon className="size-8" />
              <p className="font-medium">{t('drop', { name })}</p>
            </div>
          )}
        </section>
        {/* Outside of the window: keys pressed in it are not the window's. */}
        {picked !== null && (
          <OnDemand
            key={picked.map(({ name, lastModified, size }) => `${name} ${lastModified} ${size}`).join('/')}
            part={imagePreview}
            props={{ files: picked, peer, onClose: putAway }}
            failed={(retry) => <NotLoaded onRetry={retry} onClose={putAway} />}
          />
        )}
      </OverlayProvider>
    </ComposingProvider>
  )
}

/** Finding something in the conversation: whether somebody does, how often they asked to, and where they are led. */
function useFind({ last }: Room) {
  const [asked, setAsked] = useState(0)
  const [sought, setSought] = useState<Sought | null>(null)
  const ask = () => setAsked((count) => count + 1)
  const close = () => setAsked(0)
  const pressed = (event: KeyboardEvent) => {
    const { ctrlKey, metaKey, shiftKey, altKey, code, target } = event
    if (last === null || code !== 'KeyF' || !(ctrlKey || metaKey) || shiftKey || altKey) return
    // Pressed once more, it is the browser's, which finds what is on the screen.
    if (target instanceof Element && target.closest('[data-find]') !== null) return
    event.preventDefault()
    ask()
  }
  return { asked, sought, seek: setSought, close, pressed, toggle: asked > 0 ? close : ask }
}

/** Files that were picked to be sent, until they are or are put away. */
function usePicked() {
  const [picked, setPicked] = useState<readonly File[] | null>(null)
  // The dialog has to be gone first: while it is open, nothing else can take the focus.
  const wasPicked = useRef(false)
  useEffect(() => {
    if (picked === null && wasPicked.current) focusConversation()
    wasPicked.current = picked !== null
  }, [picked])
  const pick = (files: FileList) => {
    if (files.length > 0) setPicked([...files])
  }
  return { picked, pick, putAway: () => setPicked(null) }
}

function pastePictures(event: ClipboardEvent, pick: (files: FileList) => void): void {
  const { files } = event.clipboardData
  // Cells of a spreadsheet are copied as a picture too, but the user means their words.
  if (files.length === 0 || !areNames(event.clipboardData.getData('text/plain'), files)) return
  event.preventDefault()
  pick(files)
}

/** Who the conversation is with. */
function Header({ room, isFinding, onFind }: { room: Room; isFinding: boolean; onFind(): void }) {
  const t = useTranslations('window')
  const show = useOverlay()
  const heading = useRef<HTMLHeadingElement>(null)
  const unreadOfOthers = useChat(totalUnread) - countedUnread(room)
  useEffect(() => {
    // On a phone the keyboard would cover what was just opened.
    if (matchMedia('(pointer: coarse)').matches) heading.current?.focus()
  }, [])
  return (
    <header className="flex min-h-15 shrink-0 items-center gap-3 border-line border-b bg-surface px-3 md:px-6">
      <Back unread={unreadOfOthers} />
      <Avatar email={room.peer} className="size-9 text-sm" />
      <div className="min-w-0">
        <h1 ref={heading} tabIndex={-1} className="truncate font-semibold leading-tight outline-none">
          {nameOf(room.peer)}
        </h1>
        <p className="truncate text-muted text-xs">
          {room.typing ? <span className="text-accent-text">{t('typing')}</span> : room.peer}
        </p>
      </div>
      {(room.last !== null || room.clearedTo !== null) && (
        <div className="-mr-2 ml-auto flex">
          <IconButton label={t('find')} aria-expanded={isFinding} onClick={onFind}>
            <SearchIcon />
          </IconButton>
          <IconButton
            label={t('menu')}
            aria-haspopup="menu"
            onClick={({ currentTarget }) => show(conversationMenu, { peer: room.peer, near: currentTarget })}
          >
            <MoreIcon />
          </IconButton>
        </div>
      )}
    </header>
  )
}

/** On a phone: the way back to the list, and how much of other conversations is not read. */
function Back({ unread }: { unread: number }) {
  const t = useTranslations()
  const label = unread > 0 ? `${t('window.back')}, ${t('nav.unread', { count: unread })}` : t('window.back')
  return (
    <IconButton label={label} onClick={() => showPeer(null)} className="relative -ml-1 justify-items-start md:hidden">
      <BackIcon className="size-6" />
      {/* Beside the arrow, and covering none of it. */}
      {unread > 0 && <span className="badge -translate-y-1/2 absolute top-1/2 left-5">{formatBadge(unread)}</span>}
    </IconButton>
  )
}

/** Files that are dragged over an element, and dropped on it. */
function useDrop(onDrop: (files: FileList) => void) {
  // The browser tells that an inner element is entered before it tells that the outer one is left.
  const [depth, setDepth] = useState(0)
  const hasFiles = (event: DragEvent) => event.dataTransfer.types.includes('Files')
  return {
    over: depth > 0,
    handlers: {
      onDragEnter: (event: DragEvent) => hasFiles(event) && setDepth((count) => count + 1),
      onDragLeave: (event: DragEvent) => hasFiles(event) && setDepth((count) => Math.max(0, count - 1)),
      onDragOver: (event: DragEvent) => hasFiles(event) && event.preventDefault(),
      onDrop: (event: DragEvent) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        setDepth(0)
        onDrop(event.dataTransfer.files)
      },
    },
  }
}
