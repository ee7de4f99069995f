// What the outbox needs of IndexedDB, by promises.

/** What a request finds. */
export function answerOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(request.error))
  })
}

/** Resolves when all that was asked for within a transaction is kept. Whoever has given up does not hear that it was not. */
export function endOf(transaction: IDBTransaction): Promise<void> {
  const ended = new Promise<void>((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve())
    transaction.addEventListener('abort', () => reject(transaction.error ?? new DOMException('', 'AbortError')))
  })
  ended.catch(() => {})
  return ended
}

/** Opens a database. `blocking`: another page, or whoever clears the site's data, waits until it is closed. */
export async function openDatabase(
  name: string,
  version: number,
  upgrade: (database: IDBDatabase, before: number) => void,
  blocking: () => void,
): Promise<IDBDatabase> {
  const request = indexedDB.open(name, version)
  request.addEventListener('upgradeneeded', ({ oldVersion }) => upgrade(request.result, oldVersion))
  const database = await answerOf(request)
  database.addEventListener('versionchange', blocking)
  return database
}
