import { type RefObject, useCallback, useEffect, useRef, useState } from 'react'
import { rowOf } from './rows'

/**
 * The tools for messages are wanted, and what they are to do first: the key, the long press or the touch that asked for them. `null` once
 * that is over.
 */
export interface Wanted {
  first: Event | null
  /** Of a touch: whether the finger has moved since. */
  isMoved?: boolean
}

const ROW_KEYS = ['ArrowUp', 'ArrowDown', 'ContextMenu']
/** What is done with a message that has the focus. A Korean keyboard has other letters on the same keys. */
const ACTION_KEYS = new Map([
  ['r', 'reply'],
  ['ㄱ', 'reply'],
  ['e', 'edit'],
  ['ㄷ', 'edit'],
  ['Delete', 'remove'],
])

/** Which action a key stands for, if it does. */
export const actionOf = (key: string): string | undefined => ACTION_KEYS.get(key.length === 1 ? key.toLowerCase() : key)

/**
 * Whether somebody points at the messages, touches them, or uses the keyboard: then the tools for messages are loaded. What was asked
 * for last before they are there, they do when they are.
 */
export function useToolsWanted(scroller: RefObject<HTMLElement | null>, wantedAtOnce: boolean) {
  const [wanted, setWanted] = useState<Wanted | null>(wantedAtOnce ? { first: null } : null)
  const areThere = useRef(false)
  useEffect(() => {
    if (wantedAtOnce) setWanted((before) => before ?? { first: null })
  }, [wantedAtOnce])
  useEffect(() => {
    const { current: list } = scroller
    if (list === null) return
    const controller = new AbortController()
    const { signal } = controller
    const listen = <K extends keyof HTMLElementEventMap>(kind: K, heard: (event: HTMLElementEventMap[K]) => void) =>
      list.addEventListener(kind, (event) => !areThere.current && heard(event), { signal, passive: kind !== 'contextmenu' })
    const want = (first: Event | null = null) => setWanted((before) => (before === null || first !== null ? { first } : before))
    // The `touchstart` of a finger follows.
    listen('pointerover', ({ pointerType }) => pointerType !== 'touch' && want())
    listen('focusin', () => want())
    listen('touchstart', want)
    listen('click', (event) => quoteOf(event) !== null && want(event))
    listen('contextmenu', (event) => {
      if (!isLongPress(event)) return
      event.preventDefault()
      want(event)
    })
    const pressed = (event: KeyboardEvent) => {
      if (areThere.current) return
      const asks = asksForTools(event, list)
      // Should the tools not come, a button takes the focus, which the key is not to press.
      if (asks) event.preventDefault()
      want(asks ? event : null)
    }
    document.addEventListener('keydown', pressed, { signal })
    return () => controller.abort()
  }, [scroller])
  useEffect(() => {
    if (wanted?.first?.type !== 'touchstart') return
    const controller = new AbortController()
    const options = { passive: true, signal: controller.signal }
    const end = () => {
      wanted.first = null
    }
    const move = () => {
      wanted.isMoved = true
    }
    for (const kind of ['touchend', 'touchcancel'] as const) document.addEventListener(kind, end, options)
    document.addEventListener('touchmove', move, options)
    return () => controller.abort()
  }, [wanted])
  return {
    wanted,
    onReady: useCallback(() => {
      areThere.current = true
    }, []),
    onDismiss: useCallback(() => setWanted({ first: null }), []),
  }
}

/** Whether a menu is asked for by something else than a mouse, whose menu is the browser's. A link has the browser's, too. */
export const isLongPress = ({ target, pointerType }: MouseEvent & { pointerType?: string }): boolean =>
  pointerType !== 'mouse' && target instanceof Element && rowOf(target) !== null && target.closest('a') === null

/** The timestamp of the message that a pressed quote is of. */
export const quoteOf = ({ target }: Event): string | null =>
  target instanceof Element ? (target.closest<HTMLElement>('[data-quote]')?.dataset.quote ?? null) : null

function asksForTools({ key, shiftKey, isComposing, target }: KeyboardEvent, list: HTMLElement): boolean {
  if (isComposing || !(target instanceof Element)) return false
  if (target instanceof HTMLTextAreaElement) return key === 'ArrowUp' && target.matches('[data-composer]') && target.value === ''
  if (!list.contains(target)) return false
  if (actionOf(key) !== undefined && rowOf(target) === target) return true
  return ROW_KEYS.includes(key) || (key === 'F10' && shiftKey) || (key === 'Enter' && rowOf(target) === target)
}
