'use client'

import { useEffect, useRef } from 'react'
import { useTranslations } from 'use-intl'
import { useChat } from '@/context/ChatSocketContext'
import { emptyRoom } from '@/lib/chat'
import { IconButton } from './Button'
import { Composer } from './Composer'
import { BackIcon } from './icons'
import { MessageList } from './MessageList'
import { Avatar, nameOf } from './people'
import { showPeer } from './usePeer'

export default function ConversationWindow({ peer }: { peer: string }) {
  const t = useTranslations('window')
  const room = useChat((state) => state.rooms[peer]) ?? emptyRoom(peer)
  const heading = useRef<HTMLHeadingElement>(null)
  const name = nameOf(peer)

  useEffect(() => {
    // On a phone the keyboard would cover what was just opened.
    if (matchMedia('(pointer: coarse)').matches) heading.current?.focus()
  }, [])

  return (
    <section
      aria-label={t('label', { name })}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.nativeEvent.isComposing || event.defaultPrevented) return
        showPeer(null)
        document.querySelector<HTMLElement>(`button[data-peer="${CSS.escape(peer)}"]`)?.focus()
      }}
      className="flex min-h-0 min-w-0 flex-1 flex-col bg-ground"
    >
      <header className="flex min-h-15 shrink-0 items-center gap-3 border-line border-b bg-surface px-3 md:px-6">
        <IconButton label={t('back')} onClick={() => showPeer(null)} className="-mr-1 md:hidden">
          <BackIcon className="size-6" />
        </IconButton>
        <Avatar email={peer} className="size-9 text-sm" />
        <div className="min-w-0">
          <h2 ref={heading} tabIndex={-1} className="truncate font-semibold leading-tight outline-none">
            {name}
          </h2>
          <p className="truncate text-muted text-xs">
            {room.typing ? <span className="text-accent-text">{t('typing')}</span> : peer}
          </p>
        </div>
      </header>
      <MessageList room={room} />
      <Composer peer={peer} />
    </section>
  )
}
