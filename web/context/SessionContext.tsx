'use client'

import { IMAGE_MAX_BYTES, MESSAGE_TEXT_MAX_BYTES } from 'chat-core'
import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { DevAuth } from '@/lib/auth/dev'
import type { OidcAuth } from '@/lib/auth/oidc'
import { type Session, SignInFailed } from '@/lib/auth/session'
import { onSignedOut, tellSignedOut } from '@/lib/auth/signOuts'
import { type AppConfig, loadConfig } from '@/lib/config'

/** Whether somebody has signed in, and how to. */
export type SessionState =
  | { status: 'loading' }
  | { status: 'failed'; retry(): void }
  /** `expired`: whose session has ended by itself; `refused`: signing in at the provider came to nothing. */
  | {
      status: 'signedOut'
      config: AppConfig
      expired: string | null
      refused: boolean
      signInDev(email: string): void
      signInOidc(): void
    }
  | { status: 'signedIn'; config: AppConfig; session: Session; signOut(): void; expire(): void }

type Ways = { mode: 'dev'; auth: DevAuth } | { mode: 'oidc'; auth: OidcAuth }
type Phase =
  | { status: 'loading' | 'failed' }
  | { status: 'signedOut'; config: AppConfig; ways: Ways; expired: string | null; refused: boolean }
  | { status: 'signedIn'; config: AppConfig; ways: Ways; session: Session }

const Context = createContext<SessionState>({ status: 'loading' })

export function useSession(): SessionState {
  return use(Context)
}

/** How much may be sent. */
export function useLimits(): AppConfig['limits'] {
  const session = useSession()
  return 'config' in session ? session.config.limits : { messageBytes: MESSAGE_TEXT_MAX_BYTES, imageBytes: IMAGE_MAX_BYTES }
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [phase, setPhase] = useState<Phase>({ status: 'loading' })
  const started = useRef(false)

  const start = useCallback(async () => {
    setPhase({ status: 'loading' })
    try {
      const config = await loadConfig()
      const ways = await waysOf(config)
      try {
        const session = await ways.auth.restore()
        if (session !== null) return setPhase({ status: 'signedIn', config, ways, session })
        setPhase({ status: 'signedOut', config, ways, expired: null, refused: false })
      } catch (error) {
        if (!(error instanceof SignInFailed)) throw error
        setPhase({ status: 'signedOut', config, ways, expired: null, refused: true })
      }
    } catch {
      setPhase({ status: 'failed' })
    }
  }, [])

  useEffect(() => {
    // A code of the provider is good for one use, and development mode runs effects twice.
    if (started.current) return
    started.current = true
    void start()
  }, [start])

  useEffect(() => {
    if (phase.status !== 'signedIn') return
    const { config, ways, session } = phase
    return onSignedOut(session, () => {
      session.leave()
      setPhase({ status: 'signedOut', config, ways, expired: null, refused: false })
    })
  }, [phase])

  const state = useMemo<SessionState>(() => {
    switch (phase.status) {
      case 'loading':
        return { status: 'loading' }
      case 'failed':
        return { status: 'failed', retry: () => void start() }
      case 'signedOut': {
        const { config, ways } = phase
        return {
          status: 'signedOut',
          config,
          expired: phase.expired,
          refused: phase.refused,
          signInDev: (email) => {
            if (ways.mode === 'dev') setPhase({ status: 'signedIn', config, ways, session: ways.auth.signIn(email) })
          },
          signInOidc: () => {
            if (ways.mode === 'oidc') void ways.auth.signIn().catch(() => setPhase({ ...phase, refused: true }))
          },
        }
      }
      case 'signedIn': {
        const { config, ways, session } = phase
        const leave = (expired: string | null) => setPhase({ status: 'signedOut', config, ways, expired, refused: false })
        return {
          status: 'signedIn',
          config,
          session,
          signOut: () => {
            tellSignedOut(session.email)
            leave(null)
            void session.signOut()
          },
          expire: () => {
            leave(session.email)
            void session.forget()
          },
        }
      }
    }
  }, [phase, start])

  return <Context value={state}>{children}</Context>
}

/** Only what is needed is loaded: a development page never loads OpenID Connect. */
async function waysOf(config: AppConfig): Promise<Ways> {
  if (config.auth.mode === 'dev') return { mode: 'dev', auth: new (await import('@/lib/auth/dev')).DevAuth(config.auth) }
  return { mode: 'oidc', auth: new (await import('@/lib/auth/oidc')).OidcAuth(config.auth) }
}
