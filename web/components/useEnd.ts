'use client'

import type { Virtualizer } from '@tanstack/react-virtual'
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'

/** Close enough to the end to count as being there. */
const END_PX = 80
/** How long scrolling up goes on after the last step of it. */
const UP_MS = 250
const UP_KEYS = ['ArrowUp', 'PageUp', 'Home']

export const isAtEnd = (list: HTMLElement): boolean => list.scrollHeight - list.scrollTop - list.clientHeight <= END_PX

type Rows = Virtualizer<HTMLElement, Element>

/**
 * Whoever is at the end stays there, whatever grows above it or makes the list smaller (the field, a phone's keyboard), until they
 * scroll up. Where the list is does not tell: several messages may come before it was scrolled for the first of them. While the list is
 * `detached`, its end is not that of the conversation, and nobody stays there.
 */
export function useEnd(scroller: RefObject<HTMLElement | null>, virtualizer: Rows, total: number, detached: boolean) {
  // Not known before the list has been laid out.
  const [atEnd, setAtEnd] = useState<boolean | null>(null)
  const follows = useRef(false)
  /** Set while the reader scrolls up. Without it every message would take back a reader who scrolls in small steps. */
  const goesUp = useRef<ReturnType<typeof setTimeout>>(undefined)
  const isDetached = useRef(detached)
  isDetached.current = detached
  const follow = useCallback((next: boolean) => {
    follows.current = next && goesUp.current === undefined && !isDetached.current
    setAtEnd(next)
  }, [])
  const toEnd = useCallback(() => {
    clearTimeout(goesUp.current)
    goesUp.current = undefined
    follows.current = true
    virtualizer.scrollToEnd()
  }, [virtualizer])

  /** Whoever is led elsewhere is not taken back. */
  const leaveEnd = useCallback(() => {
    follows.current = false
    setAtEnd(false)
  }, [])

  // biome-ignore lint/correctness/useExhaustiveDependencies: the size is what may have moved the end
  useLayoutEffect(() => {
    follows.current &&= !detached
    if (follows.current) virtualizer.scrollToEnd()
    const frame = requestAnimationFrame(() => {
      const { current: list } = scroller
      if (list !== null) follow(follows.current || isAtEnd(list))
    })
    return () => cancelAnimationFrame(frame)
  }, [follow, scroller, virtualizer, total, detached])

  useEffect(() => {
    const list = scroller.current
    if (list === null) return
    const observer = new ResizeObserver(() => follows.current && virtualizer.scrollToEnd())
    observer.observe(list)
    const stop = onScrolling(list, virtualizer, { follows, goesUp, follow, toEnd })
    return () => {
      observer.disconnect()
      stop()
    }
  }, [follow, scroller, toEnd, virtualizer])
  return { atEnd, toEnd, leaveEnd }
}

interface Following {
  readonly follows: RefObject<boolean>
  readonly goesUp: RefObject<ReturnType<typeof setTimeout> | undefined>
  follow(next: boolean): void
  toEnd(): void
}

/** Tells a reader's scrolling from the list's own; returns what ends it. */
function onScrolling(list: HTMLElement, virtualizer: Rows, { follows, goesUp, follow, toEnd }: Following): () => void {
  let top = list.scrollTop
  let went = false
  let sizes = sizesOf(list)
  const scrolled = () => {
    const isUp = list.scrollTop < top
    top = list.scrollTop
    went ||= isUp
    const before = sizes
    sizes = sizesOf(list)
    const isMoved = sizes !== before && follows.current
    if (isAtEnd(list)) follow(true)
    // A list that was made higher for a moment scrolls up too. It was no reader.
    else if (isMoved) virtualizer.scrollToEnd()
    else if (isUp) follow(false)
  }
  const goUp = () => {
    if (!follows.current && goesUp.current === undefined) return
    if (follows.current) went = false
    follows.current = false
    virtualizer.cancelScroll()
    clearTimeout(goesUp.current)
    goesUp.current = setTimeout(() => {
      goesUp.current = undefined
      // The reader has not scrolled if there was nothing to scroll.
      if (went) follow(isAtEnd(list))
      else toEnd()
    }, UP_MS)
  }
  const controller = new AbortController()
  list.addEventListener('scroll', scrolled, { passive: true, signal: controller.signal })
  onScrollingUp(list, goUp, controller.signal)
  return () => {
    clearTimeout(goesUp.current)
    controller.abort()
  }
}

const sizesOf = (list: HTMLElement): string => `${list.clientHeight} ${list.scrollHeight}`

/** Calls `goUp` with each step by which a reader scrolls up: with a wheel, a key, or a finger. */
function onScrollingUp(list: HTMLElement, goUp: () => void, signal: AbortSignal): void {
  const options = { passive: true, signal }
  list.addEventListener('wheel', ({ deltaY }) => deltaY < 0 && goUp(), options)
  list.addEventListener('keydown', ({ key, shiftKey }) => (UP_KEYS.includes(key) || (key === ' ' && shiftKey)) && goUp(), options)
  let finger = 0
  const touched = ({ type, touches: [touch] }: TouchEvent) => {
    const at = touch?.clientY ?? 0
    if (type === 'touchmove' && at > finger) goUp()
    finger = at
  }
  list.addEventListener('touchstart', touched, options)
  list.addEventListener('touchmove', touched, options)
}
