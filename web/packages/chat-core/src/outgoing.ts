import { newId } from './id'
import { type Outbox, Outdated, openOutbox } from './outbox'
import {
  afterOf,
  type Change,
  type Content,
  EPOCH,
  heldMs,
  isChange,
  isDiscardable,
  isPostponable,
  type PendingChange,
  placed,
  type Queued,
  reworded,
  waitsFor,
} from './pending'
import type { Sender } from './sender'
import { newestKnown } from './state'
import type { Store } from './store'
import type { Tabs } from './tabs'
import type { Timers } from './timers'
import type { Uploader } from './upload'

type Bytes = Uint8Array<ArrayBuffer>

/** Which message is meant: a stored one by its timestamp, one of ours that still waits by its id. */
export type Target = { readonly timestamp: string } | { readonly id: string }

/** What sends, once there is an outbox. */
export interface Senders {
  readonly sender: Pick<Sender, 'drain' | 'wake' | 'stop'>
  readonly uploader: Pick<Uploader, 'cancel' | 'keepOnly'>
}

/** What the user wrote, from the field until it is acknowledged: shows it, keeps it in the outbox, and has it sent. */
export class Outgoing {
  readonly #ready: Promise<Senders & { outbox: Outbox }>
  #senders: Senders | null = null
  #lasts = false
  /** By id, what was written and is not in the outbox yet, or could not be kept there. */
  readonly #unkept = new Map<string, { entry: Queued; bytes: Bytes | undefined }>()

  constructor(
    private readonly store: Store,
    private readonly tabs: Pick<Tabs, 'tell'>,
    private readonly timers: Timers,
    outbox: Outbox | undefined,
    start: (outbox: Outbox) => Senders,
  ) {
    this.#ready = this.#prepare(outbox, start)
  }

  /** Queues a message: it has its id and `after` from now on. Resolves once it is kept, or shown as what could not be kept. */
  async queue(peer: string, content: Content, { replyTo, bytes }: { replyTo?: string; bytes?: Bytes } = {}): Promise<void> {
    await this.#write({ ...this.#begun(peer), ...content, ...(replyTo === undefined ? {} : { replyTo }) }, bytes)
  }

  /**
   * Changes a message, and returns the id of the change. What waits in the outbox itself is given other words there, or taken back, if
   * nobody can have sent it; otherwise the change waits until it is sent.
   */
  change(peer: string, target: Target, change: Change, holdMs = 0): { id: string; kept: Promise<void> } {
    const begun = this.#begun(peer)
    const stored = 'timestamp' in target ? target.timestamp : this.#storedAs(peer, target.id)
    const waits = stored === undefined && 'id' in target ? { of: target.id } : {}
    const held = holdMs > 0 ? { heldUntil: begun.createdAt + holdMs } : {}
    const unplaced: PendingChange = { ...begun, ...change, target: stored ?? null, ...waits, ...held }
    const entry = { ...unplaced, after: unplaced.after && afterOf(unplaced, unplaced.after) }
    return { id: entry.id, kept: this.#change(entry) }
  }

  async #change(entry: PendingChange): Promise<void> {
    const { target, of } = entry
    const replaced = this.store.state.changes.filter(
      (other) => other.unattempted === true && other.kind === entry.kind && other.target === target && other.of === of,
    )
    if (of !== undefined && entry.heldUntil === undefined && (await this.#amend(of, entry))) return
    await this.#write(entry, undefined)
    // Of several of a kind that nobody has sent, the last one is enough.
    for (const { id } of replaced) if (id !== entry.id) await this.discard(id)
  }

  /** Whether what waits could be changed where it is, before anybody sends it. */
  async #amend(id: string, change: Change): Promise<boolean> {
    if (change.kind === 'react') return false
    const { outbox, sender } = await this.#ready
    const unkept = this.#unkept.get(id)
    if (change.kind === 'delete') {
      const isGone = unkept === undefined && (await outbox.discard(id).catch(() => false))
      if (isGone) await this.changed()
      return isGone
    }
    if (unkept !== undefined) {
      const other = reworded(unkept.entry, change.text)
      if (other === undefined || other.status !== 'queued' || unkept.entry.status !== 'failed') return false
      await this.#write(other, unkept.bytes)
      return true
    }
    const other = await outbox.reword(id, change.text).catch(() => undefined)
    if (other === undefined) return false
    await this.changed()
    void sender.drain(other.peer)
    return true
  }

  /** Where a message of ours is stored that was still waiting a moment ago. */
  #storedAs(peer: string, id: string): string | undefined {
    const { me } = this.store
    return this.store.room(peer)?.messages.find((one) => one.clientMessageId === id && one.senderEmail === me)?.timestamp
  }

