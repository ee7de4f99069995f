'use client'

import type { ConnectionStatus } from 'chat-core'
import { useEffect, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat } from '@/context/ChatSocketContext'
import { Button } from './Button'

/** An interruption of a second is not worth a banner. */
const PATIENCE_MS = 1_500
/** The browser is right about being offline, but for a server on the same machine, which answers a ping within this time. */
const OFFLINE_PATIENCE_MS = 300

/** Says when the connection is down, and what that means for messages. */
export function Banner({ onSignIn }: { onSignIn(): void }) {
  const t = useTranslations('connection')
  const now = useChat((state) => state.connection)
  const status = usePatient(now)

  useEffect(() => {
    // For styles, and for tests that have to know.
    document.documentElement.dataset.connection = now
  }, [now])

  const shown = status !== 'online'
  return (
    <div role="status" className="shrink-0">
      {shown && (
        <div className="flex min-h-10 items-center justify-center gap-3 border-line border-b bg-warn px-4 py-2 text-on-warn text-sm">
          <span>{t(status)}</span>
          {status === 'signedOut' && (
            <Button look="quiet" className="min-h-8 px-3 text-sm" onClick={onSignIn}>
              {t('signIn')}
            </Button>
          )}
        </div>
      )}
    </div>
  )
}

function usePatient(status: ConnectionStatus): ConnectionStatus {
  const [shown, setShown] = useState<ConnectionStatus>('online')
  useEffect(() => {
    const timer = setTimeout(() => setShown(status), patienceWith(status))
    return () => clearTimeout(timer)
  }, [status])
  return status === 'online' ? 'online' : shown
}

function patienceWith(status: ConnectionStatus): number {
  if (status === 'online' || status === 'signedOut') return 0
  return status === 'offline' ? OFFLINE_PATIENCE_MS : PATIENCE_MS
}
