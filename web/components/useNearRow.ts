import { useEffect, useState } from 'react'
import { rowOf } from './rows'

/** The row under the mouse, or else the one with the focus. */
export function useNearRow(list: HTMLElement): HTMLElement | null {
  // It may be there already: being pointed at is what had this loaded.
  const [pointed, setPointed] = useState(() =>
    matchMedia('(hover: hover)').matches ? list.querySelector<HTMLElement>('li[data-index]:hover') : null,
  )
  const [focused, setFocused] = useState(() => rowOf(document.activeElement))
  useEffect(() => {
    const controller = new AbortController()
    const options = { signal: controller.signal, passive: true }
    list.addEventListener('pointerover', ({ pointerType, target }) => pointerType === 'mouse' && setPointed(rowOf(target)), options)
    list.addEventListener('pointerleave', () => setPointed(null), options)
    list.addEventListener('focusin', ({ target }) => setFocused(rowOf(target)), options)
    list.addEventListener('focusout', ({ relatedTarget }) => setFocused(rowOf(relatedTarget)), options)
    return () => controller.abort()
  }, [list])
  return pointed ?? focused
}
