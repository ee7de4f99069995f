import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import {
  isDiscardable,
  isPostponable,
  type Kindless,
  type Pending,
  type PendingImage,
  requeued,
  type SendState,
  withKind,
} from './pending'

/** A newer version of the page has taken over what is kept in this browser: only loading the page again helps. */
export class Outdated extends Error {
  override name = 'Outdated'
}

/** What changes of a message on its way. */
export type PendingChange = Partial<SendState & { readonly image: PendingImage; readonly createdAt: number }>

/** Keeps what is to be sent until it is acknowledged or discarded. The order of adding is the order of sending. */
export interface Outbox {
  /** Whether what it holds outlives the page. */
  readonly lasts: boolean
  /** Resolves once it is kept, with the bytes of its image if it has one; again does nothing. Rejects with {@link Outdated} in a page of before. */
  add(user: string, entry: Pending, bytes?: Uint8Array<ArrayBuffer>): Promise<void>
  /** All of a user's, oldest first. */
  all(user: string): Promise<Pending[]>
  /** The oldest of a user's to a peer that is still to be sent. */
  next(user: string, peer: string): Promise<Pending | undefined>
  /** The bytes of an image; nothing when this device no longer has them. */
  bytes(id: string): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** Changes what is still there; whether it is. */
  update(id: string, change: PendingChange): Promise<boolean>
  /** Queues again what was refused; nothing unless it was, and still is. */
  requeue(id: string): Promise<Pending | undefined>
  /** Moves an image that is still to be uploaded behind everything else; whether it did. */
  postpone(id: string): Promise<boolean>
  remove(id: string): Promise<void>
  /** Removes it unless it may have been sent; whether it did. */
  discard(id: string): Promise<boolean>
}

type Stored = Pending & { user: string; order?: number }
/** A row as it may lie there. */
type Row = Stored | Kindless<Stored>

interface Schema extends DBSchema {
  outbox: { key: number; value: Row; indexes: { user: string; id: string } }
  /** Apart from the messages, which are read often. */
  images: { key: string; value: Uint8Array<ArrayBuffer> }
}

const STORES = ['outbox', 'images'] as const

/** What a browser says when it has closed the connection: site data cleared, its database process gone, the same in Safari. */
const CLOSED = ['InvalidStateError', 'AbortError', 'UnknownError']

/** A database that is there opens within milliseconds. One may never open: what holds it neither ends nor fails. */
const OPEN_WITHIN_MS = 3_000
/** So long at the most it may take with an image, on a slow disk. */
const ANSWER_WITHIN_MS = 30_000

/** An outbox in IndexedDB, shared by all tabs of the origin. */
export class IndexedDbOutbox implements Outbox {
  readonly lasts = true
  #database: Promise<IDBPDatabase<Schema>> | null = null
  /** What was last seen, by id. A browser may take the database away under an open page; these are kept again. */
  readonly #seen = new Map<string, Stored>()

  constructor(private readonly name = 'chat') {}

