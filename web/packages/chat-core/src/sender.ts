import type { Outbox } from './outbox'
import { EPOCH, frameOf, type Pending, type PendingReason, withoutUpload } from './pending'
import { ChatError, type Rest } from './rest'
import type { Acknowledged } from './state'
import type { Tabs } from './tabs'
import type { Transport } from './transport'
import type { Uploader } from './upload'
import type { ErrorBody, MessageBody, ProposalBody, SentFrame } from './wire'

/** What became of one attempt. `lost`: nobody knows. */
type Outcome =
  | { kind: 'sent'; sent: SentFrame }
  | { kind: 'refused'; error: Pick<ErrorBody, 'code' | 'retryable'> }
  | { kind: 'lost' }
  /** It was discarded meanwhile. */
  | { kind: 'gone' }
  | { kind: 'imageLost' }

/** What the sender needs, and whom it tells. */
export interface SenderContext {
  readonly user: string
  readonly outbox: Outbox
  readonly tabs: Tabs
  readonly rest: Pick<Rest, 'history' | 'propose'>
  readonly uploader: Pick<Uploader, 'upload'>
  readonly transport: Pick<Transport, 'isOpen' | 'send' | 'check' | 'renew'>
  /** Extends the connection's authentication; whether it worked. */
  reauth(): Promise<boolean>
  acknowledged(acknowledged: Acknowledged): void
  /** Found in the room instead of acknowledged. */
  found(message: MessageBody): void
  /** The server has lost what it had of the conversation. */
  forgotten(peer: string): void
  waiting(id: string, reason: PendingReason | undefined): void
  /** The outbox changed otherwise. */
  changed(): void
}

/** Longer than API Gateway lets a handler run (29 s): whoever answers later does not answer. */
const ANSWER_WITHIN_MS = 35_000
const WAIT_MIN_MS = 1_000
const WAIT_MAX_MS = 30_000

/**
 * Empties the outbox: one message at a time per room, in one tab at a time, the same id again until it is answered. Frames of one
 * connection are handled concurrently, so a second message may only leave when the first one is acknowledged.
 */
export class Sender {
  readonly #answers = new Map<string, (outcome: Outcome) => void>()
  readonly #draining = new Map<string, { again: boolean }>()
  readonly #wakers = new Set<() => void>()
  /** Messages whose image was gone once. */
  readonly #missing = new Set<string>()
  #stopped = false

  constructor(private readonly context: SenderContext) {}

