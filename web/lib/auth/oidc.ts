import { type User, UserManager, WebStorageStateStore } from 'oidc-client-ts'
import { normaliseEmail, SignedOut, type Tokens } from '../chat'
import type { OidcAuthConfig } from '../config'
import type { Auth, Session } from './session'

/**
 * Signing in at an OpenID Connect provider by code and PKCE, as Cognito's hosted page offers it. The provider sends the browser back to
 * `/`, which leads to the page of the reader's language with the code.
 */
export class OidcAuth implements Auth {
  readonly #manager: UserManager

  constructor(
    private readonly config: OidcAuthConfig,
    storage: Storage = localStorage,
  ) {
    const redirect = new URL('/', location.origin).href
    this.#manager = new UserManager({
      authority: config.authority,
      client_id: config.clientId,
      redirect_uri: redirect,
      response_type: 'code',
      scope: config.scope,
      userStore: new WebStorageStateStore({ store: storage, prefix: 'chat.' }),
      stateStore: new WebStorageStateStore({ store: storage, prefix: 'chat.' }),
      // By the refresh token: third-party cookies in a hidden frame no longer work.
      automaticSilentRenew: true,
      accessTokenExpiringNotificationTimeInSeconds: 120,
    })
  }

  async restore(): Promise<Session | null> {
    const url = new URL(location.href)
    if (url.searchParams.has('state') && (url.searchParams.has('code') || url.searchParams.has('error'))) {
      const user = await this.#manager.signinRedirectCallback(url.href).catch(() => null)
      const back = typeof user?.state === 'string' && user.state.startsWith('?') ? user.state : ''
      history.replaceState(history.state, '', `${url.pathname}${back}`)
      if (user !== null) return this.#session(user)
    }
    const user = await this.#manager.getUser()
    if (user === null) return null
    if (!user.expired) return this.#session(user)
    const renewed = await this.#manager.signinSilent().catch(() => null)
    return renewed === null ? null : this.#session(renewed)
  }

  /** Leaves the page for the provider's. */
  async signIn(): Promise<void> {
    await this.#manager.signinRedirect({ state: location.search })
  }

  #session(user: User): Session | null {
    const email = normaliseEmail(user.profile.email ?? '')
    if (email === null) return null
    this.#manager.startSilentRenew()
    return { email, tokens: this.#tokens(), forget: () => this.#forget(), signOut: () => this.#signOut() }
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
    this.#manager.stopSilentRenew()
    // A renewal that is under way ends after this, and would sign in again who has just signed out.
    this.#manager.events.addUserLoaded(() => void this.#manager.removeUser())
    await this.#manager.removeUser()
  }

  async #signOut(): Promise<void> {
    await this.#manager.revokeTokens().catch(() => {})
    await this.#forget()
    if (this.config.logoutUrl !== null) location.assign(this.config.logoutUrl)
  }
}

async function silently(manager: UserManager): Promise<string> {
  let user: User | null
  try {
    user = await manager.signinSilent()
  } catch (error) {
    // The provider said no; anything else is the network, and may pass.
    if (error instanceof Error && error.name === 'ErrorResponse') throw new SignedOut(error.message)
    throw error
  }
  if (user === null) throw new SignedOut('the session has ended')
  return user.access_token
}
