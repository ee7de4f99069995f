/**
 * Whether somebody looks at this window: it is on the screen and has the focus. A window beside another one is visible too, and nobody may be
 * reading it.
 */
export function isLookedAt(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus()
}

/** Calls back whenever somebody may have begun to look. The result ends it. */
export function onLook(look: () => void): () => void {
  document.addEventListener('visibilitychange', look)
  window.addEventListener('focus', look)
  return () => {
    document.removeEventListener('visibilitychange', look)
    window.removeEventListener('focus', look)
  }
}
