import { useSyncExternalStore } from 'react'
import { browserMemory } from '@/lib/storage'

const listeners = new Set<() => void>()

const keyOf = (me: string, peer: string): string => `chat.draft:${me}:${peer}`

/** What a tab tells the others when it changes a draft. `before` is the text that the tab itself had; what storage had may be from another tab. */
interface Change {
  readonly key: string
  readonly before: string
  readonly now: string
}

let opened: BroadcastChannel | null | undefined

/** What tabs tell each other of drafts by; `null` where it is refused, as storage is. */
function channel(): BroadcastChannel | null {
  try {
    opened ??= new BroadcastChannel('chat.drafts')
  } catch {
    opened = null
  }
  return opened
}

/** What was written to somebody and not sent, kept for each conversation, in the browser. */
export function draftTo(me: string, peer: string) {
  const key = keyOf(me, peer)
  return {
    load: (): string => browserMemory.get(key) ?? '',
    keep(text: string): void {
      browserMemory.set(key, text === '' ? null : text)
      for (const listener of listeners) listener()
    },
    /** Tells the other tabs what became of `before`. */
    tell: (before: string, now: string): void => channel()?.postMessage({ key, before, now } satisfies Change),
    /** Hears of what other tabs change; returns how to stop. */
    onChange(heard: (before: string, now: string) => void): () => void {
      const told = ({ data }: MessageEvent<Change>) => data.key === key && heard(data.before, data.now)
      channel()?.addEventListener('message', told)
      return () => channel()?.removeEventListener('message', told)
    },
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  window.addEventListener('storage', listener)
  return () => {
    listeners.delete(listener)
    window.removeEventListener('storage', listener)
  }
}

/** A draft as it is now, in this tab or in another one. */
export const useDraftOf = (peer: string, me: string): string =>
  useSyncExternalStore(
    subscribe,
    () => browserMemory.get(keyOf(me, peer)) ?? '',
    () => '',
  )
