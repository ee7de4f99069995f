import { useEffect, useRef } from 'react'
import { useChat } from '@/context/ChatSocketContext'
import { focusConversation } from './focus'
import { type Item, isStored } from './items'
import { indexOf, type Messages, rowOf } from './rows'
import { actionOf } from './useToolsWanted'

interface Keys extends Messages {
  first: Event | null
  onMenu(row: HTMLElement): void
  /** Does something with a message, if that can be done with it; whether it can. */
  onAct(index: number, action: string): boolean
}

/** How many frames a row has to appear after it was scrolled to. */
const FRAMES_MAX = 60
/** A message farther back is not what is meant by the newest one. */
const EDITED_BEHIND_MAX = 30

/** Arrows lead from message to message, Enter to what can be done with one, Escape back to the field. */
export function useRowKeys(keys: Keys): void {
  const me = useChat((state) => state.me)
  const now = useRef(keys)
  now.current = keys
  const { list, first } = keys
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return
      const { room, toNewest } = now.current
      // The newest of one's own are elsewhere: this leads to them, and the next press to one of them.
      if (room.detached !== null && isUpInField(event)) toNewest()
      else if (!pressed(event, now.current, me)) return
      event.preventDefault()
    }
    // In the list before the keys reach the window that it is in, whose Escape leaves the conversation.
    const places = [list, document]
    for (const place of places) place.addEventListener('keydown', onKey as EventListener)
    return () => {
      for (const place of places) place.removeEventListener('keydown', onKey as EventListener)
    }
  }, [list, me])
  useEffect(() => {
    if (first instanceof KeyboardEvent && first.target === document.activeElement)
      first.target?.dispatchEvent(new KeyboardEvent('keydown', first))
  }, [first])
  useEffect(() => {
    const all = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'a') return
      event.preventDefault()
      // What encloses the rows encloses those, too, that come later.
      getSelection()?.setBaseAndExtent(list, 0, list, list.childNodes.length)
    }
    list.addEventListener('keydown', all)
    return () => list.removeEventListener('keydown', all)
  }, [list])
}

/** Whether the upward arrow was pressed in the empty field. */
const isUpInField = ({ key, target }: KeyboardEvent): boolean =>
  key === 'ArrowUp' && target instanceof HTMLTextAreaElement && target.matches('[data-composer]') && target.value === ''

/** Whether a key did something. */
function pressed(event: KeyboardEvent, keys: Keys, me: string): boolean {
  const { list, onMenu, onAct } = keys
  const { key, target } = event
  const isPlain = !(event.ctrlKey || event.metaKey || event.altKey || event.shiftKey)
  if (target instanceof HTMLTextAreaElement) {
    if (!isUpInField(event)) return false
    return (isPlain && editNewest(keys, me)) || ((isPlain || event.shiftKey) && focusNewest(keys, me))
  }
  if (!(target instanceof Element) || !list.contains(target)) return false
  const row = rowOf(target)
  if (isPlain && (key === 'ArrowUp' || key === 'ArrowDown')) {
    const step = key === 'ArrowUp' ? -1 : 1
    const from = row === null ? edge(list, step) - step : indexOf(row)
    return focusRow(keys, Math.max(0, Math.min(from + step, keys.count - 1)))
  }
  if (row === null) return false
  const action = isPlain && target === row ? actionOf(key) : undefined
  if (action !== undefined) return onAct(indexOf(row), action)
  if (key === 'Escape') {
    focusConversation()
    return true
  }
  if (key === 'ContextMenu' || (key === 'F10' && event.shiftKey) || (key === 'Enter' && isPlain && target === row)) {
    onMenu(row)
    return true
  }
  if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === 'c' && getSelection()?.isCollapsed !== false) {
    onAct(indexOf(row), 'copy')
    return true
  }
  return false
}

const isMine = (item: Item, me: string): boolean => !isStored(item) || item.senderEmail === me

/** Whether one's newest message is edited from now on. */
function editNewest({ count, itemAt, onAct }: Keys, me: string): boolean {
  // Another one is being edited, whose words were all taken away.
  if (document.querySelector('[data-composing="edit"]') !== null) return true
  for (let index = count - 1; index >= Math.max(0, count - EDITED_BEHIND_MAX); index -= 1) {
    if (isMine(itemAt(index), me) && onAct(index, 'edit')) return true
  }
  return false
}

function focusNewest(keys: Keys, me: string): boolean {
  for (let index = keys.count - 1; index >= 0; index -= 1) {
    if (isMine(keys.itemAt(index), me)) return focusRow(keys, index)
  }
  return false
}

/** The last row on the screen to go up from, the first one to go down from. */
function edge(list: HTMLElement, step: number): number {
  const { top, bottom } = list.getBoundingClientRect()
  const rows = [...list.querySelectorAll<HTMLElement>('li[data-index]')].filter((row) => {
    const box = row.getBoundingClientRect()
    return box.bottom > top && box.top < bottom
  })
  const row = rows.at(step < 0 ? -1 : 0)
  return row === undefined ? 0 : indexOf(row)
}

export function focusRow({ list, count, toIndex }: Pick<Messages, 'list' | 'count' | 'toIndex'>, index: number): boolean {
  if (count === 0) return false
  toIndex(index)
  withRow(list, index, (row) => row.focus({ preventScroll: true }))
  return true
}

/** Does something with a row once it is there: it may have been scrolled to just now. */
export function withRow(list: HTMLElement, index: number, act: (row: HTMLElement) => void): void {
  let frames = FRAMES_MAX
  const attempt = () => {
    const row = list.querySelector<HTMLElement>(`li[data-index="${index}"]`)
    if (row !== null) act(row)
    else if (frames > 0) requestAnimationFrame(attempt)
    frames -= 1
  }
  attempt()
}
