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

/** Long enough to be read. */
const NEWS_MS = 12_000

/** Says when the connection is down, and what that means for messages. */
export function Banner({ onSignIn }: { onSignIn(): void }) {
  const t = useTranslations('connection')
  const now = useChat((state) => state.connection)
  const status = usePatient(now)
  const forgetful = useForgetful()

  useEffect(() => {
    // For styles, and for tests that have to know.
    document.documentElement.dataset.connection = now
  }, [now])

  const shown = status !== 'online' || forgetful.isNews
  return (
    // Over the page, which does not move: on a phone above the menu, or below the name of whom somebody writes to.
    <div
      role="status"
      className="absolute inset-x-3 bottom-3 z-10 md:right-auto md:w-78 in-[.conversation-open]:max-md:top-17 in-[.conversation-open]:max-md:bottom-auto"
    >
      {shown && (
        <div className="arriving flex min-h-10 flex-wrap items-center justify-center gap-x-3 gap-y-2 rounded-xl bg-warn px-4 py-2 text-on-warn text-sm shadow-md">
          {status !== 'online' && <span>{t(status)}</span>}
          {forgetful.keepsNothing && !hasEnded(status) && <span>{t('keepsNothing')}</span>}
          {hasEnded(status) && (
            <Button look="quiet" className="min-h-8 px-3 text-sm" onClick={onSignIn}>
              {t('signIn')}
            </Button>
          )}
        </div>
      )}
    </div>
  )
}

/** Whether the browser keeps nothing. It is said when that turns out, and again whenever it matters. */
function useForgetful(): { keepsNothing: boolean; isNews: boolean } {
  const keepsNothing = useChat((state) => state.keeps === false)
  const [isNews, setIsNews] = useState(true)
  useEffect(() => {
    if (!keepsNothing) return
    const timer = setTimeout(() => setIsNews(false), NEWS_MS)
    return () => clearTimeout(timer)
  }, [keepsNothing])
  return { keepsNothing, isNews: keepsNothing && isNews }
}

const hasEnded = (status: ConnectionStatus): boolean => ['signedOut', 'suspended', 'notYours'].includes(status)

function usePatient(status: ConnectionStatus): ConnectionStatus {
  const [shown, setShown] = useState<ConnectionStatus>('online')
  useEffect(() => {
    const timer = setTimeout(() => setShown(status), patienceWith(status))
    return () => clearTimeout(timer)
  }, [status])
  return status === 'online' ? 'online' : shown
}

function patienceWith(status: ConnectionStatus): number {
  if (status === 'online' || hasEnded(status)) return 0
  return status === 'offline' ? OFFLINE_PATIENCE_MS : PATIENCE_MS
}
