import { type ChatEvent, reduce } from './reducer'
import { type ChatState, emptyState, type Room } from './state'

/** Holds the one state, and tells of its changes. */
export class Store {
  #state: ChatState
  readonly #listeners = new Set<(before: ChatState) => void>()
  #closed = false

  constructor(readonly me: string) {
    this.#state = emptyState(me)
  }

  get state(): ChatState {
    return this.#state
  }

  /** Nothing changes any more. */
  get closed(): boolean {
    return this.#closed
  }

  room(peer: string): Room | undefined {
    return this.#state.rooms[peer]
  }

  dispatch(event: ChatEvent): void {
    if (this.#closed) return
    const before = this.#state
    this.#state = reduce(before, event)
    if (this.#state === before) return
    for (const listener of this.#listeners) listener(before)
  }

  /** Calls `listener` after each change, in the order of subscribing; returns how to stop. */
  subscribe(listener: (before: ChatState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#closed = true
    this.#listeners.clear()
  }
}
