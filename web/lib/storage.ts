/** Storage that may be refused: private windows and strict settings throw, and the page works without it. */
export interface Memory {
  get(key: string): string | null
  /** Stores a value; `null` removes it. */
  set(key: string, value: string | null): void
}

function memory(area: () => Storage): Memory {
  return {
    get(key) {
      try {
        return area().getItem(key)
      } catch {
        return null
      }
    },
    set(key, value) {
      try {
        if (value === null) area().removeItem(key)
        else area().setItem(key, value)
      } catch {
        // The browser refuses storage, and the page works without it.
      }
    },
  }
}

/** Shared by all tabs, kept when they are closed. */
export const browserMemory = memory(() => localStorage)

/** The browser's storage for those who ask for it as such; where it is refused, one that ends with the page. */
export function browserStorage(): Storage {
  try {
    return localStorage
  } catch {
    return new PageStorage()
  }
}

class PageStorage implements Storage {
  readonly #items = new Map<string, string>()

  get length(): number {
    return this.#items.size
  }

  key(index: number): string | null {
    return [...this.#items.keys()][index] ?? null
  }

  getItem(key: string): string | null {
    return this.#items.get(key) ?? null
  }

  setItem(key: string, value: string): void {
    this.#items.set(key, value)
  }

  removeItem(key: string): void {
    this.#items.delete(key)
  }

  clear(): void {
    this.#items.clear()
  }
}

/** The storage of one tab, which ends with the tab. */
export const tabMemory = memory(() => sessionStorage)
