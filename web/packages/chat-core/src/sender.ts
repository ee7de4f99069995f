import type { Delivery } from './delivery'
import type { Outbox } from './outbox'
import { EPOCH, isChange, type PendingReason, type Queued, withoutUpload } from './pending'
import { findStored, newestTimestamp } from './recall'
import type { ChatEvent } from './reducer'
import type { Refusal, Rest } from './rest'
import type { Tabs } from './tabs'

/** What the sender tells. `message`: found in the room instead of acknowledged; `outboxChanged`: the outbox holds something else. */
export type SenderEvent =
  | Extract<ChatEvent, { type: 'sent' | 'message' | 'forgotten' | 'waiting' }>
  | { readonly type: 'outboxChanged' }

export interface SenderParts {
  readonly user: string
  readonly outbox: Outbox
  readonly tabs: Pick<Tabs, 'alone'>
  readonly rest: Pick<Rest, 'history'>
  readonly delivery: Pick<Delivery, 'attempt'>
  /** The connection; `check` finds out whether it works; `reauth` extends its authentication, and resolves with whether that worked. */
  readonly connection: { readonly isOpen: boolean; renew(): void; check(): void; reauth(): Promise<boolean> }
  tell(event: SenderEvent): void
}

const WAIT_MIN_MS = 1_000
const WAIT_MAX_MS = 30_000

/**
 * Empties the outbox: one message at a time per room, in one tab at a time, the same id again until it is answered. Frames of one
 * connection are handled concurrently, so a second message may only leave when the first one is acknowledged.
 */
export class Sender {
  readonly #draining = new Map<string, { again: boolean }>()
  readonly #wakers = new Set<() => void>()
  /** Messages whose image was gone once. */
  readonly #missing = new Set<string>()
  #stopped = false

  constructor(private readonly parts: SenderParts) {}

  /** Sends whatever is to be sent, to one peer or to all; nothing while there is no connection. */
  async drain(peer?: string): Promise<void> {
    if (this.#stopped || !this.parts.connection.isOpen) return
    const peers = peer !== undefined ? [peer] : await this.#peers()
    await Promise.all(peers.map((one) => this.#drainRoom(one)))
  }

  /** Whoever waits before another attempt waits no longer. */
  wake(): void {
    for (const wake of this.#wakers) wake()
  }

  stop(): void {
    this.#stopped = true
    this.wake()
  }

  /** To whom something is to be sent. */
  async #peers(): Promise<string[]> {
    const all = await this.parts.outbox.all(this.parts.user).catch((): Queued[] => [])
    return [...new Set(all.filter(({ status }) => status === 'queued').map((entry) => entry.peer))]
  }

  async #drainRoom(peer: string): Promise<void> {
    const running = this.#draining.get(peer)
    if (running !== undefined) {
      running.again = true
      return
    }
    const drain = { again: true }
    this.#draining.set(peer, drain)
    try {
      for (let tries = 0; drain.again && !this.#stopped; tries += 1) {
        drain.again = false
        try {
          await this.parts.tabs.alone(`room:${peer}`, () => this.#sendAll(peer))
        } catch {
          // The outbox does not answer; perhaps that of another tab does.
          drain.again = this.parts.connection.isOpen
          await this.#wait(tries)
        }
      }
    } finally {
      this.#draining.delete(peer)
    }
  }

  async #sendAll(peer: string): Promise<void> {
    for (let tries = 0; !this.#stopped && this.parts.connection.isOpen; ) {
      const next = await this.parts.outbox.next(this.parts.user, peer)
      if (next === undefined) return
      // From here on it may have been sent, whatever becomes of this page.
      const isFirst = next.unattempted === true
      const entry = isFirst ? await this.parts.outbox.begin(next.id) : next
      if (entry === undefined) continue
      tries = (await this.#sendOne(entry, tries, isFirst)) ? 0 : tries + 1
    }
  }

  /** Returns whether the message is done with. `isFirst`: it is known that nobody has tried to send it before. */
  async #sendOne(queued: Queued, tries: number, isFirst: boolean): Promise<boolean> {
    const { id } = queued
    const slow = () => {
      this.parts.tell({ type: 'waiting', id, reason: 'unanswered' })
      this.parts.connection.check()
    }
    const { outcome, entry } = await this.parts.delivery.attempt(queued, slow)
    switch (outcome.kind) {
      case 'lost':
        // On a connection that lives it is sent again at once, and still waits for the same.
        if (!this.parts.connection.isOpen) this.parts.tell({ type: 'waiting', id, reason: undefined })
        return false
      case 'gone':
        return true
      case 'imageLost':
        return this.#fail(entry, 'imageLost')
      case 'sent':
        this.parts.tell({ type: 'sent', acknowledged: { sent: outcome.sent, entry } })
        return this.#remove(entry, outcome.sent.timestamp)
      case 'refused':
        if (isFirst && outcome.error.code === 'resyncNeeded') return this.#moved(entry)
        return this.#refused(entry, outcome.error, tries)
    }
  }

  async #refused(entry: Queued, { code, retryable }: Refusal, tries: number): Promise<boolean> {
    if (code === 'badRequest' && entry.after !== null && entry.after !== EPOCH) {
      const again = await this.#isForgotten(entry)
      if (again !== 'no') return again === 'yes'
    }
    if (code === 'attachmentMissing' && entry.kind === 'image' && !this.#missing.has(entry.id)) {
      // The image was too old, and deleted. That is certain, so it may be uploaded again.
      this.#missing.add(entry.id)
      await this.parts.outbox.update(entry.id, { image: withoutUpload(entry).image })
      this.parts.tell({ type: 'outboxChanged' })
      return false
    }
    // What is not there need not be deleted.
    if (code === 'notFound' && entry.kind === 'delete') return this.#remove(entry)
    if (!retryable) return this.#fail(entry, code)
    this.parts.tell({ type: 'waiting', id: entry.id, reason: code })
    if (code === 'resyncNeeded') return this.#resync(entry)
    if (code === 'unknownConnection') this.parts.connection.renew()
    else if (code !== 'authExpired' || !(await this.parts.connection.reauth())) await this.#wait(tries)
    this.parts.tell({ type: 'waiting', id: entry.id, reason: undefined })
    return false
  }

  async #fail({ id }: Queued, reason: PendingReason): Promise<true> {
    await this.parts.outbox.update(id, { status: 'failed', reason })
    this.parts.tell({ type: 'outboxChanged' })
    return true
  }

