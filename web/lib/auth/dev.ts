import { normaliseEmail, SignedOut, type Tokens } from 'chat-core'
import type { DevAuthConfig } from '../config'
import { type Memory, tabMemory } from '../storage'
import type { Auth, Session } from './session'

const KEY = 'chat.dev-user'
/**
 * A token is renewed this long before it expires, or at half its life if that is later, since nothing is pushed to an expired
 * connection.
 */
const RENEW_BEFORE_MS = 60_000
const RENEW_AGAIN_MS = 5_000
const TIMER_MIN_MS = 1_000
const TIMER_MAX_MS = 2 ** 31 - 1

interface Login {
  accessToken: string
  email: string
  /**
   * How long the token is valid, in seconds, since the device's clock may be wrong. An older server does not send it; then the token is
   * renewed when it is refused.
   */
  expiresIn?: number
}

/**
 * Signs in as anybody, at a development server. The session belongs to the tab and not to the browser, so two tabs can be two people.
 * `?as=ADDRESS` signs in at once.
 */
export class DevAuth implements Auth {
  constructor(
    private readonly config: DevAuthConfig,
    private readonly memory: Memory = tabMemory,
    private readonly fetcher: typeof fetch = (input, init) => fetch(input, init),
  ) {}

  async restore(): Promise<Session | null> {
    const asked = takeParameter('as')
    const email = normaliseEmail(asked ?? this.memory.get(KEY) ?? '')
    return email === null ? null : this.signIn(email)
  }

  /** A login cannot fail before it is used: a token is requested when one is needed. */
  signIn(email: string): Session {
    this.memory.set(KEY, email)
    const tokens = new DevTokens(() => this.login(email))
    const leave = () => {
      tokens.stop()
      this.memory.set(KEY, null)
    }
    const forget = async () => leave()
    // No other tab can end the session of this tab.
    return { email, tokens, forget, signOut: forget, endEverywhere: null, leave, isKept: async () => true }
  }

  private async login(email: string): Promise<Login> {
    const response = await this.fetcher(this.config.loginUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email }),
    })
    if (response.status >= 400 && response.status < 500) throw new SignedOut(`the login was refused: HTTP ${response.status}`)
    if (!response.ok) throw new Error(`the login failed: HTTP ${response.status}`)
    return (await response.json()) as Login
  }
}

class DevTokens implements Tokens {
  #current: Promise<Login> | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopped = false
  readonly #listeners = new Set<(token: string) => void>()

  constructor(private readonly login: () => Promise<Login>) {}

  async get(): Promise<string> {
    this.#current ??= this.#begin(false)
    return (await this.#current).accessToken
  }

  async renew(refused: string): Promise<string> {
    const asked = this.#current
    const current = await asked?.catch(() => null)
    // Requests at the same time share one renewal.
    if (this.#current === asked && current?.accessToken === refused) this.#current = null
    this.#current ??= this.#begin(true)
    return this.get()
  }

  onRenewed(listener: (token: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #begin(renewed: boolean): Promise<Login> {
    const login = this.login()
    login.then(
      ({ accessToken, expiresIn }) => {
        const life = (expiresIn ?? Number.POSITIVE_INFINITY) * 1_000
        this.#renewIn(Math.max(life - RENEW_BEFORE_MS, life / 2))
        if (renewed) for (const listener of this.#listeners) listener(accessToken)
      },
      (error) => {
        this.#current = null
        // The server may be away only for a moment, so the page asks for the token again.
        if (renewed && !(error instanceof SignedOut)) this.#renewIn(RENEW_AGAIN_MS)
      },
    )
    return login
  }

  #renewIn(delay: number): void {
    clearTimeout(this.#timer)
    if (this.#stopped) return
    this.#timer = setTimeout(
      () => {
        this.#current = this.#begin(true)
      },
      Math.min(Math.max(delay, TIMER_MIN_MS), TIMER_MAX_MS),
    )
  }
}

/** Takes a parameter out of the page's URL. */
function takeParameter(name: string): string | null {
  const url = new URL(location.href)
  const value = url.searchParams.get(name)
  if (value !== null) {
    url.searchParams.delete(name)
    history.replaceState(history.state, '', url)
  }
  return value
}
