import type { Tokens } from 'chat-core'

/** Somebody who has signed in. */
export interface Session {
  readonly email: string
  readonly tokens: Tokens
  /** Removes the session from this browser, after it has ended elsewhere. */
  forget(): Promise<void>
  /** Ends the session in this browser, and at the provider if there is one. */
  signOut(): Promise<void>
  /** Ends all sessions of the user at the provider, this one too; `null` where there is no such thing. Rejects when it did not. */
  readonly endEverywhere: (() => Promise<void>) | null
  /** Whether this browser still has it: another tab may have signed out. */
  isKept(): Promise<boolean>
  /** Stops using the session, which another tab is ending. */
  leave(): void
}

/** Signing in ended without a session: the provider refused, or could not be reached. */
export class SignInFailed extends Error {
  override name = 'SignInFailed'
}

/** A way to sign in. */
export interface Auth {
  /** The session that this tab has already, if any. Rejects with {@link SignInFailed} when the browser comes back without one. */
  restore(): Promise<Session | null>
}
