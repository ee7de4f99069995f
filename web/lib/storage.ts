/** What a browser remembers, if it does: private windows and strict settings refuse storage by throwing, and nothing here needs it. */
export interface Memory {
  get(key: string): string | null
  /** Forgets it when the value is `null`. */
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
        // It is forgotten.
      }
    },
  }
}

/** Shared by all tabs, kept when they are closed. */
export const browserMemory = memory(() => localStorage)

/** A tab's own. */
export const tabMemory = memory(() => sessionStorage)
