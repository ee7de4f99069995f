import { useEffect, useRef } from 'react'
import { rowOf } from './rows'
import { isLongPress } from './useToolsWanted'

const HOLD_MS = 450
/** A finger that moves farther scrolls. */
const HOLD_PX = 10

/** Calls `onHold` with the row that is touched for long. A link has a menu of its own, the browser's. */
export function useRowHold(list: HTMLElement, onHold: (row: HTMLElement) => void, first: Event | null): void {
  const begun = useRef(first)
  useEffect(() => {
    const controller = new AbortController()
    const { signal } = controller
    let timer: ReturnType<typeof setTimeout> | undefined
    let from = { x: 0, y: 0 }
    let held = false
    const stop = () => clearTimeout(timer)
    const hold = (row: HTMLElement) => {
      held = true
      if ('vibrate' in navigator) navigator.vibrate(8)
      onHold(row)
    }
    const begin = ({ target, touches: [touch, ...others] }: TouchEvent) => {
      stop()
      held = false
      const row = rowOf(target)
      if (row === null || touch === undefined || others.length > 0 || (target as Element).closest('a') !== null) return
      from = { x: touch.clientX, y: touch.clientY }
      timer = setTimeout(() => hold(row), HOLD_MS)
    }
    const move = ({ touches: [touch] }: TouchEvent) => {
      if (touch !== undefined && Math.hypot(touch.clientX - from.x, touch.clientY - from.y) > HOLD_PX) stop()
    }
    list.addEventListener('touchstart', begin, { signal, passive: true })
    list.addEventListener('touchmove', move, { signal, passive: true })
    for (const kind of ['touchend', 'touchcancel'] as const) list.addEventListener(kind, stop, { signal })
    list.addEventListener('scroll', stop, { signal, passive: true })
    // The finger that is lifted presses nothing.
    list.addEventListener('touchend', (event) => held && event.preventDefault(), { signal, passive: false })
    list.addEventListener(
      'contextmenu',
      (event) => {
        const row = rowOf(event.target)
        if (row === null || !isLongPress(event)) return
        event.preventDefault()
        if (!held) hold(row)
        stop()
      },
      { signal },
    )
    // What had this loaded.
    if (begun.current?.type === 'touchstart') begin(begun.current as TouchEvent)
    const pressed = begun.current?.type === 'contextmenu' ? rowOf(begun.current.target) : null
    if (pressed !== null) hold(pressed)
    begun.current = null
    return () => {
      stop()
      controller.abort()
    }
  }, [list, onHold])
}
