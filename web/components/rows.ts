import type { Room } from 'chat-core'
import type { Item } from './items'

/** The messages of a conversation and the list that shows them, for what is done with them. */
export interface Messages {
  readonly list: HTMLElement
  readonly room: Room
  readonly count: number
  itemAt(index: number): Item
  /** Brings a row onto the screen. */
  toIndex(index: number, align?: 'auto' | 'center'): void
}

/** The row of the list of messages that something is in. */
export const rowOf = (node: EventTarget | Node | null | undefined): HTMLElement | null => {
  const element = node instanceof Element ? node : node instanceof Node ? node.parentElement : null
  return element?.closest<HTMLElement>('li[data-index]') ?? null
}

export const indexOf = (row: HTMLElement): number => Number(row.dataset.index)
