// @vitest-environment jsdom
import { act, cleanup, render, screen, waitFor } from '@testing-library/react'
import { JUNHO, MINJI } from 'chat-core/testing'
import { afterEach, expect, test, vi } from 'vitest'
import { SessionProvider, useSession } from '@/context/SessionContext'
import type { Session } from '@/lib/auth/session'
import { onSignedOut, tellSignedOut } from '@/lib/auth/signOuts'

afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

function session(email: string): Session & { kept: boolean } {
  const nothing = async () => {}
  const tokens = { get: async () => 'token', renew: async () => 'newer' }
  const made = {
    email,
    tokens,
    forget: nothing,
    signOut: nothing,
    endEverywhere: null,
    leave: () => {},
    kept: true,
    isKept: async () => made.kept,
  }
  return made
}

function Who() {
  const state = useSession()
  return state.status === 'signedIn' ? (
    <button type="button" onClick={state.signOut}>
      {state.session.email}
    </button>
  ) : (
    <p>{state.status}</p>
  )
}

test('whoever signs out in one tab has signed out in all of the browser, and nobody else has', async () => {
  const [minji, junho] = [vi.fn(), vi.fn()]
  const stops = [onSignedOut(session(MINJI), minji), onSignedOut(session(JUNHO), junho)]
  tellSignedOut(MINJI)
  await waitFor(() => expect(minji).toHaveBeenCalledOnce())
  tellSignedOut(MINJI)
  tellSignedOut(JUNHO)
  await waitFor(() => expect(junho).toHaveBeenCalledOnce())
  expect(minji).toHaveBeenCalledOnce()
  for (const stop of stops) stop()
})

test.each([
  ['hears of it from storage', () => window.dispatchEvent(new StorageEvent('storage'))],
  ['looks when it is shown', () => document.dispatchEvent(new Event('visibilitychange'))],
  ['looks when it comes back', () => window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))],
])('a tab that was told nothing %s', async (_, happens) => {
  vi.stubGlobal('BroadcastChannel', undefined)
  const mine = session(MINJI)
  const left = vi.fn()
  const stop = onSignedOut(mine, left)
  happens()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(left).not.toHaveBeenCalled()
  mine.kept = false
  happens()
  await waitFor(() => expect(left).toHaveBeenCalledOnce())
  stop()
})

test('the page shows nothing of a user who has signed out elsewhere', async () => {
  sessionStorage.setItem('chat.dev-user', MINJI)
  const auth = { mode: 'dev', loginUrl: 'http://h/dev/login', users: [MINJI] }
  vi.stubGlobal('fetch', async () => Response.json({ wsUrl: 'ws://h', restUrl: 'http://h', auth }))
  const tab = () => render(<Who />, { wrapper: ({ children }) => <SessionProvider>{children}</SessionProvider> })
  tab()
  tab()
  await waitFor(() => expect(screen.getAllByText(MINJI)).toHaveLength(2))
  await act(async () => screen.getAllByRole('button')[0]?.click())
  await waitFor(() => expect(screen.getAllByText('signedOut')).toHaveLength(2))
  expect(sessionStorage.getItem('chat.dev-user')).toBeNull()
})
