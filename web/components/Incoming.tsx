'use client'

import type { Pending } from 'chat-core'
import { useEffect, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { notify, onNotificationClick } from './notify'
import { nameOf } from './people'
import { reasonKey, usePreviewText } from './preview'
import { showPeer } from './usePeer'

/** Another tab may be showing the message already: its read mark arrives in time to keep this one quiet. */
const NOTIFY_AFTER_MS = 400

const urlOf = (peer: string): string => `/${location.pathname.split('/')[1]}/chat/?with=${encodeURIComponent(peer)}`

/** Leads to the conversation from any page. */
function lead(peer: string): void {
  if (location.pathname.split('/')[2] === 'chat') showPeer(peer)
  else location.assign(urlOf(peer))
}

/**
 * Speaks and notifies of new messages. The list itself is no live region: it is virtual, and scrolling through it would be read out.
 */
export function Incoming() {
  const client = useChatClient()
  const t = useTranslations('window')
  const previewText = usePreviewText()
  const [spoken, setSpoken] = useState({ id: '', text: '' })

  useEffect(
    () =>
      client.onIncoming((message) => {
        const name = nameOf(message.senderEmail)
        const text = previewText(message.kind, message.message.slice(0, 200))
        setSpoken({ id: `${message.roomId} ${message.seq}`, text: t('incoming', { name, text }) })
        if (document.visibilityState === 'visible') return
        setTimeout(() => {
          const mark = client.state.rooms[message.senderEmail]?.myReadUpTo ?? ''
          const peer = message.senderEmail
          if (mark < message.timestamp) notify({ title: name, body: text, tag: message.roomId, peer, url: urlOf(peer) }, lead)
        }, NOTIFY_AFTER_MS)
      }),
    [client, previewText, t],
  )

  useEffect(() => onNotificationClick(lead), [])

  return (
    <>
      <p aria-live="polite" data-testid="spoken" className="sr-only">
        {/* An element of its own, or the same words again would change nothing and not be spoken. */}
        <span key={spoken.id}>{spoken.text}</span>
      </p>
      <Failures />
    </>
  )
}

/** Says once that a message failed. Its row cannot: it comes and goes with scrolling. */
function Failures() {
  const t = useTranslations()
  const pending = useChat((state) => state.pending)
  const told = useRef(new Set<string>())
  const [failure, setFailure] = useState<Pending | null>(null)

  useEffect(() => {
    for (const entry of pending) {
      if (entry.status !== 'failed') told.current.delete(entry.id)
      else if (!told.current.has(entry.id)) {
        told.current.add(entry.id)
        setFailure(entry)
      }
    }
  }, [pending])

  return (
    <p role="alert" data-testid="failed" className="sr-only">
      {failure !== null && (
        <span key={failure.id}>
          {nameOf(failure.peer)}: {t('message.failed')}. {t(`reason.${reasonKey(failure.reason)}`)}
        </span>
      )}
    </p>
  )
}
