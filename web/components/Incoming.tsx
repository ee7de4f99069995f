'use client'

import { useEffect, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChatClient } from '@/context/ChatSocketContext'
import { notify } from './notify'
import { nameOf } from './people'
import { useKindLabel } from './preview'
import { showPeer } from './usePeer'

/** Another tab may be showing the message already: its read mark arrives in time to keep this one quiet. */
const NOTIFY_AFTER_MS = 400

/** To the conversation, from wherever one is. */
function lead(peer: string): void {
  const [, locale, page] = location.pathname.split('/')
  if (page === 'chat') showPeer(peer)
  else location.assign(`/${locale}/chat/?with=${encodeURIComponent(peer)}`)
}

/**
 * Speaks and notifies of new messages. The list itself is no live region: it is virtual, and scrolling through it would be read out.
 */
export function Incoming() {
  const client = useChatClient()
  const t = useTranslations('window')
  const kindLabel = useKindLabel()
  const [spoken, setSpoken] = useState({ id: '', text: '' })

  useEffect(
    () =>
      client.onIncoming((message) => {
        const name = nameOf(message.senderEmail)
        const text = kindLabel(message.kind) ?? message.message.slice(0, 200)
        setSpoken({ id: `${message.roomId} ${message.seq}`, text: t('incoming', { name, text }) })
        if (document.visibilityState === 'visible') return
        setTimeout(() => {
          const mark = client.state.rooms[message.senderEmail]?.myReadUpTo ?? ''
          if (mark < message.timestamp) notify(name, text, message.roomId, () => lead(message.senderEmail))
        }, NOTIFY_AFTER_MS)
      }),
    [client, kindLabel, t],
  )

  return (
    <p aria-live="polite" data-testid="spoken" className="sr-only">
      {/* An element of its own, or the same words again would change nothing and not be spoken. */}
      <span key={spoken.id}>{spoken.text}</span>
    </p>
  )
}
