'use client'

import { type AddressProblem, checkPeer } from 'chat-core'
import { useSyncExternalStore } from 'react'

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

const read = (): string | null => new URLSearchParams(location.search).get('with')

/** Whom the page shows a conversation with: `?with=ADDRESS`; or what is wrong with the address. */
export function usePeer(me: string): { peer: string | null; problem: AddressProblem | null } {
  const asked = useSyncExternalStore(subscribe, read, () => null)
  if (asked === null) return { peer: null, problem: null }
  const checked = checkPeer(asked, me)
  return 'problem' in checked ? { peer: null, problem: checked.problem } : { peer: checked.email, problem: null }
}

/** Shows another conversation, or the list. The way to the list is the way back in the browser's history where it leads there. */
export function showPeer(peer: string | null): void {
  const shown = read()
  if (peer === shown) return
  if (peer === null && history.state?.[OVER_LIST] === true) {
    history.back()
    return
  }
  history.pushState({ [OVER_LIST]: shown === null }, '', urlOf(peer))
  window.dispatchEvent(new Event(CHANGED))
}

/** Takes the conversation out of the address, which the next user would otherwise see. */
export function forgetPeer(): void {
  if (read() === null) return
  history.replaceState(null, '', urlOf(null))
  window.dispatchEvent(new Event(CHANGED))
}

function urlOf(peer: string | null): URL {
  const url = new URL(location.href)
  if (peer === null) url.searchParams.delete('with')
  else url.searchParams.set('with', peer)
  return url
}
