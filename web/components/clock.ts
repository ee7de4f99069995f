import { useSyncExternalStore } from 'react'
import { zoneNow } from '@/lib/format'

const EVERY_MS = 60_000

let now = Date.now()
let zone = zoneNow()
let timer: ReturnType<typeof setInterval> | undefined
const listeners = new Set<() => void>()

/** A browser does not tell that its time zone has changed, nor that it was asleep. */
function look(): void {
  now = Date.now()
  zone = zoneNow()
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    look()
    timer = setInterval(look, EVERY_MS)
    window.addEventListener('focus', look)
    document.addEventListener('visibilitychange', look)
  }
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    window.removeEventListener('focus', look)
    document.removeEventListener('visibilitychange', look)
  }
}

/** The time, renewed each minute: "today" ends at midnight, and matches begin, while the page is open. */
export const useNow = (): number =>
  useSyncExternalStore(
    subscribe,
    () => now,
    () => now,
  )

/** Shows anew what has times in it when the reader's time zone has changed. */
export const useZone = (): number =>
  useSyncExternalStore(
    subscribe,
    () => zone,
    () => zone,
  )
