import { peerOf } from './address'
import type { Announcements } from './announcements'
import { entryOf, isEntry } from './changes'
import { EPOCH } from './pending'
import type { ChatEvent } from './reducer'
import type { Rest } from './rest'
import { type Detached, hasHole, isCleared, type Room, syncFrom } from './state'
import type { Store } from './store'
import type { Timers } from './timers'
import type { ChangedFrame, HistoryBody, MessageBody } from './wire'

/** A hole is often just one push that overtook another one. */
const HOLE_PATIENCE_MS = 200
/** After how long a sync that failed is tried again, while it is known that something is missing. */
const TRY_AGAIN_MS = 5_000
/** Pages of one sync; whoever is further behind begins again from the newest page. */
const SYNC_PAGES_MAX = 10

/** Keeps conversations in step with the server: loads what is missing of them, and takes what arrives. */
export class RoomSync {
  readonly #running = new Map<string, { again: boolean; done: Promise<void> }>()
  /** How often a message was sought. */
  #seeks = 0

  constructor(
    private readonly store: Store,
    private readonly rest: Pick<Rest, 'history'>,
    private readonly announcements: Announcements,
    private readonly timers: Timers,
    /** Hears of each request that failed. */
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Loads what is missing of a conversation, one sync at a time. */
  sync(peer: string): Promise<void> {
    const running = this.#running.get(peer)
    if (running !== undefined) {
      running.again = true
      return running.done
    }
    const sync = { again: false, done: Promise.resolve() }
    this.#running.set(peer, sync)
    sync.done = this.#run(peer, sync)
    return sync.done
  }

  /** Loads the conversations that are behind; `listed` are the addresses of all that there are, if they are known. */
  async syncBehind(listed: ReadonlySet<string> | null): Promise<void> {
    // The list lags a little, so what it lacks need not be gone: the conversation itself tells.
    const isDoubtful = (room: Room) => listed !== null && room.last !== null && !isCleared(room) && !listed.has(room.peer)
    const rooms = Object.values(this.store.state.rooms)
    const behind = rooms.filter((room) => room.anchor !== null && (hasHole(room) || isDoubtful(room)))
    await Promise.all(behind.map(({ peer }) => this.sync(peer)))
  }

  /** Loads the page before what is loaded where the reader is. */
  async loadOlder(peer: string): Promise<void> {
    const room = this.store.room(peer)
    if (room?.detached != null) return this.#loadDetached(peer, room.detached, 'older')
    const oldest = room?.messages[0]
    if (room === undefined || oldest === undefined || room.anchor === null) return
    if (room.older === 'loading' || room.older === 'none') return
    this.store.dispatch({ type: 'olderLoading', peer })
    const askedAt = Date.now()
    try {
      const page = await this.rest.history(peer, { before: oldest.timestamp })
      this.store.dispatch({ type: 'page', peer, page, range: 'older', askedAt })
    } catch (error) {
      this.store.dispatch({ type: 'olderFailed', peer })
      this.failed(error)
    }
  }

  /** Loads the page after what is loaded where the reader was led to. */
  async loadNewer(peer: string): Promise<void> {
    const detached = this.store.room(peer)?.detached
    if (detached != null) await this.#loadDetached(peer, detached, 'newer')
  }

  async #loadDetached(peer: string, { messages, ...ends }: Detached, end: 'older' | 'newer'): Promise<void> {
    const message = messages.at(end === 'older' ? 0 : -1)
    if (message === undefined || ends[end] === 'loading' || ends[end] === 'none') return
    this.store.dispatch({ type: 'detachedEnd', peer, end, status: 'loading' })
    const { timestamp } = message
    try {
      const page = await this.rest.history(peer, end === 'older' ? { before: timestamp } : { after: timestamp })
      // What is there now is not what it follows on, if the reader was led elsewhere.
      if (this.store.room(peer)?.detached?.messages.at(end === 'older' ? 0 : -1)?.timestamp !== timestamp) return
      this.store.dispatch({ type: 'detachedPage', peer, page, range: end })
    } catch (error) {
      this.store.dispatch({ type: 'detachedEnd', peer, end, status: 'failed' })
      this.failed(error)
    }
  }

