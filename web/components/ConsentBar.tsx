import { type Decision, REQUEST_MESSAGES_MAX, type Room } from 'chat-core'
import { type ReactNode, useId, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { Button } from './Button'
import { focusConversation } from './focus'
import { useOverlay } from './Overlay'
import { nameOf } from './people'
import { reportDialog } from './reportPart'

/** That a conversation is a request, or with somebody who is blocked, and what to do about it. */
export default function ConsentBar({ room }: { room: Room }) {
  const t = useTranslations('consent')
  const show = useOverlay()
  const bar = useRef<HTMLElement>(null)
  const { failed, decide } = useDecide(room.peer, bar)
  const name = nameOf(room.peer)
  const isWaiting = useChat(({ connection }) => room.deciding !== null && connection !== 'online')
  const decisions = (...all: Decision[]) =>
    all.map((decision, index) => (
      <Button
        key={decision}
        look={index === 0 ? 'primary' : 'quiet'}
        aria-disabled={room.deciding !== null}
        onClick={decide(decision)}
      >
        {t(decision)}
      </Button>
    ))
  const report = (
    <Button look="plain" onClick={() => show(reportDialog, { peer: room.peer, chosen: [] })}>
      {t('report')}
    </Button>
  )
  const said = failed ? t('failed') : isWaiting ? t('waiting') : null
  const state = room.blocked ? 'blocked' : room.request
  const frame = { bar, said, state }
  if (room.blocked) {
    return (
      <Frame {...frame} title={t('blocked', { name })} hint={t('blockedHint')}>
        {decisions('unblock')}
        {report}
      </Frame>
    )
  }
  if (room.request === 'incoming') {
    return (
      <Frame {...frame} title={t('incoming', { name })} hint={t('incomingHint', { name })}>
        {decisions('accept', 'block')}
        {report}
      </Frame>
    )
  }
  return <Frame {...frame} title={t('outgoing', { name })} hint={t('outgoingHint', { name, max: REQUEST_MESSAGES_MAX })} />
}

interface FrameProps {
  state: string
  bar: React.RefObject<HTMLElement | null>
  title: string
  hint: string
  said: string | null
  children?: ReactNode
}

function Frame({ state, bar, title, hint, said, children }: FrameProps) {
  const heading = useId()
  return (
    <section
      ref={bar}
      data-consent={state}
      aria-labelledby={heading}
      className="shrink-0 border-line border-t bg-surface py-3 text-sm"
    >
      <div className="column grid gap-3 px-4 md:px-6">
        <div>
          <h2 id={heading} className="font-medium">
            {title}
          </h2>
          <p className="mt-0.5 text-muted">{hint}</p>
        </div>
        {children !== undefined && <div className="flex flex-wrap gap-2">{children}</div>}
        {said !== null && (
          <p role="status" className="text-muted">
            {said}
          </p>
        )}
      </div>
    </section>
  )
}

/** Decides about somebody. The buttons go with what they were about, and the focus must not go with them. */
function useDecide(peer: string, bar: React.RefObject<HTMLElement | null>) {
  const client = useChatClient()
  const [failed, setFailed] = useState(false)
  const decide = (decision: Decision) => async () => {
    if (client.state.rooms[peer]?.deciding != null) return
    setFailed(false)
    const isDone = (await client.decide(decision, peer)) === 'done'
    setFailed(!isDone)
    if (!isDone) return
    if (decision === 'block') bar.current?.querySelector('button')?.focus()
    else focusConversation()
  }
  return { failed, decide }
}
