import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import { isDiscardable, type Pending } from './state'

/** Keeps what is to be sent until it is acknowledged or discarded. The order of adding is the order of sending. */
export interface Outbox {
  /** Resolves once it is kept, with the bytes of its image if it has one. */
  add(user: string, entry: Pending, bytes?: Uint8Array<ArrayBuffer>): Promise<void>
  /** All of a user's, oldest first. */
  all(user: string): Promise<Pending[]>
  /** The oldest of a user's to a peer that is still to be sent. */
  next(user: string, peer: string): Promise<Pending | undefined>
  /** The bytes of an image; nothing when this device no longer has them. */
  bytes(id: string): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** Changes what is still there; whether it is. */
  update(id: string, change: Partial<Omit<Pending, 'id' | 'peer' | 'text'>>): Promise<boolean>
  remove(id: string): Promise<void>
  /** Removes it unless it may have been sent; whether it did. */
  discard(id: string): Promise<boolean>
}

type Stored = Pending & { user: string; order?: number }

interface Schema extends DBSchema {
  outbox: { key: number; value: Stored; indexes: { user: string; id: string } }
  /** Apart from the messages, which are read often. */
  images: { key: string; value: Uint8Array<ArrayBuffer> }
}

const STORES = ['outbox', 'images'] as const

/** An outbox in IndexedDB, shared by all tabs of the origin. */
export class IndexedDbOutbox implements Outbox {
  readonly #database: Promise<IDBPDatabase<Schema>>

  constructor(name = 'chat') {
    this.#database = openDB<Schema>(name, 2, {
      upgrade(database, version) {
        if (version < 1) {
          const store = database.createObjectStore('outbox', { keyPath: 'order', autoIncrement: true })
          store.createIndex('user', 'user')
          store.createIndex('id', 'id', { unique: true })
        }
        database.createObjectStore('images')
      },
      // A newer page must not wait for this one.
      blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
    })
  }

  async add(user: string, entry: Pending, bytes?: Uint8Array<ArrayBuffer>): Promise<void> {
    // Strict: on the disk before it resolves, or a power cut takes what the page shows as queued.
    const transaction = (await this.#database).transaction(STORES, 'readwrite', { durability: 'strict' })
    await Promise.all([
      transaction.objectStore('outbox').add({ ...entry, user }),
      bytes === undefined ? undefined : transaction.objectStore('images').put(bytes, entry.id),
      transaction.done,
    ])
  }

  async all(user: string): Promise<Pending[]> {
    return (await (await this.#database).getAllFromIndex('outbox', 'user', user)).map(pending)
  }

  async next(user: string, peer: string): Promise<Pending | undefined> {
    return (await this.all(user)).find((entry) => entry.peer === peer && entry.status === 'queued')
  }

  async bytes(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return (await this.#database).get('images', id)
  }

  async update(id: string, change: Partial<Pending>): Promise<boolean> {
    const transaction = (await this.#database).transaction('outbox', 'readwrite')
    const found = await transaction.store.index('id').get(id)
    if (found !== undefined) await transaction.store.put({ ...found, ...change })
    await transaction.done
    return found !== undefined
  }

  async remove(id: string): Promise<void> {
    await this.#remove(id, () => true)
  }

  discard(id: string): Promise<boolean> {
    return this.#remove(id, isDiscardable)
  }

  async #remove(id: string, may: (entry: Stored) => boolean): Promise<boolean> {
    const transaction = (await this.#database).transaction(STORES, 'readwrite')
    const messages = transaction.objectStore('outbox')
    const key = await messages.index('id').getKey(id)
    const found = key === undefined ? undefined : await messages.get(key)
    const removed = key !== undefined && found !== undefined && may(found)
    if (removed) await Promise.all([messages.delete(key), transaction.objectStore('images').delete(id)])
    await transaction.done
    return removed
  }
}

/** An outbox that ends with the page: where IndexedDB is refused (private windows of some browsers), and in tests. */
export class MemoryOutbox implements Outbox {
  #entries: Stored[] = []
  readonly #images = new Map<string, Uint8Array<ArrayBuffer>>()

  async add(user: string, entry: Pending, bytes?: Uint8Array<ArrayBuffer>): Promise<void> {
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

  async update(id: string, change: Partial<Pending>): Promise<boolean> {
    this.#entries = this.#entries.map((entry) => (entry.id === id ? { ...entry, ...change } : entry))
    return this.#entries.some((entry) => entry.id === id)
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

function pending({ user: _user, order: _order, ...entry }: Stored): Pending {
  return entry
}
