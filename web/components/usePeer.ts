'use client'

import { type AddressProblem, checkPeer, normaliseEmail } from 'chat-core'
import { useSyncExternalStore } from 'react'
import { enterPage, leavePage, onPage } from './layers'

const CHANGED = 'chat:peer'
/** Marks the entries of the browser's history that have the list right behind them. */
const OVER_LIST = 'chatOverList'

function subscribe(listener: () => void): () => void {
  window.addEventListener('popstate', listener)
  window.addEventListener(CHANGED, listener)
  return () => {
    window.removeEventListener('popstate', listener)
    window.removeEventListener(CHANGED, listener)
  }
}

/** What the address says by that name. */
export const parameter = (name: string): string | null => new URLSearchParams(location.search).get(name)

const read = (): string | null => parameter('with')

/** Whom the page shows a conversation with: `?with=ADDRESS`; or what is wrong with the address. */
export function usePeer(me: string): { peer: string | null; problem: AddressProblem | null } {
  const asked = useSyncExternalStore(subscribe, read, () => null)
  if (asked === null) return { peer: null, problem: null }
  // A link to a message names both members: whoever opens it sees the other one.
  const both = parameter('and')
  const checked = checkPeer(both !== null && normaliseEmail(asked) === me ? both : asked, me)
  return 'problem' in checked ? { peer: null, problem: checked.problem } : { peer: checked.email, problem: null }
}

/** Shows another conversation, or the list. The way to the list is the way back in the browser's history where it leads there. */
export function showPeer(peer: string | null): void {
  const shown = read()
  if (peer === shown) return
  if (peer === null && history.state?.[OVER_LIST] === true) {
    leavePage()
    return
  }
  enterPage({ [OVER_LIST]: shown === null }, urlOf(peer))
  window.dispatchEvent(new Event(CHANGED))
}

/** Takes the conversation out of the address, which the next user would otherwise see. */
export function forgetPeer(): void {
  if (read() === null) return
  onPage(() => {
    history.replaceState(null, '', urlOf(null))
    window.dispatchEvent(new Event(CHANGED))
  })
}

function urlOf(peer: string | null): URL {
  const url = new URL(location.href)
  for (const name of ['and', 'at']) url.searchParams.delete(name)
  if (peer === null) url.searchParams.delete('with')
  else url.searchParams.set('with', peer)
  return url
}