  async #remove({ id }: Queued, timestamp?: string): Promise<true> {
    await this.parts.outbox.remove(id, timestamp)
    this.parts.tell({ type: 'outboxChanged' })
    return true
  }

  /**
   * Whether a message was refused because the server no longer has what was known when it was written. Then it is of now: `after`
   * moves back, which is always safe, so this ends.
   */
  async #isForgotten({ id, peer, after }: Queued): Promise<'yes' | 'no' | 'unknown'> {
    try {
      const newest = await newestTimestamp(this.parts.rest, peer)
      if (newest >= (after ?? EPOCH)) return 'no'
      await this.parts.outbox.update(id, { after: newest })
      this.parts.tell({ type: 'forgotten', peer })
      return 'yes'
    } catch {
      await this.#wait(1)
      return 'unknown'
    }
  }

  /** What was refused at its first attempt is nowhere, so there is nothing to look for: it is of now. */
  async #moved({ id }: Queued): Promise<false> {
    await this.parts.outbox.update(id, { after: null })
    this.parts.tell({ type: 'outboxChanged' })
    return false
  }

  /** So much was written since that the server does not search it: looks itself, all the way. */
  async #resync(entry: Queued): Promise<boolean> {
    try {
      const { message, searchedTo } = await findStored(this.parts.rest, this.parts.user, entry)
      if (message !== undefined) {
        const { timestamp, seq, roomId } = message
        const sent = { clientMessageId: entry.id, roomId, timestamp, seq, duplicate: true }
        // Of a change it is not told what became of the message.
        this.parts.tell(isChange(entry) ? { type: 'sent', acknowledged: { sent, entry } } : { type: 'message', message })
        return await this.#remove(entry, timestamp)
      }
      if (searchedTo === null) return await this.#fail(entry, 'cleared')
      await this.parts.outbox.update(entry.id, { after: searchedTo })
    } catch {
      await this.#wait(1)
    }
    this.parts.tell({ type: 'waiting', id: entry.id, reason: undefined })
    return false
  }

  /** Waits longer each time, unless the connection ends meanwhile. */
  async #wait(tries: number): Promise<void> {
    const longest = Math.min(WAIT_MIN_MS * 2 ** tries, WAIT_MAX_MS)
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        this.#wakers.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, longest * (0.5 + Math.random() / 2))
      this.#wakers.add(wake)
    })
  }
}
