// @vitest-environment jsdom

import { MINJI } from 'chat-core/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { OidcAuth } from '@/lib/auth/oidc'
import { SignInFailed } from '@/lib/auth/session'

const AUTHORITY = 'https://idp.example/pool'
const USER = `chat.user:${AUTHORITY}:web`
const auth = () =>
  new OidcAuth({
    mode: 'oidc',
    authority: AUTHORITY,
    clientId: 'web',
    scope: 'openid email',
    logoutUrl: null,
    globalSignOutUrl: null,
  })

/** What the token endpoint does. */
let token: () => Promise<Response>

beforeEach(() => {
  localStorage.clear()
  token = async () => {
    throw new TypeError('Failed to fetch')
  }
  vi.stubGlobal('fetch', async (input: RequestInfo | URL) =>
    String(input).includes('openid-configuration')
      ? Response.json({ issuer: AUTHORITY, authorization_endpoint: `${AUTHORITY}/authorize`, token_endpoint: `${AUTHORITY}/token` })
      : token(),
  )
})
afterEach(() => vi.unstubAllGlobals())

/** The browser is back from the provider, where signing in was begun beside a conversation with Junho. */
function back(query: string, data: unknown = '/ko/chat/?with=junho%40example.com') {
  const begun = {
    id: 'begun',
    data,
    created: Math.floor(Date.now() / 1_000),
    request_type: 'si:r',
    code_verifier: 'verifier',
    authority: AUTHORITY,
    client_id: 'web',
    redirect_uri: location.origin,
    scope: 'openid email',
  }
  localStorage.setItem('chat.begun', JSON.stringify(begun))
  history.replaceState(null, '', `/ko/chat/?${query}&state=begun`)
}

/** Somebody has signed in, and the token is good until then, in seconds from now. */
function signedIn(until: number) {
  localStorage.setItem(
    USER,
    JSON.stringify({
      access_token: 'old',
      refresh_token: 'again',
      token_type: 'Bearer',
      scope: 'openid email',
      profile: { sub: 'minji', email: MINJI },
      expires_at: Math.floor(Date.now() / 1_000) + until,
    }),
  )
}

test('a browser that refuses storage is one in which nobody has signed in', async () => {
  vi.stubGlobal('localStorage', undefined)
  Object.defineProperty(globalThis, 'localStorage', {
    configurable: true,
    get: () => {
      throw new DOMException('The operation is insecure.', 'SecurityError')
    },
  })
  expect(await auth().restore()).toBeNull()
})

describe('coming back from the provider', () => {
  test.each([
    ['refused', 'error=access_denied'],
    ['while it cannot be reached', 'code=one-time'],
  ])('%s says that it came to nothing, and keeps the conversation', async (_, query) => {
    back(query)
    await expect(auth().restore()).rejects.toBeInstanceOf(SignInFailed)
    expect(location.pathname + location.search).toBe('/ko/chat/?with=junho%40example.com')
    // Loaded again, the page only asks to sign in.
    expect(await auth().restore()).toBeNull()
  })

  test.each([
    ['//elsewhere.example/?with=a'],
    ['https://elsewhere.example/ko/chat/?with=a'],
    ['/ko/teams/?with=a'],
    ['?with=a'],
    [7],
  ])('leads nowhere but to the page itself: %j', async (data) => {
    back('error=access_denied', data)
    await expect(auth().restore()).rejects.toBeInstanceOf(SignInFailed)
    expect(location.href).toBe(new URL('/ko/chat/', location.origin).href)
  })

  test('refused says nothing to who is signed in anyway', async () => {
    signedIn(3_600)
    back('error=access_denied')
    expect((await auth().restore())?.email).toBe(MINJI)
  })
})

describe('a session', () => {
  test('is gone when another tab has signed out, which ends it alone', async () => {
    signedIn(3_600)
    const [one, other] = [await auth().restore(), await auth().restore()]
    other?.leave()
    expect(await one?.isKept()).toBe(true)
    await one?.forget()
    expect([await one?.isKept(), await other?.isKept()]).toEqual([false, false])
  })
})

describe('a session whose token has expired', () => {
  test('stays while the provider cannot be reached', async () => {
    signedIn(-60)
    const session = await auth().restore()
    expect(session?.email).toBe(MINJI)
    await expect(session?.tokens.renew('old')).rejects.toThrow('Failed to fetch')
  })

  test('has ended when the provider refuses to renew it', async () => {
    signedIn(-60)
    token = async () => Response.json({ error: 'invalid_grant' }, { status: 400 })
    expect(await auth().restore()).toBeNull()
  })
})
