import type { Tokens } from 'chat-core'

/** Somebody who has signed in. */
export interface Session {
  readonly email: string
  readonly tokens: Tokens
  /** Forgets the session in this browser: it has ended anyway. */
  forget(): Promise<void>
  /** Ends the session, here and at the provider if there is one. */
  signOut(): Promise<void>
  /** Whether this browser still has it: another tab may have signed out. */
  isKept(): Promise<boolean>
  /** Does nothing more with it. Another tab has signed out, and ends it. */
  leave(): void
}

/** Signing in was begun, and ended without a session: the provider said no, or could not be asked. */
export class SignInFailed extends Error {
  override name = 'SignInFailed'
}

/** A way to sign in. */
export interface Auth {
  /** The session that this tab has already, if any. Rejects with {@link SignInFailed} when the browser comes back without one. */
  restore(): Promise<Session | null>
}