  /**
   * Leads the reader to a message, which is loaded with its neighbourhood if it is not there. What the reader was led to before is
   * forgotten.
   */
  async seek(peer: string, timestamp: string): Promise<'there' | 'gone' | 'failed'> {
    this.#seeks += 1
    const seek = this.#seeks
    const room = this.store.room(peer)
    const isIn = ({ messages }: Pick<Room, 'messages'>) => messages.some((one) => one.timestamp === timestamp && !isEntry(one))
    if (room === undefined || room.anchor === null) return 'failed'
    if (room.detached !== null && isIn(room.detached)) return 'there'
    if (isIn(room)) {
      this.store.dispatch({ type: 'attached', peer })
      return 'there'
    }
    try {
      const page = await this.rest.history(peer, { around: timestamp })
      if (!isIn(page)) return 'gone'
      // Only where was asked for last.
      if (seek === this.#seeks) this.store.dispatch({ type: 'detachedPage', peer, page, range: 'around' })
      return 'there'
    } catch (error) {
      this.failed(error)
      return 'failed'
    }
  }

  /** Takes a message that arrived live. */
  arrived(message: MessageBody): void {
    const peer = peerOf(message.roomId, this.store.me)
    if (peer === null) return
    this.take({ type: 'message', message }, peer)
    this.announcements.announce(peer, [message])
  }

  /** Takes a change that arrived live. */
  changed(frame: ChangedFrame): void {
    const peer = peerOf(frame.roomId, this.store.me)
    if (peer === null) return
    this.take({ type: 'changed', frame }, peer)
    this.announcements.announce(peer, [entryOf(frame)])
  }

  /** Takes what was stored; then looks for a hole, and loads the conversation if it could not be loaded before. */
  take(event: ChatEvent, peer: string): void {
    this.store.dispatch(event)
    const room = this.store.room(peer)
    if (room?.status === 'failed' || room?.request === 'unknown') void this.sync(peer)
    this.#mendWithin(peer, HOLE_PATIENCE_MS)
  }

  /** Resolves when it is known whether a conversation is a request, as far as that can be found out. */
  async known(peer: string): Promise<void> {
    if (this.store.room(peer)?.request === 'unknown') await this.sync(peer)
  }

  /** Syncs if something is known to be missing, and still is after a while. */
  #mendWithin(peer: string, ms: number): void {
    const timer = `hole:${peer}`
    if (!this.#isTorn(peer) || this.timers.has(timer)) return
    this.timers.set(timer, ms, () => {
      if (this.#isTorn(peer)) void this.sync(peer)
    })
  }

  #isTorn(peer: string): boolean {
    const room = this.store.room(peer)
    return room !== undefined && room.anchor !== null && hasHole(room)
  }

  async #run(peer: string, sync: { again: boolean }): Promise<void> {
    try {
      do {
        sync.again = false
        await this.#catchUp(peer)
      } while (sync.again && !this.store.closed)
    } catch (error) {
      this.store.dispatch({ type: 'openFailed', peer })
      this.failed(error)
      // Without a connection there is nothing to try: the next one syncs.
      if (this.store.state.connection === 'online' && !this.store.closed) this.#mendWithin(peer, TRY_AGAIN_MS)
    } finally {
      this.#running.delete(peer)
    }
  }

  async #catchUp(peer: string): Promise<void> {
    this.store.dispatch({ type: 'opening', peer })
    const room = this.store.room(peer)
    let after = room === undefined ? null : syncFrom(room)
    for (let pages = 0; ; pages += 1) {
      if (after === null || pages === SYNC_PAGES_MAX) {
        after = await this.#loadNewest(peer)
        pages = 0
      }
      const held = this.store.room(peer)?.messages ?? []
      const askedAt = Date.now()
      const page = await this.rest.history(peer, { after })
      if (lacks(page, held, after)) {
        // Which loads it again.
        this.store.dispatch({ type: 'forgotten', peer })
        return
      }
      this.store.dispatch({ type: 'page', peer, page, range: 'after', askedAt })
      this.announcements.announce(peer, page.messages)
      if (!page.hasMore || this.store.closed) return
      after = page.nextAfter ?? page.messages.at(-1)?.timestamp ?? null
    }
  }

  /** Loads the newest page. It may be a moment old; what follows the timestamp that is returned is not. */
  async #loadNewest(peer: string): Promise<string> {
    const askedAt = Date.now()
    const page = await this.rest.history(peer)
    this.store.dispatch({ type: 'page', peer, page, range: 'newest', askedAt })
    this.announcements.skipTo(peer, page.messages[0]?.seq ?? 0)
    return page.messages[0]?.timestamp ?? EPOCH
  }
}

/** Whether a page, which is strongly consistent, is without something that was held before it was asked for. */
function lacks(page: HistoryBody, held: readonly MessageBody[], after: string): boolean {
  const end = page.hasMore ? (page.messages.at(-1)?.timestamp ?? after) : null
  const found = new Set(page.messages.map(({ timestamp }) => timestamp))
  for (let index = held.length - 1; index >= 0; index -= 1) {
    const { timestamp } = held[index] as MessageBody
    // What was cleared on another device is not lost.
    if (timestamp <= after || timestamp <= (page.clearedTo ?? '')) return false
    if ((end === null || timestamp <= end) && !found.has(timestamp)) return true
  }
  return false
}
