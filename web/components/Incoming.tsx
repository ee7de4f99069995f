'use client'

import { beginning, isQuiet, unreadOf } from 'chat-core'
import { useEffect, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { isLookedAt } from './attention'
import { notify, onNotificationClick, unnotify } from './notify'
import { OnDemand, Part } from './OnDemand'
import { nameOf } from './people'
import { usePreviewText } from './preview'
import { parameter, showPeer } from './usePeer'

const failures = new Part(() => import('./Failures'))

/** Another tab may be showing the message already: its read mark arrives in time to keep this one quiet. */
const NOTIFY_AFTER_MS = 400
/** As much of a message is told as a notification shows. */
const TOLD_CHARACTERS = 200

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
  const hasFailed = useChat(({ pending, changes }) => [...pending, ...changes].some(({ status }) => status === 'failed'))
  const [spoken, setSpoken] = useState({ id: '', text: '' })
  /** By peer, the tag of what was notified. */
  const told = useRef(new Map<string, string>())

  useEffect(
    () =>
      client.onIncoming((message) => {
        const room = client.state.rooms[message.senderEmail]
        const isQuietly = room === undefined || isQuiet(room)
        // Of a request only whoever looks at it hears.
        if (isQuietly && parameter('with') !== message.senderEmail) return
        const name = nameOf(message.senderEmail)
        const text = previewText(message.kind, beginning(message.message, TOLD_CHARACTERS))
        setSpoken({ id: `${message.roomId} ${message.seq}`, text: t('incoming', { name, text }) })
        if (isQuietly || isLookedAt()) return
        setTimeout(() => {
          const { senderEmail: peer, roomId: tag, seq } = message
          const mark = client.state.rooms[peer]?.myReadUpTo ?? ''
          if (mark >= message.timestamp) return
          told.current.set(peer, tag)
          void notify({ title: name, body: text, tag, seq, peer, url: urlOf(peer) }, lead)
        }, NOTIFY_AFTER_MS)
      }),
    [client, previewText, t],
  )

  useEffect(
    () =>
      // What was read here, in another tab or on another device needs no telling any more.
      client.subscribe(() => {
        for (const [peer, tag] of told.current) {
          const room = client.state.rooms[peer]
          if (room !== undefined && unreadOf(room) > 0) continue
          told.current.delete(peer)
          unnotify(tag)
        }
      }),
    [client],
  )

  useEffect(() => onNotificationClick(lead), [])

  return (
    <>
      <p aria-live="polite" data-testid="spoken" className="sr-only">
        {/* An element of its own, or the same words again would change nothing and not be spoken. */}
        <span key={spoken.id}>{spoken.text}</span>
      </p>
      {hasFailed && <OnDemand part={failures} props={{}} failed={() => null} />}
    </>
  )
}
