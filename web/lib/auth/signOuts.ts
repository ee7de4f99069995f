import type { Session } from './session'

const CHANNEL = 'chat.signed-out'

/** Tells the other tabs of this browser that somebody signs out. */
export function tellSignedOut(email: string): void {
  const channel = openChannel()
  channel?.postMessage(email)
  channel?.close()
}

/** Calls `left` once when the session has been ended in another tab of this browser; returns how to stop. */
export function onSignedOut(session: Session, left: () => void): () => void {
  const over = new AbortController()
  const { signal } = over
  const end = () => {
    if (signal.aborted) return
    stop()
    left()
  }
  // A page that could not receive the message checks when it is shown again: it was in the back/forward cache, or has no channel.
  const look = async () => {
    if (document.visibilityState === 'visible' && !(await session.isKept())) end()
  }
  const channel = openChannel()
  const stop = () => {
    over.abort()
    channel?.close()
  }
  if (channel !== null) {
    channel.onmessage = ({ data }) => {
      if (data === session.email) end()
    }
  }
  window.addEventListener('storage', () => void look(), { signal })
  window.addEventListener('pageshow', (event) => event.persisted && void look(), { signal })
  document.addEventListener('visibilitychange', () => void look(), { signal })
  return stop
}

/** Opens the channel. An old browser has none, and a browser that keeps nothing for a site may refuse it. */
function openChannel(): BroadcastChannel | null {
  try {
    return new BroadcastChannel(CHANNEL)
  } catch {
    return null
  }
}
