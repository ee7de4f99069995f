import { normaliseEmail, SignedOut, type Tokens } from 'chat-core'
import { ErrorResponse, SigninState, type User, UserManager, WebStorageStateStore } from 'oidc-client-ts'
import type { OidcAuthConfig } from '../config'
import { browserStorage } from '../storage'
import { type Auth, type Session, SignInFailed } from './session'

/** Where the provider sends the browser back to. It must be told so: `CallbackURLs` of deploy/template.yaml. */
export const RETURN_PATH = '/'

/**
 * Signing in at an OpenID Connect provider by code and PKCE, as Cognito's hosted page offers it. The path that the provider sends the
 * browser back to leads with the code to the page on which it was begun.
 */
export class OidcAuth implements Auth {
  readonly #manager: UserManager
  readonly #states: WebStorageStateStore

  constructor(
    private readonly config: OidcAuthConfig,
    storage: Storage = browserStorage(),
  ) {
    const redirect = new URL(RETURN_PATH, location.origin).href
    this.#states = new WebStorageStateStore({ store: storage, prefix: 'chat.' })
    this.#manager = new UserManager({
      authority: config.authority,
      client_id: config.clientId,
      redirect_uri: redirect,
      response_type: 'code',
      scope: config.scope,
      userStore: new WebStorageStateStore({ store: storage, prefix: 'chat.' }),
      stateStore: this.#states,
      // By the refresh token: third-party cookies in a hidden frame no longer work.
      automaticSilentRenew: true,
      accessTokenExpiringNotificationTimeInSeconds: 120,
    })
  }

  async restore(): Promise<Session | null> {
    const url = new URL(location.href)
    const state = url.searchParams.get('state')
    const returned = state !== null && (url.searchParams.has('code') || url.searchParams.has('error'))
    if (returned) {
      // The callback forgets it, also when it fails.
      const begun = await this.#begun(state, url.pathname)
      const user = await this.#manager.signinRedirectCallback(url.href).catch(() => null)
      history.replaceState(history.state, '', `${url.pathname}${begun}`)
      if (user !== null) return this.#session(user)
    }
    // Another tab, or an earlier visit, may have signed in.
    const user = await this.#kept()
    if (user === null && returned) throw new SignInFailed()
    return user === null ? null : this.#session(user)
  }

  /** The query of the page that signing in was begun on, to which `public/enter.js` has led. */
  async #begun(state: string, path: string): Promise<string> {
    const kept = await this.#states.get(state)
    if (kept === null) return ''
    const { data } = await SigninState.fromStorageString(kept)
    return typeof data === 'string' && data.startsWith(`${path}?`) ? data.slice(path.length) : ''
  }

  async #kept(): Promise<User | null> {
    const user = await this.#manager.getUser()
    if (user === null || !user.expired) return user
    if (user.refresh_token === undefined) return null
    // Who cannot reach the provider is offline, and still signed in: the token is renewed when it is asked for.
    return this.#manager.signinSilent().catch((error) => (isRefusal(error) ? null : user))
  }

  /** Leaves the page for the provider's. */
  async signIn(): Promise<void> {
    await this.#manager.signinRedirect({ state: location.pathname + location.search })
  }

  #session(user: User): Session | null {
    const email = normaliseEmail(user.profile.email ?? '')
    if (email === null) return null
    this.#manager.startSilentRenew()
    return {
      email,
      tokens: this.#tokens(),
      forget: () => this.#forget(),
      signOut: () => this.#signOut(),
      isKept: async () => (await this.#manager.getUser()) !== null,
      leave: () => this.#leave(),
    }
  }

  #tokens(): Tokens {
    const manager = this.#manager
    let renewing: Promise<string> | null = null
    const current = async (): Promise<string> => {
      const user = await manager.getUser()
      if (user === null) throw new SignedOut('nobody is signed in')
      return user.access_token
    }
    return {
      get: current,
      async renew(refused) {
        const token = await current()
        // Another tab, or the silent renewal, was faster.
        if (token !== refused) return token
        renewing ??= silently(manager).finally(() => {
          renewing = null
        })
        return renewing
      },
      onRenewed(listener) {
        const loaded = (user: User) => listener(user.access_token)
        manager.events.addUserLoaded(loaded)
        return () => manager.events.removeUserLoaded(loaded)
      },
    }
  }

  async #forget(): Promise<void> {
    this.#leave()
    await this.#manager.removeUser()
  }

  #leave(): void {
    this.#manager.stopSilentRenew()
    // A renewal that is under way would end after this, and sign the user in again.
    this.#manager.events.addUserLoaded(() => void this.#manager.removeUser())
  }

  async #signOut(): Promise<void> {
    // Access tokens cannot be revoked at Cognito, and one that is refused would keep the other from being sent.
    await this.#manager.revokeTokens(['refresh_token']).catch(() => {})
    await this.#forget()
    if (this.config.logoutUrl !== null) location.assign(this.config.logoutUrl)
  }
}

/** The provider said no; anything else is the network, and may pass. */
function isRefusal(error: unknown): error is ErrorResponse {
  return error instanceof ErrorResponse
}

async function silently(manager: UserManager): Promise<string> {
  let user: User | null
  try {
    user = await manager.signinSilent()
  } catch (error) {
    if (isRefusal(error)) throw new SignedOut(error.message)
    throw error
  }
  if (user === null) throw new SignedOut('the session has ended')
  return user.access_token
}