  /** What all that is queued has from the beginning. */
  #begun(peer: string) {
    return {
      id: newId(),
      peer,
      after: newestKnown(this.store.room(peer)),
      createdAt: Date.now(),
      status: 'queued' as const,
      // Whoever sends it says so first.
      ...(this.store.state.connection === 'online' ? {} : { unattempted: true }),
    }
  }

  /** The bytes of an image that is still to be sent. */
  async imageBytes(id: string): Promise<Bytes | undefined> {
    return this.#unkept.get(id)?.bytes ?? (await this.#ready).outbox.bytes(id)
  }

  /** Sends a refused message again. */
  async retry(id: string): Promise<void> {
    const { outbox, sender } = await this.#ready
    const unkept = this.#unkept.get(id)
    if (unkept !== undefined) {
      if (unkept.entry.status === 'failed')
        await this.#write({ ...unkept.entry, status: 'queued', reason: undefined }, unkept.bytes)
      return
    }
    const entry = await outbox.requeue(id).catch(() => undefined)
    await this.changed()
    if (entry !== undefined) void sender.drain(entry.peer)
  }

  /** Forgets a refused message, or an image that is not uploaded yet. Whatever else is queued may have been stored already. */
  async discard(id: string): Promise<void> {
    const { outbox } = await this.#ready
    const unkept = this.#unkept.get(id)
    if (unkept !== undefined && isDiscardable(unkept.entry)) {
      this.#unkept.delete(id)
      this.store.dispatch({ type: 'unwritten', id })
      // The outbox does not know what they wait for.
      for (const change of this.store.state.changes) if (waitsFor(change, id)) await this.discard(change.id)
    }
    await outbox.discard(id).catch(() => false)
    this.#stop(id)
    await this.changed()
  }

  /** Sends what waits behind images of a conversation that are still to be uploaded before them. */
  async textsFirst(peer: string): Promise<void> {
    const { outbox, sender } = await this.#ready
    const images = this.store.state.pending.filter((entry) => entry.peer === peer && isPostponable(entry))
    for (const { id } of images) if (await outbox.postpone(id).catch(() => false)) this.#stop(id)
    await this.changed()
    void sender.drain(peer)
  }

  /** An image is not to be uploaded now. Whoever waits to try it again has something else to do. */
  stopped(id: string): void {
    this.#senders?.uploader.cancel(id)
    this.#senders?.sender.wake()
    void this.takeUp()
  }

  /** The same, here and in the tab that uploads. */
  #stop(id: string): void {
    this.#senders?.uploader.cancel(id)
    this.#senders?.sender.wake()
    this.tabs.tell({ type: 'stopped', id })
  }

  /** How many messages and changes have not been sent: `kept` in this browser, or `lost` with this client. */
  unsent(): { kept: number; lost: number } {
    const { pending, changes } = this.store.state
    const length = pending.length + changes.length
    const refused = [...this.#unkept.values()].filter(({ entry }) => entry.status === 'failed').length
    const lost = this.#lasts ? refused : length
    return { kept: length - lost, lost }
  }

  /** Shows what the outbox holds, and sends it: whichever tab wrote it may be offline, or closed. */
  async takeUp(): Promise<void> {
    const { outbox, sender } = await this.#ready
    await this.#load(outbox)
    await sender.drain()
  }

  /** The outbox holds something else now: tells the other tabs, and shows it. */
  async changed(): Promise<void> {
    this.tabs.tell({ type: 'outbox' })
    await this.#load((await this.#ready).outbox)
  }

  /** The connection ended: whoever waits before another attempt waits for the next connection instead. */
  disconnected(): void {
    this.#senders?.sender.wake()
  }

  /** Sends nothing any more. */
  stop(): void {
    this.#senders?.sender.stop()
  }

  /** Stops uploads too. What is queued stays in the outbox. */
  close(): void {
    this.#senders?.uploader.keepOnly(new Set())
    this.stop()
  }

  async #prepare(given: Outbox | undefined, start: (outbox: Outbox) => Senders): Promise<Senders & { outbox: Outbox }> {
    const outbox: Outbox = given ?? (await openOutbox(() => this.#outlasts(outbox)))
    this.#outlasts(outbox)
    const senders = start(outbox)
    this.#senders = senders
    if (this.store.closed) senders.sender.stop()
    await this.#load(outbox)
    void senders.sender.drain()
    return { ...senders, outbox }
  }

  /** Whether what is written outlives the page is known, or known anew: with it comes what an earlier page has left. */
  #outlasts(outbox: Outbox): void {
    this.#lasts = outbox.lasts
    this.store.dispatch({ type: 'keeps', keeps: outbox.lasts })
    if (this.#senders !== null) void this.takeUp()
  }

  async #write(entry: Queued, bytes: Bytes | undefined): Promise<void> {
    this.#show(entry, bytes)
    const { outbox, sender } = await this.#ready
    try {
      await outbox.add(this.store.me, entry, bytes)
    } catch (error) {
      if (!this.#unkept.has(entry.id)) return
      // It stays in this page, to be tried again by hand. If it was kept unheard, another tab may have sent it by then.
      const reason = error instanceof Outdated ? 'outdated' : 'notKept'
      this.#show({ ...entry, status: 'failed', reason, after: entry.after ?? afterOf(entry, EPOCH) }, bytes)
      return
    }
    // Unless it was discarded meanwhile.
    if (!this.#unkept.delete(entry.id)) await outbox.discard(entry.id)
    // What was read of the outbox meanwhile may be without it.
    void this.changed()
    void sender.drain(entry.peer)
  }

  #show(entry: Queued, bytes: Bytes | undefined): void {
    this.#unkept.set(entry.id, { entry, bytes })
    this.store.dispatch({ type: 'written', entry })
  }

  async #load(outbox: Outbox): Promise<void> {
    const kept = await outbox.all(this.store.me).catch(() => null)
    // Nobody knows what is there. What is shown stays.
    if (kept === null) return
    const ids = new Set(kept.map(({ id }) => id))
    const unkept = [...this.#unkept.values()].map(({ entry }) => entry)
    this.#senders?.uploader.keepOnly(ids)
    this.store.dispatch({ type: 'outbox', pending: [...kept, ...unkept.filter(({ id }) => !ids.has(id))] })
    for (const entry of kept) if (isChange(entry)) this.#await(entry, outbox, ids)
  }

  /** Has a change sent that cannot be sent at once. */
  #await(change: PendingChange, outbox: Outbox, ids: ReadonlySet<string>): void {
    const { id, peer, of, target } = change
    const drain = () => void this.#senders?.sender.drain(peer)
    const heldFor = heldMs(change, Date.now())
    if (heldFor > 0) this.timers.set(`held:${id}`, heldFor, drain)
    if (target !== null || of === undefined || ids.has(of) || this.#unkept.has(of)) return
    // What it waits for was sent before it was kept itself.
    const stored = this.#storedAs(peer, of)
    if (stored === undefined) return
    const { after } = placed(change, stored)
    outbox.update(id, { target: stored, after }).then(
      () => this.changed().then(drain),
      () => {},
    )
  }
}
