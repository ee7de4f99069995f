/** What a browser tells that a chat has to act on. */
export interface BrowserListener {
  /** The page is looked at again. */
  lookedAt(): void
  /** The network is back, or the page is: its sockets are dead. */
  revived(): void
  /** The browser believes that there is no network. It may be wrong, for a server on the same machine at least. */
  offline(): void
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
  return () => controller.abort()
}
