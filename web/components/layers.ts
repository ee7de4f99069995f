'use client'

import { useEffect, useRef } from 'react'

/** Marks the entries of the browser's history that stand for a layer: how many lie over the page there. */
const DEPTH = 'chatLayers'

/** What lies over the page, the topmost last: how to close each. */
const layers: (() => void)[] = []
/** Set while the page itself goes back over entries, which closes nothing. */
let leaving = false
/** Called once the browser's history is back at the entry of the page itself, with no layer over it. */
let atPage: (() => void) | null = null

const depth = (): number => history.state?.[DEPTH] ?? 0

/**
 * While `open`, an entry of the browser's history stands for what is shown over the page (a dialog, a viewer, a menu on a phone): the
 * way back closes it, and leaves the conversation open. Closed in any other way, it takes its entry along.
 */
export function useLayer(open: boolean, close: () => void): void {
  const latest = useRef(close)
  latest.current = close
  useEffect(() => {
    if (!open) return
    const layer = () => latest.current()
    layers.push(layer)
    enter()
    return () => {
      const at = layers.indexOf(layer)
      if (at >= 0) layers.splice(at, 1)
      // Another layer may take its place, and its entry, at once.
      queueMicrotask(leave)
    }
  }, [open])
}

/** Makes an entry of the browser's history for another conversation, in place of those of the layers, which are closed. */
export function enterPage(state: object, url: URL): void {
  const over = depth() > 0
  closeAbove(0)
  history[over ? 'replaceState' : 'pushState'](state, '', url)
}

/** Goes back to what was shown before, below the layers. */
export function leavePage(): void {
  const over = depth()
  closeAbove(0)
  leaving = over > 0
  history.go(-1 - over)
}

/** Closes the layers, and does something with the page's own entry of the browser's history. */
export function onPage(work: () => void): void {
  closeAbove(0)
  if (depth() === 0) work()
  else {
    atPage = work
    leave()
  }
}

/** Whether the browser's history is at an entry of a layer: whoever leads elsewhere takes its place. */
export const isOverPage = (): boolean => depth() > 0

function closeAbove(kept: number): void {
  while (layers.length > kept) layers.pop()?.()
}

/** Makes the entries that layers have not. */
function enter(): void {
  if (leaving) return
  for (let next = depth() + 1; next <= layers.length; next += 1)
    history.pushState(Object.assign({}, history.state, { [DEPTH]: next }), '')
}

/** Goes back over the entries of layers that are closed. */
function leave(): void {
  const surplus = depth() - layers.length
  if (leaving || surplus <= 0) return
  leaving = true
  history.go(-surplus)
}

function popped(): void {
  if (leaving) {
    leaving = false
    atPage?.()
    atPage = null
    // A layer may have been opened meanwhile.
    enter()
  } else closeAbove(depth())
  leave()
}

if (typeof window !== 'undefined') {
  window.addEventListener('popstate', popped)
  // A page that was loaded anew has no layer yet, but may be at an entry of one.
  leave()
}
