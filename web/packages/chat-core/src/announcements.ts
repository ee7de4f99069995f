import type { MessageBody } from './wire'

/** Tells of each message of somebody else that arrives live, once. */
export class Announcements {
  readonly #listeners = new Set<(message: MessageBody) => void>()
  /** By peer, up to which number messages were told of, or were there before. */
  readonly #upTo = new Map<string, number>()

  /** Calls `listener` with each message; returns how to stop. */
  subscribe(listener: (message: MessageBody) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Tells of messages that nobody was told of, in their order. One that a later one overtook is not news any more. */
  announce(peer: string, messages: readonly MessageBody[]): void {
    for (const message of messages) {
      if (message.seq <= (this.#upTo.get(peer) ?? 0)) continue
      this.#upTo.set(peer, message.seq)
      // What becomes of a message is no message.
      if (message.senderEmail !== peer || message.kind === 'change') continue
      for (const listener of this.#listeners) listener(message)
    }
  }

  /** The newest page shows everything up to this number, so none of it is news. */
  skipTo(peer: string, seq: number): void {
    this.#upTo.set(peer, Math.max(seq, this.#upTo.get(peer) ?? 0))
  }

  /** The list shows this number. Of a conversation that is followed already it says nothing: its news may be on their way. */
  beginAt(peer: string, seq: number): void {
    if (!this.#upTo.has(peer)) this.#upTo.set(peer, seq)
  }

  /** The server counts from 1 again. */
  forget(peer: string): void {
    this.#upTo.delete(peer)
  }

  close(): void {
    this.#listeners.clear()
  }
}
