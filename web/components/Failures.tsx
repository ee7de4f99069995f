import { isChange, type Queued } from 'chat-core'
import { useEffect, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat } from '@/context/ChatSocketContext'
import { nameOf } from './people'
import { changeReason, NOT_DONE, reasonKey } from './reasons'

/** Says once that a message or a change of one failed. Its row cannot: it comes and goes with scrolling. */
export default function Failures() {
  const t = useTranslations()
  const pending = useChat((state) => state.pending)
  const changes = useChat((state) => state.changes)
  const told = useRef(new Set<string>())
  const [failure, setFailure] = useState<Queued | null>(null)
  const request = useChat((state) => state.rooms[failure?.peer ?? '']?.request)

  useEffect(() => {
    for (const entry of [...pending, ...changes]) {
      if (entry.status !== 'failed') told.current.delete(entry.id)
      else if (!told.current.has(entry.id)) {
        told.current.add(entry.id)
        setFailure(entry)
      }
    }
  }, [pending, changes])

  return (
    <p role="alert" data-testid="failed" className="sr-only">
      {failure !== null && (
        <span key={failure.id}>
          {isChange(failure)
            ? `${nameOf(failure.peer)}: ${t(`change.${NOT_DONE[failure.kind]}`)}. ${t(`change.${changeReason(failure.reason)}`)}`
            : `${nameOf(failure.peer)}: ${t('message.failed')}. ${t(`reason.${reasonKey(failure.reason, request)}`)}`}
        </span>
      )}
    </p>
  )
}
