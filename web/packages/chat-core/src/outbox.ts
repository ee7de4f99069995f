import { answerOf, endOf, openDatabase } from './database'
import {
  isDiscardable,
  isPostponable,
  isSendable,
  type Kindless,
  type PendingImage,
  placed,
  type Queued,
  requeued,
  reworded,
  type SendState,
  waitsFor,
  withKind,
} from './pending'

/** A newer version of the page has taken over what is kept in this browser: only loading the page again helps. */
export class Outdated extends Error {
  override name = 'Outdated'
}

/** What changes of something on its way. */
export type QueuedUpdate = Partial<
  SendState & { readonly image: PendingImage; readonly createdAt: number; readonly target: string }
>

/** Keeps what is to be sent until it is acknowledged or discarded. The order of adding is the order of sending. */
export interface Outbox {
  /** Whether what it holds outlives the page. */
  readonly lasts: boolean
  /**
   * Resolves once the entry is kept, and the bytes of its image if it has one. Adding an entry again does nothing. In a page of an
   * earlier version it rejects with {@link Outdated}.
   */
  add(user: string, entry: Queued, bytes?: Uint8Array<ArrayBuffer>): Promise<void>
  /** All of a user's, oldest first. */
  all(user: string): Promise<Queued[]>
  /** The oldest of a user's to a peer that can be sent now. */
  next(user: string, peer: string): Promise<Queued | undefined>
  /** The bytes of an image; nothing when this device no longer has them. */
  bytes(id: string): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** Changes what is still there; whether it is. */
  update(id: string, change: QueuedUpdate): Promise<boolean>
  /** Notes that somebody begins to send it; what is there to be sent, if it still is. */
  begin(id: string): Promise<Queued | undefined>
  /** Gives a message other words, and queues it again if it was refused; nothing if it may have been sent. */
  reword(id: string, text: string): Promise<Queued | undefined>
  /** Queues again what was refused; nothing unless it was, and still is. */
  requeue(id: string): Promise<Queued | undefined>
  /** Moves an image that is still to be uploaded behind everything else; whether it did. */
  postpone(id: string): Promise<boolean>
  /** Removes what was stored; a message at `timestamp`, by which the changes that wait for it can be sent. */
  remove(id: string, timestamp?: string): Promise<void>
  /** Removes it unless it may have been sent, and the changes that wait for it; whether it did. */
  discard(id: string): Promise<boolean>
}

type Stored = Queued & { user: string; order?: number }
/** A row as it may lie there. */
type Row = Stored | Kindless<Stored>

/**
 * 3: changes of messages wait there too; 4: messages of an application's own kinds. A page that does not know them must not send what it
 * takes them for.
 */
const VERSION = 4

/** Messages, and apart from them, since they are read often, the bytes of images. */
const STORES = ['outbox', 'images']

/** What a browser says when it has closed the connection: site data cleared, its database process gone, the same in Safari. */
const CLOSED = ['InvalidStateError', 'AbortError', 'UnknownError']

/**
 * A database that is there opens within milliseconds, but on a device that is busy it takes seconds, and a page that does not wait for it
 * leaves what it holds unsent. One may never open: what holds it neither ends nor fails.
 */
const OPEN_WITHIN_MS = 10_000
/** How long the database may take to keep an entry: on a slow disk, one with an image takes that long. */
const ANSWER_WITHIN_MS = 30_000

/** An outbox in IndexedDB, shared by all tabs of the origin. */
export class IndexedDbOutbox implements Outbox {
  readonly lasts = true
  #database: Promise<IDBDatabase> | null = null
  /** What was last seen, by id. A browser may take the database away under an open page; these are kept again. */
  readonly #seen = new Map<string, Stored>()

  constructor(private readonly name = 'chat') {}

