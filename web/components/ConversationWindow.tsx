'use client'

import { emptyRoom } from 'chat-core'
import { type ClipboardEvent, type DragEvent, useEffect, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat } from '@/context/ChatSocketContext'
import { IconButton } from './Button'
import { Composer } from './Composer'
import { BackIcon, ImageIcon } from './conversationIcons'
import { focusConversation } from './focus'
import { ViewerProvider } from './ImageViewer'
import { MessageList } from './MessageList'
import { NotLoaded } from './NotLoaded'
import { OnDemand, Part } from './OnDemand'
import { areNames } from './pastedNames'
import { Avatar, nameOf } from './people'
import { showPeer } from './usePeer'

const imagePreview = new Part(() => import('./ImagePreview'))

interface Picked {
  readonly file: File
  readonly others: number
}

export default function ConversationWindow({ peer }: { peer: string }) {
  const t = useTranslations('window')
  const room = useChat((state) => state.rooms[peer]) ?? emptyRoom(peer)
  const heading = useRef<HTMLHeadingElement>(null)
  const [picked, setPicked] = useState<Picked | null>(null)
  const name = nameOf(peer)

  useEffect(() => {
    // On a phone the keyboard would cover what was just opened.
    if (matchMedia('(pointer: coarse)').matches) heading.current?.focus()
  }, [])

  // The dialog has to be gone first: while it is open, nothing else can take the focus.
  const wasPicked = useRef(false)
  useEffect(() => {
    if (picked === null && wasPicked.current) focusConversation()
    wasPicked.current = picked !== null
  }, [picked])

  const pick = (files: FileList) => {
    const [file] = files
    if (file !== undefined) setPicked({ file, others: files.length - 1 })
  }
  const drop = useDrop(pick)
  const paste = (event: ClipboardEvent) => {
    const { files } = event.clipboardData
    // Cells of a spreadsheet are copied as a picture too, but the user means their words.
    if (files.length === 0 || !areNames(event.clipboardData.getData('text/plain'), files)) return
    event.preventDefault()
    pick(files)
  }

  return (
    <ViewerProvider>
      <section
        aria-label={t('label', { name })}
        onPaste={paste}
        {...drop.handlers}
        onKeyDown={(event) => {
          if (event.key !== 'Escape' || event.nativeEvent.isComposing || event.defaultPrevented) return
          showPeer(null)
          document.querySelector<HTMLElement>(`button[data-peer="${CSS.escape(peer)}"]`)?.focus()
        }}
        className="relative flex min-h-0 min-w-0 flex-1 flex-col bg-ground"
      >
        <header className="flex min-h-15 shrink-0 items-center gap-3 border-line border-b bg-surface px-3 md:px-6">
          <IconButton label={t('back')} onClick={() => showPeer(null)} className="-mr-1 md:hidden">
            <BackIcon className="size-6" />
          </IconButton>
          <Avatar email={peer} className="size-9 text-sm" />
          <div className="min-w-0">
            <h1 ref={heading} tabIndex={-1} className="truncate font-semibold leading-tight outline-none">
              {name}
            </h1>
            <p className="truncate text-muted text-xs">
              {room.typing ? <span className="text-accent-text">{t('typing')}</span> : peer}
            </p>
          </div>
        </header>
        <MessageList room={room} />
        <Composer peer={peer} onPick={pick} />
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
          key={`${picked.file.name} ${picked.file.lastModified} ${picked.file.size}`}
          part={imagePreview}
          props={{
            ...picked,
            peer,
            onClose: () => setPicked(null),
          }}
          failed={(retry) => <NotLoaded onRetry={retry} onClose={() => setPicked(null)} />}
        />
      )}
    </ViewerProvider>
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
