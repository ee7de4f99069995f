import type { Tokens } from '../chat'

/** Somebody who has signed in. */
export interface Session {
  readonly email: string
  readonly tokens: Tokens
  /** Forgets the session in this browser: it has ended anyway. */
  forget(): Promise<void>
  /** Ends the session, here and at the provider if there is one. */
  signOut(): Promise<void>
}

/** A way to sign in. */
export interface Auth {
  /** The session that this tab has already, if any. */
  restore(): Promise<Session | null>
}
