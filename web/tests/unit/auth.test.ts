// @vitest-environment jsdom

import { SignedOut } from 'chat-core'
import { MINJI } from 'chat-core/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { DevAuth } from '@/lib/auth/dev'

const config = { mode: 'dev', loginUrl: 'http://chat.example/dev/login', users: [MINJI] } as const
/** The server's clock, and the device's is hours ahead of it. */
const SERVER_NOW = Date.now() - 7_200_000
let logins: number
let status: number
let life: number

function auth() {
  const fetcher: typeof fetch = async () => {
    logins += 1
    if (status !== 200) return new Response('', { status })
    return Response.json({
      accessToken: `token ${logins}`,
      email: MINJI,
      expiresIn: life / 1_000,
      expiresAt: new Date(SERVER_NOW + life).toISOString(),
    })
  }
  return new DevAuth(config, undefined, fetcher)
}

beforeEach(() => {
  vi.useFakeTimers()
  sessionStorage.clear()
  history.replaceState(null, '', '/ko/chat/')
  logins = 0
  status = 200
  life = 3_600_000
})
afterEach(() => vi.useRealTimers())

describe('a development login', () => {
  test('is the tab’s own, and lasts over a reload', async () => {
    expect(await auth().restore()).toBeNull()
    auth().signIn(MINJI)
    expect((await auth().restore())?.email).toBe(MINJI)
    await (await auth().restore())?.signOut()
    expect(await auth().restore()).toBeNull()
  })

  test('comes with the address, once', async () => {
    history.replaceState(null, '', '/ko/chat/?with=junho%40example.com&as=Minji%40example.com')
    expect((await auth().restore())?.email).toBe(MINJI)
    expect(location.search).toBe('?with=junho%40example.com')
  })

  test('asks for one token, however many need it', async () => {
    const { tokens } = auth().signIn(MINJI)
    expect(await Promise.all([tokens.get(), tokens.get()])).toEqual(['token 1', 'token 1'])
    expect(await Promise.all([tokens.renew('token 1'), tokens.renew('token 1')])).toEqual(['token 2', 'token 2'])
    expect(await tokens.renew('token 1')).toBe('token 2')
  })

  test('is renewed before it expires, and tells', async () => {
    const { tokens } = auth().signIn(MINJI)
    const told: string[] = []
    tokens.onRenewed?.((token) => told.push(token))
    await tokens.get()
    await vi.advanceTimersByTimeAsync(3_600_000 - 61_000)
    expect(told).toEqual([])
    await vi.advanceTimersByTimeAsync(2_000)
    expect(told).toEqual(['token 2'])
  })

  test('that is short is renewed at half its life, and again when that failed', async () => {
    life = 20_000
    const { tokens, signOut } = auth().signIn(MINJI)
    const told: string[] = []
    tokens.onRenewed?.((token) => told.push(token))
    await tokens.get()
    await vi.advanceTimersByTimeAsync(11_000)
    expect(told).toEqual(['token 2'])
    status = 503
    await vi.advanceTimersByTimeAsync(10_000)
    expect([told, logins]).toEqual([['token 2'], 3])
    status = 200
    await vi.advanceTimersByTimeAsync(5_000)
    expect(told).toEqual(['token 2', 'token 4'])
    await signOut()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(logins).toBe(4)
  })

  test('that was refused and is renewed tells, so that the connection hears on', async () => {
    const { tokens } = auth().signIn(MINJI)
    const told: string[] = []
    tokens.onRenewed?.((token) => told.push(token))
    await tokens.renew(await tokens.get())
    expect(told).toEqual(['token 2'])
  })

  test('that is refused has ended; one that failed may work later', async () => {
    const { tokens } = auth().signIn(MINJI)
    status = 503
    await expect(tokens.get()).rejects.not.toBeInstanceOf(SignedOut)
    status = 403
    await expect(tokens.get()).rejects.toBeInstanceOf(SignedOut)
    status = 200
    expect(await tokens.get()).toBe('token 3')
  })

  test('works where the browser remembers nothing', async () => {
    const refuse = vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new DOMException('no', 'SecurityError')
    })
    expect(await auth().signIn(MINJI).tokens.get()).toBe('token 1')
    refuse.mockRestore()
  })
})
