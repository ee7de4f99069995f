import { useEffect, useRef } from 'react'
import { rowOf } from './rows'

/** So far a finger has to go to the right; what goes as far up or down scrolls. */
const SWIPED_PX = 56
const SHOWN_MAX_PX = 72
const BEGINS_PX = 12

/** Calls `onSwipe` with the row that is swiped to the right. It follows the finger meanwhile. `first`: a touch that has begun before. */
export function useRowSwipe(list: HTMLElement, onSwipe: (row: HTMLElement) => void, first: Event | null): void {
  const begun = useRef(first)
  useEffect(() => {
    const controller = new AbortController()
    const options = { signal: controller.signal, passive: true }
    let swiped: { row: HTMLElement; x: number; y: number; far: number } | null = null
    const follow = (px: number) => {
      const bubble = swiped?.row.querySelector<HTMLElement>('[data-bubble]')
      if (bubble != null) bubble.style.translate = px === 0 ? '' : `${px}px 0`
    }
    const end = (isDone: boolean) => {
      follow(0)
      const { row, far } = swiped ?? { row: null, far: 0 }
      swiped = null
      if (isDone && row !== null && far >= SWIPED_PX) onSwipe(row)
    }
    const begin = ({ target, touches: [touch, ...others] }: TouchEvent) => {
      end(false)
      const row = rowOf(target)
      if (row !== null && touch !== undefined && others.length === 0) swiped = { row, x: touch.clientX, y: touch.clientY, far: 0 }
    }
    const move = ({ touches: [touch] }: TouchEvent) => {
      if (swiped === null || touch === undefined) return
      const [far, aside] = [touch.clientX - swiped.x, Math.abs(touch.clientY - swiped.y)]
      if (swiped.far < BEGINS_PX && aside > BEGINS_PX) return end(false)
      swiped.far = far
      follow(far < BEGINS_PX ? 0 : Math.min(far - BEGINS_PX, SHOWN_MAX_PX))
    }
    list.addEventListener('touchstart', begin, options)
    list.addEventListener('touchmove', move, options)
    list.addEventListener('touchend', () => end(true), options)
    list.addEventListener('touchcancel', () => end(false), options)
    if (begun.current?.type === 'touchstart') begin(begun.current as TouchEvent)
    begun.current = null
    return () => {
      end(false)
      controller.abort()
    }
  }, [list, onSwipe])
}
