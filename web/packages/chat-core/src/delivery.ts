import type { Attempt, Exchange } from './exchange'
import type { Outbox } from './outbox'
import { afterOf, frameOf, type Pending, type Queued } from './pending'
import { newestTimestamp } from './recall'
import { type Rest, refusalOf } from './rest'
import type { Uploader } from './upload'

/** What became of a message. `gone`: it was discarded meanwhile; `imageLost`: this device no longer has its image. */
export type Outcome = Attempt | { kind: 'gone' } | { kind: 'imageLost' }

export interface DeliveryParts {
  readonly outbox: Pick<Outbox, 'update'>
  readonly uploader: Pick<Uploader, 'upload'>
  readonly exchange: Pick<Exchange, 'send'>
  readonly rest: Pick<Rest, 'history' | 'propose'>
  /** Hears that the outbox holds something else now. */
  changed(): void
}

/** An answer that takes longer is worth a word, and a look at the connection. */
const SLOW_AFTER_MS = 5_000

/** Makes one attempt at a message or a change: uploads its image if it has one, and sends it the way that its kind goes. */
export class Delivery {
  constructor(private readonly parts: DeliveryParts) {}

  /** Returns the message as it is by then, together with what became of it; calls `slow` when the answer takes long. */
  async attempt(queued: Queued, slow: () => void): Promise<{ outcome: Outcome; entry: Queued }> {
    if (queued.kind !== 'image' || queued.image.uploaded) return { outcome: await this.#sendWatched(queued, slow), entry: queued }
    const uploaded = await this.parts.uploader.upload(queued)
    if (uploaded.kind === 'lost') return { outcome: { kind: 'imageLost' }, entry: queued }
    if (uploaded.kind !== 'uploaded') return { outcome: uploaded, entry: queued }
    this.parts.changed()
    const entry = { ...queued, image: uploaded.image }
    return { outcome: await this.#sendWatched(entry, slow), entry }
  }

  async #sendWatched(entry: Queued, slow: () => void): Promise<Attempt> {
    const timer = setTimeout(slow, SLOW_AFTER_MS)
    try {
      return await this.#send(entry)
    } finally {
      clearTimeout(timer)
    }
  }

  async #send(entry: Queued): Promise<Attempt> {
    let { after } = entry
    if (after === null) {
      // It was written before anything was known of the conversation. It was never attempted, so any moment will do.
      try {
        after = afterOf(entry, await newestTimestamp(this.parts.rest, entry.peer))
      } catch (error) {
        return { kind: 'refused', error: refusalOf(error) }
      }
      await this.parts.outbox.update(entry.id, { after })
      this.parts.changed()
    }
    if (entry.kind === 'matchProposal') return this.#propose(entry, after)
    return this.parts.exchange.send(frameOf(entry, after))
  }

  async #propose({ id, peer, proposal }: Extract<Pending, { kind: 'matchProposal' }>, after: string): Promise<Attempt> {
    try {
      const sent = await this.parts.rest.propose({ receiverEmail: peer, clientMessageId: id, after, proposal })
      return { kind: 'sent', sent }
    } catch (error) {
      return { kind: 'refused', error: refusalOf(error) }
    }
  }
}