  async add(user: string, entry: Queued, bytes?: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#use(async (database) => {
      // Strict: on the disk before it resolves, or a power cut takes what the page shows as queued.
      const transaction = database.transaction(STORES, 'readwrite', { durability: 'strict' })
      const kept = endOf(transaction)
      const messages = transaction.objectStore('outbox')
      // An earlier attempt may have been kept unheard.
      if ((await keyOf(messages, entry.id)) !== undefined) return
      const added = messages.add({ ...entry, user })
      if (bytes !== undefined) transaction.objectStore('images').put(bytes, entry.id)
      await kept
      this.#seen.set(entry.id, { ...entry, user, order: added.result as number })
    })
  }

  async all(user: string): Promise<Queued[]> {
    const rows = await this.#use((database) =>
      answerOf<Row[]>(database.transaction('outbox').objectStore('outbox').index('user').getAll(user)),
    )
    const found = rows.map(withKind)
    for (const one of this.#seen.values()) if (one.user === user) this.#seen.delete(one.id)
    for (const one of found) this.#seen.set(one.id, one)
    return found.map(pending)
  }

  async next(user: string, peer: string): Promise<Queued | undefined> {
    return nextOf(await this.all(user), peer)
  }

  async bytes(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#use((database) => answerOf(database.transaction('images').objectStore('images').get(id)))
  }

  async update(id: string, change: QueuedUpdate): Promise<boolean> {
    return (await this.#change(id, (found) => changedBy(found, change))) !== undefined
  }

  async begin(id: string): Promise<Queued | undefined> {
    const begun = await this.#change(id, (found) => ({ ...found, unattempted: false }))
    return begun && pending(begun)
  }

  async reword(id: string, text: string): Promise<Queued | undefined> {
    const changed = await this.#change(id, (found) => reworded(found, text))
    return changed && pending(changed)
  }

  async requeue(id: string): Promise<Queued | undefined> {
    const changed = await this.#change(id, (found) => (found.status === 'failed' ? requeued(found) : undefined))
    return changed && pending(changed)
  }

  async postpone(id: string): Promise<boolean> {
    return this.#use(async (database) => {
      const transaction = database.transaction('outbox', 'readwrite')
      const kept = endOf(transaction)
      const messages = transaction.objectStore('outbox')
      const entry = await find(messages, id)
      if (entry?.order === undefined || !isPostponable(entry)) return false
      const { order, ...rest } = entry
      messages.delete(order)
      const added = messages.add(rest)
      await kept
      this.#seen.set(id, { ...rest, order: added.result as number })
      return true
    })
  }

  async remove(id: string, timestamp?: string): Promise<void> {
    await this.#remove(id, () => true, timestamp)
  }

  discard(id: string): Promise<boolean> {
    return this.#remove(id, (entry) => isDiscardable(entry))
  }

  async #change(id: string, change: (entry: Stored) => Stored | undefined): Promise<Stored | undefined> {
    return this.#use(async (database) => {
      const transaction = database.transaction('outbox', 'readwrite')
      const kept = endOf(transaction)
      const messages = transaction.objectStore('outbox')
      const found = await find(messages, id)
      const changed = found && change(found)
      if (changed !== undefined) messages.put(changed)
      await kept
      if (changed !== undefined) this.#seen.set(id, changed)
      return changed
    })
  }

  async #remove(id: string, may: (entry: Stored) => boolean, timestamp?: string): Promise<boolean> {
    return this.#use(async (database) => {
      const transaction = database.transaction(STORES, 'readwrite')
      const kept = endOf(transaction)
      const messages = transaction.objectStore('outbox')
      const found = await find(messages, id)
      const removed = found?.order !== undefined && may(found)
      const gone = removed ? [id] : []
      if (removed) {
        messages.delete(found.order as number)
        transaction.objectStore('images').delete(id)
        const rows = await answerOf<Row[]>(messages.index('user').getAll(found.user))
        for (const waiting of rows.map(withKind).filter((row) => waitsFor(row, id))) {
          if (timestamp !== undefined) messages.put(placed(waiting, timestamp))
          else {
            messages.delete(waiting.order as number)
            gone.push(waiting.id)
          }
        }
      }
      await kept
      for (const one of gone) this.#seen.delete(one)
      return removed
    })
  }

  /** Works on the database; with a new connection when the browser has closed the one there was. */
  async #use<T>(work: (database: IDBDatabase) => Promise<T>): Promise<T> {
    const opened = this.#open()
    try {
      return await within(ANSWER_WITHIN_MS, work(await opened))
    } catch (error) {
      if (error instanceof Unanswered) this.#forget(opened)
      if (!(error instanceof DOMException && CLOSED.includes(error.name))) throw error
      this.#forget(opened)
      return within(ANSWER_WITHIN_MS, work(await this.#open()))
    }
  }

  /** Resolves when the database has opened, however long that takes. */
  async opened(): Promise<void> {
    await this.#open(null)
  }

  /** `limitMs`: how long to wait for it, if there is a limit. */
  #open(limitMs: number | null = OPEN_WITHIN_MS): Promise<IDBDatabase> {
    if (this.#database !== null) return this.#database
    let isLate = false
    const upgrade = (database: IDBDatabase, before: number) => {
      if (before < 1) {
        const store = database.createObjectStore('outbox', { keyPath: 'order', autoIncrement: true })
        store.createIndex('user', 'user')
        store.createIndex('id', 'id', { unique: true })
      }
      if (before < 2) database.createObjectStore('images')
    }
    // Neither a newer page nor whoever clears the site's data must wait for this one.
    const opening = openDatabase(this.name, VERSION, upgrade, () => this.#forget(opened))
    opening.then(
      (database) => isLate && database.close(),
      () => {},
    )
    const opened = (limitMs === null ? opening : within(limitMs, opening))
      .then((database) => this.#keepAgain(database))
      .catch((error: unknown) => {
        isLate = true
        this.#forget(opened)
        throw error instanceof DOMException && error.name === 'VersionError' ? new Outdated(error.message) : error
      })
    this.#database = opened
    return opened
  }

  /** Another tab may have made the database anew, and not have seen all that this one has. What was sent meanwhile is stored once. */
  async #keepAgain(database: IDBDatabase): Promise<IDBDatabase> {
    if (this.#seen.size === 0) return database
    try {
      const transaction = database.transaction('outbox', 'readwrite', { durability: 'strict' })
      const kept = endOf(transaction)
      const messages = transaction.objectStore('outbox')
      let taken = false
      for (const { order, ...entry } of this.#seen.values()) {
        if ((await keyOf(messages, entry.id)) !== undefined) continue
        // Whatever follows one that has to go to the end goes there too, in its order.
        taken ||= order === undefined || (await answerOf(messages.getKey(order))) !== undefined
        messages.put(taken ? entry : { ...entry, order })
      }
      await kept
      return database
    } catch (error) {
      database.close()
      throw error
    }
  }

  #forget(opened: Promise<IDBDatabase>): void {
    if (this.#database === opened) this.#database = null
    opened.then(
      (database) => database.close(),
      () => {},
    )
  }
}

/** An outbox that ends with the page: where IndexedDB is refused (private windows of some browsers), and in tests. */
export class MemoryOutbox implements Outbox {
  readonly lasts: boolean = false
  #entries: Stored[] = []
  readonly #images = new Map<string, Uint8Array<ArrayBuffer>>()

  /** All that it holds, of whomever, oldest first. */
  held(): readonly Stored[] {
    return this.#entries
  }

  async add(user: string, entry: Queued, bytes?: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#entries.some(({ id }) => id === entry.id)) return
    this.#entries.push({ ...entry, user })
    if (bytes !== undefined) this.#images.set(entry.id, bytes)
  }

  async all(user: string): Promise<Queued[]> {
    return this.#entries.filter((entry) => entry.user === user).map(pending)
  }

  async next(user: string, peer: string): Promise<Queued | undefined> {
    return nextOf(await this.all(user), peer)
  }

  async bytes(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#images.get(id)
  }

  async update(id: string, change: QueuedUpdate): Promise<boolean> {
    this.#entries = this.#entries.map((entry) => (entry.id === id ? changedBy(entry, change) : entry))
    return this.#entries.some((entry) => entry.id === id)
  }

  async begin(id: string): Promise<Queued | undefined> {
    return this.#change(id, (found) => ({ ...found, unattempted: false }))
  }

  async reword(id: string, text: string): Promise<Queued | undefined> {
    return this.#change(id, (found) => reworded(found, text))
  }

  async requeue(id: string): Promise<Queued | undefined> {
    return this.#change(id, (found) => (found.status === 'failed' ? requeued(found) : undefined))
  }

  #change(id: string, change: (entry: Stored) => Stored | undefined): Queued | undefined {
    const found = this.#entries.find((entry) => entry.id === id)
    const changed = found && change(found)
    if (changed === undefined) return undefined
    this.#entries = this.#entries.map((entry) => (entry === found ? changed : entry))
    return pending(changed)
  }

  async postpone(id: string): Promise<boolean> {
    const found = this.#entries.find((entry) => entry.id === id)
    if (found === undefined || !isPostponable(found)) return false
    this.#entries = [...this.#entries.filter((entry) => entry !== found), found]
    return true
  }

  async remove(id: string, timestamp?: string): Promise<void> {
    this.#entries = this.#entries.flatMap((entry): Stored[] => {
      if (entry.id === id) return []
      if (!waitsFor(entry, id)) return [entry]
      return timestamp === undefined ? [] : [placed(entry, timestamp)]
    })
    this.#images.delete(id)
  }

  async discard(id: string): Promise<boolean> {
    const found = this.#entries.find((entry) => entry.id === id)
    if (found === undefined || !isDiscardable(found)) return false
    await this.remove(id)
    return true
  }
}

