import { peerOf } from './address'
import type { Store } from './store'
import type { Tabs } from './tabs'
import type { Timers } from './timers'
import type { Transport } from './transport'
import type { ReadFrame } from './wire'

/** A mark of one conversation is sent at most once in this time. */
const MARK_EVERY_MS = 1_000

/** Says how far the user has read, until the server confirms it. */
export class ReadMarks {
  /** By peer, what the server has not confirmed. */
  readonly #unconfirmed = new Map<string, string>()

  constructor(
    private readonly store: Store,
    private readonly transport: Pick<Transport, 'send'>,
    private readonly tabs: Pick<Tabs, 'tell'>,
    private readonly timers: Timers,
  ) {}

  /** Marks everything that is loaded of a conversation as read. */
  mark(peer: string): void {
    const room = this.store.room(peer)
    if (room === undefined || room.anchor === null) return
    const theirs = room.messages.findLast(({ senderEmail, kind }) => senderEmail === peer && kind !== 'change')
    if (theirs === undefined || (room.myReadUpTo ?? '') >= theirs.timestamp) return
    const frame: ReadFrame = { roomId: theirs.roomId, readerEmail: this.store.me, upTo: theirs.timestamp }
    this.#unconfirmed.set(peer, theirs.timestamp)
    this.store.dispatch({ type: 'read', frame })
    this.tabs.tell({ type: 'read', frame })
    if (this.timers.has(`mark:${peer}`)) return
    this.#send(peer)
    this.timers.set(`mark:${peer}`, MARK_EVERY_MS, () => this.#send(peer))
  }

  /** Takes a mark of either member; returns the peer when it is this user's own, who may have read on another device. */
  heard(frame: ReadFrame): string | null {
    this.store.dispatch({ type: 'read', frame, at: Date.now() })
    const peer = peerOf(frame.roomId, this.store.me)
    if (peer === null || frame.readerEmail !== this.store.me) return null
    if (frame.upTo >= (this.#unconfirmed.get(peer) ?? '')) this.#unconfirmed.delete(peer)
    return peer
  }

  /** Says again, over a new connection, what was not confirmed. */
  resend(): void {
    for (const peer of this.#unconfirmed.keys()) this.#send(peer)
  }

  forget(peer: string): void {
    this.#unconfirmed.delete(peer)
  }

  #send(peer: string): void {
    const upTo = this.#unconfirmed.get(peer)
    if (upTo !== undefined) this.transport.send({ action: 'markRead', peerEmail: peer, upTo })
  }
}
