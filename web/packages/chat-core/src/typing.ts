import { peerOf } from './address'
import type { Store } from './store'
import type { Timers } from './timers'
import type { Transport } from './transport'
import type { TypingEventFrame } from './wire'

const TYPING_EVERY_MS = 3_000
const TYPING_SHOWN_MS = 5_000

/** Says that the user is typing, and shows that the peer is. */
export class Typing {
  /** By peer, when it was last said. */
  readonly #said = new Map<string, number>()

  constructor(
    private readonly store: Store,
    private readonly transport: Pick<Transport, 'send'>,
    private readonly timers: Timers,
  ) {}

  /** Says that the user is typing, unless it was just said. A conversation without a message has nobody to be told. */
  say(peer: string): void {
    const now = Date.now()
    if (this.store.room(peer)?.last == null || now - (this.#said.get(peer) ?? 0) < TYPING_EVERY_MS) return
    if (this.transport.send({ action: 'typing', receiverEmail: peer })) this.#said.set(peer, now)
  }

  /** What was typed was sent: the next key begins anew. */
  sent(peer: string): void {
    this.#said.delete(peer)
  }

  heard(frame: TypingEventFrame): void {
    const peer = peerOf(frame.roomId, this.store.me)
    if (peer === null || frame.senderEmail !== peer) return
    this.store.dispatch({ type: 'typing', peer, typing: true })
    this.timers.set(`typing:${peer}`, TYPING_SHOWN_MS, () => this.store.dispatch({ type: 'typing', peer, typing: false }))
  }
}
