import { newId } from './id'
import { type Outbox, Outdated, openOutbox } from './outbox'
import { type Content, EPOCH, isDiscardable, isPostponable, type Pending } from './pending'
import type { Sender } from './sender'
import { newestKnown } from './state'
import type { Store } from './store'
import type { Tabs } from './tabs'
import type { Uploader } from './upload'

type Bytes = Uint8Array<ArrayBuffer>

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
  readonly #unkept = new Map<string, { entry: Pending; bytes: Bytes | undefined }>()

  constructor(
    private readonly store: Store,
    private readonly tabs: Pick<Tabs, 'tell'>,
    outbox: Outbox | undefined,
    start: (outbox: Outbox) => Senders,
  ) {
    this.#ready = this.#prepare(outbox, start)
  }

  /** Queues a message: it has its id and `after` from now on. Resolves once it is kept, or shown as what could not be kept. */
  async queue(peer: string, content: Content, bytes?: Bytes): Promise<void> {
    const entry: Pending = {
      id: newId(),
      peer,
      ...content,
      after: newestKnown(this.store.room(peer)),
      createdAt: Date.now(),
      status: 'queued',
    }
    await this.#write(entry, bytes)
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

  /** How many messages have not been sent: `kept` in this browser, or `lost` with this client. */
  unsent(): { kept: number; lost: number } {
    const { length } = this.store.state.pending
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
    const outbox = given ?? (await openOutbox())
    this.#lasts = outbox.lasts
    this.store.dispatch({ type: 'keeps', keeps: outbox.lasts })
    const senders = start(outbox)
    this.#senders = senders
    if (this.store.closed) senders.sender.stop()
    await this.#load(outbox)
    void senders.sender.drain()
    return { ...senders, outbox }
  }

  async #write(entry: Pending, bytes: Bytes | undefined): Promise<void> {
    this.#show(entry, bytes)
    const { outbox, sender } = await this.#ready
    try {
      await outbox.add(this.store.me, entry, bytes)
    } catch (error) {
      if (!this.#unkept.has(entry.id)) return
      // It stays in this page, to be tried again by hand. If it was kept unheard, another tab may have sent it by then.
      const reason = error instanceof Outdated ? 'outdated' : 'notKept'
      this.#show({ ...entry, status: 'failed', reason, after: entry.after ?? EPOCH }, bytes)
      return
    }
    // Unless it was discarded meanwhile.
    if (!this.#unkept.delete(entry.id)) await outbox.discard(entry.id)
    // What was read of the outbox meanwhile may be without it.
    void this.changed()
    void sender.drain(entry.peer)
  }

  #show(entry: Pending, bytes: Bytes | undefined): void {
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
  }
}
