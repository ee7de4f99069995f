'use client'

import { useSyncExternalStore } from 'react'
import { normaliseEmail } from '@/lib/chat'

const CHANGED = 'chat:peer'

function subscribe(listener: () => void): () => void {
  window.addEventListener('popstate', listener)
  window.addEventListener(CHANGED, listener)
  return () => {
    window.removeEventListener('popstate', listener)
    window.removeEventListener(CHANGED, listener)
  }
}

const read = (): string | null => new URLSearchParams(location.search).get('with')

/** Whom the page shows a conversation with: `?with=ADDRESS`. */
export function usePeer(me: string): string | null {
  const asked = useSyncExternalStore(subscribe, read, () => null)
  const peer = asked === null ? null : normaliseEmail(asked)
  return peer === me ? null : peer
}

/** Shows another conversation, or the list; the browser's back button goes back. */
export function showPeer(peer: string | null): void {
  if (peer === read()) return
  const url = new URL(location.href)
  if (peer === null) url.searchParams.delete('with')
  else url.searchParams.set('with', peer)
  history.pushState(null, '', url)
  window.dispatchEvent(new Event(CHANGED))
}
