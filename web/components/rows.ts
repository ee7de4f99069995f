import type { Room } from 'chat-core'
import type { Item } from './items'

/** A message that the reader is to be led to. */
export interface Sought {
  readonly timestamp: string
  /** Whether the focus stays where it is. */
  readonly isStep: boolean
}

/** The messages of a conversation and the list that shows them, for what is done with them. */
export interface Messages {
  readonly list: HTMLElement
  readonly room: Room
  readonly count: number
  itemAt(index: number): Item
  /** Brings a row onto the screen. */
  toIndex(index: number, align?: 'auto' | 'center'): void
  /** Leads to the newest messages, wherever the reader is. */
  toNewest(): void
}

/** The row of the list of messages that something is in. */
export const rowOf = (node: EventTarget | Node | null | undefined): HTMLElement | null => {
  const element = node instanceof Element ? node : node instanceof Node ? node.parentElement : null
  return element?.closest<HTMLElement>('li[data-index]') ?? null
}

export const indexOf = (row: HTMLElement): number => Number(row.dataset.index)