/** The browser has not answered. */
class Unanswered extends Error {
  override name = 'Unanswered'
}

/** The same, or {@link Unanswered} after so long. */
function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout>
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unanswered(`nothing within ${limitMs} ms`)), limitMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/**
 * An outbox in memory, until the database opens after all. Then what is in it moves there, behind what an earlier page has left, and
 * `moved` is called.
 */
class LateOutbox implements Outbox {
  #now: Promise<Outbox>
  lasts = false

  constructor(database: IndexedDbOutbox, moved: () => void) {
    const memory = new MemoryOutbox()
    this.#now = Promise.resolve(memory)
    database.opened().then(
      () => {
        this.#now = this.#move(memory, database, moved)
      },
      () => {},
    )
  }

  async #move(memory: MemoryOutbox, database: IndexedDbOutbox, moved: () => void): Promise<Outbox> {
    // Whoever was about to use what is in memory does so first.
    await new Promise((resolve) => setTimeout(resolve))
    try {
      for (const { user, order: _, ...entry } of memory.held())
        await database.add(user, entry as Queued, await memory.bytes(entry.id))
    } catch {
      return memory
    }
    this.lasts = true
    // They find what they look for in the database.
    setTimeout(moved)
    return database
  }

  async add(user: string, entry: Queued, bytes?: Uint8Array<ArrayBuffer>): Promise<void> {
    return (await this.#now).add(user, entry, bytes)
  }

  async all(user: string): Promise<Queued[]> {
    return (await this.#now).all(user)
  }

  async next(user: string, peer: string): Promise<Queued | undefined> {
    return (await this.#now).next(user, peer)
  }

  async bytes(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return (await this.#now).bytes(id)
  }

  async update(id: string, change: QueuedUpdate): Promise<boolean> {
    return (await this.#now).update(id, change)
  }

  async begin(id: string): Promise<Queued | undefined> {
    return (await this.#now).begin(id)
  }

  async reword(id: string, text: string): Promise<Queued | undefined> {
    return (await this.#now).reword(id, text)
  }

  async requeue(id: string): Promise<Queued | undefined> {
    return (await this.#now).requeue(id)
  }

  async postpone(id: string): Promise<boolean> {
    return (await this.#now).postpone(id)
  }

  async remove(id: string, timestamp?: string): Promise<void> {
    return (await this.#now).remove(id, timestamp)
  }

  async discard(id: string): Promise<boolean> {
    return (await this.#now).discard(id)
  }
}

/** The best outbox that this browser allows. `moved`: from now on it lasts, and may hold what an earlier page has left. */
export async function openOutbox(moved: () => void = () => {}): Promise<Outbox> {
  const database = new IndexedDbOutbox()
  try {
    await database.all('')
    return database
  } catch (error) {
    return error instanceof Unanswered ? new LateOutbox(database, moved) : new MemoryOutbox()
  }
}

/** The first one to a peer that can be sent now. */
const nextOf = (all: readonly Queued[], peer: string): Queued | undefined => {
  const now = Date.now()
  return all.find((entry) => entry.peer === peer && isSendable(entry, now))
}

/** Where a message lies. */
const keyOf = (messages: IDBObjectStore, id: string): Promise<IDBValidKey | undefined> => answerOf(messages.index('id').getKey(id))

async function find(messages: IDBObjectStore, id: string): Promise<Stored | undefined> {
  const found = await answerOf<Row | undefined>(messages.index('id').get(id))
  return found && withKind(found)
}

function changedBy(entry: Stored, change: QueuedUpdate): Stored {
  return { ...entry, ...change } as Stored
}

function pending({ user: _user, order: _order, ...entry }: Stored): Queued {
  return entry as Queued
}
