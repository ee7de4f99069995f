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
  /** `expired`: the session has ended by itself; `refused`: signing in at the provider ended without a session. */
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
type SignedOut = { status: 'signedOut'; config: AppConfig; ways: Ways; expired: string | null; refused: boolean }
type Phase = { status: 'loading' | 'failed' } | SignedOut | { status: 'signedIn'; config: AppConfig; ways: Ways; session: Session }

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
    const phase = begun ?? begin()
    // What failed is tried anew.
    begun = null
    setPhase(await phase)
  }, [])

  useEffect(() => {
    // A code of the provider works once, and development mode runs effects twice.
    if (started.current) return
    started.current = true
    void start()
  }, [start])

  useEffect(() => {
    if (phase.status !== 'signedIn') return
    const { config, ways, session } = phase
    return onSignedOut(session, () => {
      session.leave()
      setPhase(signedOut(config, ways))
    })
  }, [phase])

  const state = useMemo(() => stateOf(phase, setPhase, () => void start()), [phase, start])
  return <Context value={state}>{children}</Context>
}

/** What {@link beginSession} found out, or will. */
let begun: Promise<Phase> | null = null

/** Finds out who is signed in while the page is still getting ready, since all that is shown waits for it. */
export function beginSession(): void {
  begun = begin()
}

/** Who is signed in when the page opens. */
async function begin(): Promise<Phase> {
  try {
    const config = await loadConfig()
    const ways = await waysOf(config)
    try {
      const session = await ways.auth.restore()
      // What is asked for first needs it, and asks a little later. What fails fails there.
      session?.tokens.get().catch(() => {})
      return session === null ? signedOut(config, ways) : { status: 'signedIn', config, ways, session }
    } catch (error) {
      if (!(error instanceof SignInFailed)) throw error
      return signedOut(config, ways, { refused: true })
    }
  } catch {
    return { status: 'failed' }
  }
}

function signedOut(config: AppConfig, ways: Ways, why: { expired?: string; refused?: true } = {}): SignedOut {
  return { status: 'signedOut', config, ways, expired: why.expired ?? null, refused: why.refused ?? false }
}

/** What the page sees of a phase, and how it leads to the next one. */
function stateOf(phase: Phase, setPhase: (next: Phase) => void, retry: () => void): SessionState {
  switch (phase.status) {
    case 'loading':
      return { status: 'loading' }
    case 'failed':
      return { status: 'failed', retry }
    case 'signedOut': {
      const { config, ways, expired, refused } = phase
      return {
        status: 'signedOut',
        config,
        expired,
        refused,
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
      return {
        status: 'signedIn',
        config,
        session,
        signOut: () => {
          tellSignedOut(session.email)
          setPhase(signedOut(config, ways))
          void session.signOut()
        },
        expire: () => {
          setPhase(signedOut(config, ways, { expired: session.email }))
          void session.forget()
        },
      }
    }
  }
}

/** Loads only the module that the mode needs: a development page never loads OpenID Connect. */
async function waysOf(config: AppConfig): Promise<Ways> {
  if (config.auth.mode === 'dev') return { mode: 'dev', auth: new (await import('@/lib/auth/dev')).DevAuth(config.auth) }
  return { mode: 'oidc', auth: new (await import('@/lib/auth/oidc')).OidcAuth(config.auth) }
}
