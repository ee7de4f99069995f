/** What a browser tells that a chat has to act on. */
export interface BrowserListener {
  /** The device, or the page, was asleep: what it had open may be dead. */
  woke(): void
  /** The page is looked at again. */
  lookedAt(): void
  /** The network is back, or the page is: its sockets are dead. */
  revived(): void
  /** The browser believes that there is no network. It may be wrong, for a server on the same machine at least. */
  offline(): void
}

const TICK_MS = 5_000
/** Browsers let the timers of a hidden page run once a minute, and those of a busy one late. */
const LATE_MS = { visible: 20_000, hidden: 90_000 }
/** Clocks that go on together differ by less. */
const APART_MS = 3_000

/** Calls `woke` when time has jumped: after a sleep, or when somebody has set the clock; returns how to stop. */
export function watchClock(woke: () => void): () => void {
  let before = { wall: Date.now(), steady: performance.now() }
  const timer = setInterval(() => {
    const now = { wall: Date.now(), steady: performance.now() }
    const [wall, steady] = [now.wall - before.wall, now.steady - before.steady]
    before = now
    // In a sleep the steady clock of some systems stands still, and that of others goes on.
    if (Math.abs(wall - steady) > APART_MS || steady > LATE_MS[document.visibilityState]) woke()
  }, TICK_MS)
  return () => clearInterval(timer)
}

/** Listens to the browser, if there is one; returns how to stop. */
export function listenToBrowser(listener: BrowserListener): () => void {
  if (typeof window === 'undefined') return () => {}
  const controller = new AbortController()
  const { signal } = controller
  const lookedAt = () => {
    if (document.visibilityState === 'visible') listener.lookedAt()
  }
  window.addEventListener('focus', lookedAt, { signal })
  document.addEventListener('visibilitychange', lookedAt, { signal })
  window.addEventListener('online', () => listener.revived(), { signal })
  window.addEventListener('offline', () => listener.offline(), { signal })
  // A page that comes out of the back/forward cache has dead sockets.
  window.addEventListener('pageshow', (event) => event.persisted && listener.revived(), { signal })
  // A browser may freeze a page that is not looked at.
  document.addEventListener('resume', () => listener.woke(), { signal })
  const stopWatching = watchClock(() => listener.woke())
  return () => {
    stopWatching()
    controller.abort()
  }
}
