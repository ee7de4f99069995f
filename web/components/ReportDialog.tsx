import {
  atReader,
  byteLength,
  type Decided,
  emptyRoom,
  type MessageBody,
  REPORT_MESSAGES_MAX,
  REPORT_REASON_MAX_BYTES,
} from 'chat-core'
import { type FormEvent, useId, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { formatExact } from '@/lib/format'
import { Button } from './Button'
import { Dialog } from './Dialog'
import { nameOf } from './people'
import { usePreviewText } from './preview'
import { useKept } from './useKept'
import { useLocale } from './useLocale'

/** Shows messages of somebody to whoever runs the chat. `chosen` are those that are meant at first, by their timestamps. */
export default function ReportDialog({ peer, chosen, onClose }: { peer: string; chosen: readonly string[]; onClose(): void }) {
  const t = useTranslations('report')
  const [isDone, setDone] = useState(false)
  return (
    <Dialog open onClose={onClose} title={t('title', { name: nameOf(peer) })} closeLabel={t('close')}>
      {isDone ? <Done peer={peer} onClose={onClose} /> : <Form peer={peer} chosen={chosen} onDone={() => setDone(true)} />}
    </Dialog>
  )
}

function Form({ peer, chosen, onDone }: { peer: string; chosen: readonly string[]; onDone(): void }) {
  const t = useTranslations('report')
  const client = useChatClient()
  const [timestamps, setTimestamps] = useState<ReadonlySet<string>>(new Set(chosen))
  const { text: reason, change: setReason, forget } = useKept(`report ${peer}`)
  const [state, setState] = useState<'idle' | 'sending' | Decided>('idle')
  const id = useId()
  const isLong = byteLength(reason.trim()) > REPORT_REASON_MAX_BYTES
  const problem = problemOf(state) ?? (isLong ? 'long' : timestamps.size > REPORT_MESSAGES_MAX ? 'tooMany' : null)

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (state === 'sending' || isLong || timestamps.size === 0 || timestamps.size > REPORT_MESSAGES_MAX) return
    setState('sending')
    const words = reason.trim()
    const report = { peerEmail: peer, timestamps: [...timestamps].sort(), ...(words === '' ? {} : { reason: words }) }
    const decided = await client.report(report)
    if (decided !== 'done') return setState(decided)
    forget()
    onDone()
  }

  return (
    <form onSubmit={submit} className="grid gap-4">
      <p className="text-muted text-sm">{t('intro')}</p>
      <Messages
        peer={peer}
        chosen={timestamps}
        onChoose={(timestamp, isChosen) => {
          const next = new Set(timestamps)
          if (isChosen) next.add(timestamp)
          else next.delete(timestamp)
          setTimestamps(next)
          setState('idle')
        }}
      />
      <div>
        <label htmlFor={id} className="mb-1.5 block font-medium text-sm">
          {t('reason')}
        </label>
        <textarea
          id={id}
          rows={2}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
          aria-invalid={isLong}
          aria-describedby={`${id}-said`}
          className="field w-full resize-none"
        />
      </div>
      <p id={`${id}-said`} role="alert" className="text-danger text-sm empty:hidden">
        {problem !== null && t(problem, { max: REPORT_MESSAGES_MAX })}
      </p>
      <Button look="primary" type="submit" className="w-full" disabled={timestamps.size === 0 || state === 'sending'}>
        {t(state === 'sending' ? 'sending' : 'send')}
      </Button>
    </form>
  )
}

/** Why a report was not taken. */
function problemOf(state: 'idle' | 'sending' | Decided): 'gone' | 'failed' | null {
  if (state === 'notFound') return 'gone'
  return state === 'idle' || state === 'sending' || state === 'done' ? null : 'failed'
}

interface MessagesProps {
  peer: string
  chosen: ReadonlySet<string>
  onChoose(timestamp: string, isChosen: boolean): void
}

/** What the other one has sent, the newest first. */
function Messages({ peer, chosen, onChoose }: MessagesProps) {
  const t = useTranslations('report')
  const client = useChatClient()
  const { messages, older } = atReader(useChat((state) => state.rooms[peer]) ?? emptyRoom(peer))
  const theirs = messages
    .filter(({ senderEmail, kind }) => senderEmail === peer && !['erased', 'deleted', 'change'].includes(kind))
    .reverse()
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1.5 font-medium text-sm">{t('messages')}</legend>
      <div className="max-h-56 overflow-y-auto rounded-xl border border-line p-1">
        {theirs.map((message) => (
          <Choice key={message.timestamp} message={message} isChosen={chosen.has(message.timestamp)} onChoose={onChoose} />
        ))}
        {theirs.length === 0 && older !== 'more' && <p className="px-3 py-2 text-muted text-sm">{t('none')}</p>}
        {older !== 'none' && (
          <Button look="plain" className="w-full" onClick={() => void client.loadOlder(peer)}>
            {t('older')}
          </Button>
        )}
      </div>
    </fieldset>
  )
}

function Choice({
  message: { timestamp, kind, message },
  isChosen,
  onChoose,
}: {
  message: MessageBody
  isChosen: boolean
  onChoose: MessagesProps['onChoose']
}) {
  const locale = useLocale()
  const preview = usePreviewText()
  return (
    <label className="flex min-h-11 cursor-pointer items-center gap-3 rounded-lg px-3 py-1.5 hover:bg-hover">
      <input
        type="checkbox"
        checked={isChosen}
        onChange={(event) => onChoose(timestamp, event.target.checked)}
        className="size-4.5 shrink-0 accent-accent"
      />
      <span className="min-w-0">
        <span className="line-clamp-2 break-words text-sm">
          <bdi>{preview(kind, message.slice(0, 300))}</bdi>
        </span>
        <time dateTime={timestamp} className="block text-muted text-xs">
          {formatExact(locale, Date.parse(timestamp))}
        </time>
      </span>
    </label>
  )
}

/** The report is kept; the other one can be blocked as well. */
function Done({ peer, onClose }: { peer: string; onClose(): void }) {
  const t = useTranslations('report')
  const c = useTranslations('consent')
  const client = useChatClient()
  const blocked = useChat((state) => state.rooms[peer]?.blocked === true)
  return (
    <div className="grid gap-4">
      <p role="status" className="text-muted">
        {t('done')}
      </p>
      <div className="flex flex-wrap gap-2">
        <Button look="primary" data-autofocus ref={(button) => button?.focus()} onClick={onClose}>
          {t('close')}
        </Button>
        {!blocked && (
          <Button
            onClick={() => {
              void client.decide('block', peer)
              onClose()
            }}
          >
            {c('block')}
          </Button>
        )}
      </div>
    </div>
  )
}