  /** Sends whatever is to be sent, to one peer or to all; nothing while there is no connection. */
  async drain(peer?: string): Promise<void> {
    if (this.#stopped || !this.context.transport.isOpen) return
    const peers = peer !== undefined ? [peer] : await this.#peers()
    await Promise.all(peers.map((one) => this.#drainRoom(one)))
  }

  /** To whom something is to be sent. */
  async #peers(): Promise<string[]> {
    const all = await this.context.outbox.all(this.context.user).catch((): Pending[] => [])
    return [...new Set(all.filter(({ status }) => status === 'queued').map((entry) => entry.peer))]
  }

  sent(sent: SentFrame): void {
    this.#answers.get(sent.clientMessageId)?.({ kind: 'sent', sent })
  }

  refused(error: ErrorBody): void {
    if (error.clientMessageId !== undefined) this.#answers.get(error.clientMessageId)?.({ kind: 'refused', error })
  }

  /** Nothing that is on its way will be answered. */
  lost(): void {
    for (const answer of this.#answers.values()) answer({ kind: 'lost' })
    for (const wake of this.#wakers) wake()
  }

  /** Something on its way failed, and it is not said what: the same again harms nothing. */
  gatewayFailed(): void {
    const error = { code: 'unavailable', retryable: true } as const
    for (const answer of this.#answers.values()) answer({ kind: 'refused', error })
  }

  stop(): void {
    this.#stopped = true
    this.lost()
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
          await this.context.tabs.alone(`room:${peer}`, () => this.#sendAll(peer))
        } catch {
          // The outbox does not answer; perhaps that of another tab does.
          drain.again = this.context.transport.isOpen
          await this.#wait(tries)
        }
      }
    } finally {
      this.#draining.delete(peer)
    }
  }

  async #sendAll(peer: string): Promise<void> {
    for (let tries = 0; !this.#stopped && this.context.transport.isOpen; ) {
      const entry = await this.context.outbox.next(this.context.user, peer)
      if (entry === undefined) return
      tries = (await this.#sendOne(entry, tries)) ? 0 : tries + 1
    }
  }

  /** Whether the message is done with. */
  async #sendOne(queued: Pending, tries: number): Promise<boolean> {
    const { outcome, entry } = await this.#uploadAndAttempt(queued)
    if (outcome.kind === 'lost') return false
    if (outcome.kind === 'gone') return true
    if (outcome.kind === 'imageLost') {
      await this.context.outbox.update(entry.id, { status: 'failed', reason: 'imageLost' })
      this.context.changed()
      return true
    }
    if (outcome.kind === 'sent') {
      this.context.acknowledged({ sent: outcome.sent, entry })
      await this.context.outbox.remove(entry.id)
      this.context.changed()
      return true
    }
    const { code, retryable } = outcome.error
    if (code === 'badRequest' && entry.after !== null && entry.after !== EPOCH) {
      const again = await this.#isForgotten(entry)
      if (again !== 'no') return again === 'yes'
    }
    if (code === 'attachmentMissing' && entry.kind === 'image' && !this.#missing.has(entry.id)) {
      // Too old, and deleted. That is certain, so it may be uploaded again.
      this.#missing.add(entry.id)
      await this.context.outbox.update(entry.id, { image: withoutUpload(entry).image })
      this.context.changed()
      return false
    }
    if (!retryable) {
      await this.context.outbox.update(entry.id, { status: 'failed', reason: code })
      this.context.changed()
      return true
    }
    this.context.waiting(entry.id, code)
    if (code === 'resyncNeeded') return this.#resync(entry)
    if (code === 'unknownConnection') this.context.transport.renew()
    else if (code !== 'authExpired' || !(await this.context.reauth())) await this.#wait(tries)
    this.context.waiting(entry.id, undefined)
    return false
  }

  async #uploadAndAttempt(queued: Pending): Promise<{ outcome: Outcome; entry: Pending }> {
    if (queued.kind !== 'image' || queued.image.uploaded) return { outcome: await this.#attempt(queued), entry: queued }
    const uploaded = await this.context.uploader.upload(queued)
    if (uploaded.kind === 'lost') return { outcome: { kind: 'imageLost' }, entry: queued }
    if (uploaded.kind !== 'uploaded') return { outcome: uploaded, entry: queued }
    this.context.changed()
    const entry = { ...queued, image: uploaded.image }
    return { outcome: await this.#attempt(entry), entry }
  }

  async #attempt(entry: Pending): Promise<Outcome> {
    let { after } = entry
    if (after === null) {
      // Written before anything was known of the conversation. It was never attempted, so any moment will do.
      try {
        after = (await this.context.rest.history(entry.peer, { limit: '1' })).messages[0]?.timestamp ?? EPOCH
      } catch (error) {
        return { kind: 'refused', error: asRefusal(error) }
      }
      await this.context.outbox.update(entry.id, { after })
      this.context.changed()
    }
    if (entry.kind === 'matchProposal') return this.#propose(entry, entry.proposal, after)
    const answer = new Promise<Outcome>((resolve) => this.#answers.set(entry.id, resolve))
    const late = setTimeout(() => {
      this.context.transport.check()
      this.#answers.get(entry.id)?.({ kind: 'lost' })
    }, ANSWER_WITHIN_MS)
    try {
      const frame = frameOf(entry, after)
      return this.context.transport.send(frame) ? await answer : { kind: 'lost' }
    } finally {
      clearTimeout(late)
      this.#answers.delete(entry.id)
    }
  }

  async #propose(entry: Pending, proposal: ProposalBody, after: string): Promise<Outcome> {
    try {
      const sent = await this.context.rest.propose({ receiverEmail: entry.peer, clientMessageId: entry.id, after, proposal })
      return { kind: 'sent', sent }
    } catch (error) {
      return { kind: 'refused', error: asRefusal(error) }
    }
  }

  /**
   * Whether a message was refused because the server no longer has what was known when it was written. Then it is of now: `after`
   * moves back, which is always safe, so this ends.
   */
  async #isForgotten(entry: Pending): Promise<'yes' | 'no' | 'unknown'> {
    try {
      const after = (await this.context.rest.history(entry.peer, { limit: '1' })).messages[0]?.timestamp ?? EPOCH
      if (after >= (entry.after ?? EPOCH)) return 'no'
      await this.context.outbox.update(entry.id, { after })
      this.context.forgotten(entry.peer)
      return 'yes'
    } catch {
      await this.#wait(1)
      return 'unknown'
    }
  }

  /** So much was written since that the server does not search it: looks itself, all the way. */
  async #resync(entry: Pending): Promise<boolean> {
    let after = entry.after ?? EPOCH
    try {
      for (;;) {
        const page = await this.context.rest.history(entry.peer, { after })
        const message = page.messages.find(
          ({ clientMessageId, senderEmail }) => clientMessageId === entry.id && senderEmail === this.context.user,
        )
        if (message !== undefined) {
          this.context.found(message)
          await this.context.outbox.remove(entry.id)
          this.context.changed()
          return true
        }
        after = page.nextAfter ?? page.messages.at(-1)?.timestamp ?? after
        if (!page.hasMore) break
      }
      await this.context.outbox.update(entry.id, { after })
    } catch {
      await this.#wait(1)
    }
    this.context.waiting(entry.id, undefined)
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

function asRefusal(error: unknown): Pick<ErrorBody, 'code' | 'retryable'> {
  return error instanceof ChatError ? error : { code: 'unavailable', retryable: true }
}
