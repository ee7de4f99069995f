import { normaliseEmail, SignedOut, type Tokens } from 'chat-core'
import { ErrorResponse, SigninState, type User, UserManager, WebStorageStateStore } from 'oidc-client-ts'
import type { OidcAuthConfig } from '../config'
import { browserStorage } from '../storage'
import { type Auth, type Session, SignInFailed } from './session'

/** The URL that the provider sends the browser back to. The provider has to allow it: see `CallbackURLs` in deploy/template.yaml. */
export const RETURN_PATH = '/'

/**
 * Signs in at an OpenID Connect provider by code and PKCE, as Cognito's hosted page offers it. The provider sends the browser back to a
 * path that leads, with the code, to the page on which signing in was begun.
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
      // Tokens are renewed by the refresh token, because third-party cookies in a hidden frame no longer work.
      automaticSilentRenew: true,
      accessTokenExpiringNotificationTimeInSeconds: 120,
    })
  }

  async restore(): Promise<Session | null> {
    const url = new URL(location.href)
    const state = url.searchParams.get('state')
    const returned = state !== null && (url.searchParams.has('code') || url.searchParams.has('error'))
    if (returned) {
      // The callback removes the stored state, also when it fails.
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
    // A user who cannot reach the provider is offline and still signed in. The token is renewed when it is requested.
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
    const tokens = this.#tokens()
    const url = this.config.globalSignOutUrl
    return {
      email,
      tokens,
      forget: () => this.#forget(),
      signOut: () => this.#signOut(),
      endEverywhere: url === null ? null : async () => (await import('./globalSignOut')).globalSignOut(url, await tokens.get()),
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
    // Cognito cannot revoke access tokens, and after a refused request the refresh token would not be revoked either.
    await this.#manager.revokeTokens(['refresh_token']).catch(() => {})
    await this.#forget()
    if (this.config.logoutUrl !== null) location.assign(this.config.logoutUrl)
  }
}

/** Whether the provider has refused. Any other error comes from the network, and may pass. */
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