  async add(user: string, entry: Pending, bytes?: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#use(async (database) => {
      // Strict: on the disk before it resolves, or a power cut takes what the page shows as queued.
      const transaction = database.transaction(STORES, 'readwrite', { durability: 'strict' })
      const messages = transaction.objectStore('outbox')
      // An earlier attempt may have been kept unheard.
      if ((await messages.index('id').getKey(entry.id)) !== undefined) return
      const [order] = await Promise.all([
        messages.add({ ...entry, user }),
        bytes === undefined ? undefined : transaction.objectStore('images').put(bytes, entry.id),
        transaction.done,
      ])
      this.#seen.set(entry.id, { ...entry, user, order })
    })
  }

  async all(user: string): Promise<Pending[]> {
    const found = (await this.#use((database) => database.getAllFromIndex('outbox', 'user', user))).map(withKind)
    for (const one of this.#seen.values()) if (one.user === user) this.#seen.delete(one.id)
    for (const one of found) this.#seen.set(one.id, one)
    return found.map(pending)
  }

  async next(user: string, peer: string): Promise<Pending | undefined> {
    return (await this.all(user)).find((entry) => entry.peer === peer && entry.status === 'queued')
  }

  async bytes(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#use((database) => database.get('images', id))
  }

  async update(id: string, change: PendingChange): Promise<boolean> {
    return (await this.#change(id, (found) => changedBy(found, change))) !== undefined
  }

  async requeue(id: string): Promise<Pending | undefined> {
    const changed = await this.#change(id, (found) => (found.status === 'failed' ? requeued(found) : undefined))
    return changed && pending(changed)
  }

  async postpone(id: string): Promise<boolean> {
    return this.#use(async (database) => {
      const transaction = database.transaction('outbox', 'readwrite')
      const found = await transaction.store.index('id').get(id)
      const entry = found && withKind(found)
      if (entry?.order === undefined || !isPostponable(entry)) return false
      const { order, ...rest } = entry
      const [, last] = await Promise.all([transaction.store.delete(order), transaction.store.add(rest), transaction.done])
      this.#seen.set(id, { ...rest, order: last })
      return true
    })
  }

  async remove(id: string): Promise<void> {
    await this.#remove(id, () => true)
  }

  discard(id: string): Promise<boolean> {
    return this.#remove(id, isDiscardable)
  }

  async #change(id: string, change: (entry: Stored) => Stored | undefined): Promise<Stored | undefined> {
    return this.#use(async (database) => {
      const transaction = database.transaction('outbox', 'readwrite')
      const found = await transaction.store.index('id').get(id)
      const changed = found && change(withKind(found))
      if (changed !== undefined) await transaction.store.put(changed)
      await transaction.done
      if (changed !== undefined) this.#seen.set(id, changed)
      return changed
    })
  }

  async #remove(id: string, may: (entry: Stored) => boolean): Promise<boolean> {
    return this.#use(async (database) => {
      const transaction = database.transaction(STORES, 'readwrite')
      const messages = transaction.objectStore('outbox')
      const key = await messages.index('id').getKey(id)
      const found = key === undefined ? undefined : await messages.get(key)
      const removed = key !== undefined && found !== undefined && may(withKind(found))
      if (removed) await Promise.all([messages.delete(key), transaction.objectStore('images').delete(id)])
      await transaction.done
      if (removed) this.#seen.delete(id)
      return removed
    })
  }

  /** Works on the database; with a new connection when the browser has closed the one there was. */
  async #use<T>(work: (database: IDBPDatabase<Schema>) => Promise<T>): Promise<T> {
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

  #open(): Promise<IDBPDatabase<Schema>> {
    if (this.#database !== null) return this.#database
    let isLate = false
    const opening = openDB<Schema>(this.name, 2, {
      upgrade: (database, version) => {
        if (version < 1) {
          const store = database.createObjectStore('outbox', { keyPath: 'order', autoIncrement: true })
          store.createIndex('user', 'user')
          store.createIndex('id', 'id', { unique: true })
        }
        database.createObjectStore('images')
      },
      // Neither a newer page nor whoever clears the site's data must wait for this one.
      blocking: () => this.#forget(opened),
    })
    opening.then(
      (database) => isLate && database.close(),
      () => {},
    )
    const opened = within(OPEN_WITHIN_MS, opening)
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
  async #keepAgain(database: IDBPDatabase<Schema>): Promise<IDBPDatabase<Schema>> {
    if (this.#seen.size === 0) return database
    try {
      const transaction = database.transaction('outbox', 'readwrite', { durability: 'strict' })
      const { store } = transaction
      let taken = false
      for (const { order, ...entry } of this.#seen.values()) {
        if ((await store.index('id').getKey(entry.id)) !== undefined) continue
        // Whatever follows one that has to go to the end goes there too, in its order.
        taken ||= order === undefined || (await store.getKey(order)) !== undefined
        await store.put(taken ? entry : { ...entry, order })
      }
      await transaction.done
      return database
    } catch (error) {
      database.close()
      throw error
    }
  }

  #forget(opened: Promise<IDBPDatabase<Schema>>): void {
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

  async add(user: string, entry: Pending, bytes?: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#entries.some(({ id }) => id === entry.id)) return
    this.#entries.push({ ...entry, user })
    if (bytes !== undefined) this.#images.set(entry.id, bytes)
  }

  async all(user: string): Promise<Pending[]> {
    return this.#entries.filter((entry) => entry.user === user).map(pending)
  }

  async next(user: string, peer: string): Promise<Pending | undefined> {
    return (await this.all(user)).find((entry) => entry.peer === peer && entry.status === 'queued')
  }

  async bytes(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#images.get(id)
  }

  async update(id: string, change: PendingChange): Promise<boolean> {
    this.#entries = this.#entries.map((entry) => (entry.id === id ? changedBy(entry, change) : entry))
    return this.#entries.some((entry) => entry.id === id)
  }

  async requeue(id: string): Promise<Pending | undefined> {
    const found = this.#entries.find((entry) => entry.id === id && entry.status === 'failed')
    if (found === undefined) return undefined
    const changed = requeued(found)
    this.#entries = this.#entries.map((entry) => (entry === found ? changed : entry))
    return pending(changed)
  }

  async postpone(id: string): Promise<boolean> {
    const found = this.#entries.find((entry) => entry.id === id)
    if (found === undefined || !isPostponable(found)) return false
    this.#entries = [...this.#entries.filter((entry) => entry !== found), found]
    return true
  }

  async remove(id: string): Promise<void> {
    this.#entries = this.#entries.filter((entry) => entry.id !== id)
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

/** The best outbox that this browser allows. */
export async function openOutbox(): Promise<Outbox> {
  try {
    const outbox = new IndexedDbOutbox()
    await outbox.all('')
    return outbox
  } catch {
    return new MemoryOutbox()
  }
}

function changedBy(entry: Stored, change: PendingChange): Stored {
  return { ...entry, ...change } as Stored
}

function pending({ user: _user, order: _order, ...entry }: Stored): Pending {
  return entry as Pending
}
