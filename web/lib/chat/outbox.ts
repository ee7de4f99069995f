import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import type { Pending } from './state'

/** Keeps what is to be sent until it is acknowledged or discarded. The order of adding is the order of sending. */
export interface Outbox {
  /** Resolves once it is kept. */
  add(user: string, entry: Pending): Promise<void>
  /** All of a user's, oldest first. */
  all(user: string): Promise<Pending[]>
  /** The oldest of a user's to a peer that is still to be sent. */
  next(user: string, peer: string): Promise<Pending | undefined>
  /** Changes what is still there; nothing when it is not. */
  update(id: string, change: Partial<Omit<Pending, 'id' | 'peer' | 'text'>>): Promise<void>
  remove(id: string): Promise<void>
}

type Stored = Pending & { user: string; order?: number }

interface Schema extends DBSchema {
  outbox: { key: number; value: Stored; indexes: { user: string; id: string } }
}

/** An outbox in IndexedDB, shared by all tabs of the origin. */
export class IndexedDbOutbox implements Outbox {
  readonly #database: Promise<IDBPDatabase<Schema>>

  constructor(name = 'chat') {
    this.#database = openDB<Schema>(name, 1, {
      upgrade(database) {
        const store = database.createObjectStore('outbox', { keyPath: 'order', autoIncrement: true })
        store.createIndex('user', 'user')
        store.createIndex('id', 'id', { unique: true })
      },
    })
  }

  async add(user: string, entry: Pending): Promise<void> {
    // Strict: on the disk before it resolves, or a power cut takes what the page shows as queued.
    const transaction = (await this.#database).transaction('outbox', 'readwrite', { durability: 'strict' })
    await Promise.all([transaction.store.add({ ...entry, user }), transaction.done])
  }

  async all(user: string): Promise<Pending[]> {
    return (await (await this.#database).getAllFromIndex('outbox', 'user', user)).map(pending)
  }

  async next(user: string, peer: string): Promise<Pending | undefined> {
    return (await this.all(user)).find((entry) => entry.peer === peer && entry.status === 'queued')
  }

  async update(id: string, change: Partial<Pending>): Promise<void> {
    const transaction = (await this.#database).transaction('outbox', 'readwrite')
    const found = await transaction.store.index('id').get(id)
    if (found !== undefined) await transaction.store.put({ ...found, ...change })
    await transaction.done
  }

  async remove(id: string): Promise<void> {
    const transaction = (await this.#database).transaction('outbox', 'readwrite')
    const key = await transaction.store.index('id').getKey(id)
    if (key !== undefined) await transaction.store.delete(key)
    await transaction.done
  }
}

/** An outbox that ends with the page: where IndexedDB is refused (private windows of some browsers), and in tests. */
export class MemoryOutbox implements Outbox {
  #entries: Stored[] = []

  async add(user: string, entry: Pending): Promise<void> {
    this.#entries.push({ ...entry, user })
  }

  async all(user: string): Promise<Pending[]> {
    return this.#entries.filter((entry) => entry.user === user).map(pending)
  }

  async next(user: string, peer: string): Promise<Pending | undefined> {
    return (await this.all(user)).find((entry) => entry.peer === peer && entry.status === 'queued')
  }

  async update(id: string, change: Partial<Pending>): Promise<void> {
    this.#entries = this.#entries.map((entry) => (entry.id === id ? { ...entry, ...change } : entry))
  }

  async remove(id: string): Promise<void> {
    this.#entries = this.#entries.filter((entry) => entry.id !== id)
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
