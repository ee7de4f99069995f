import type { Acknowledged } from './state'
import type { ReadFrame } from './wire'

/** What tabs of one user tell each other. */
export type TabMessage =
  /** The outbox has changed. */
  { type: 'outbox' } | { type: 'sent'; acknowledged: Acknowledged } | { type: 'read'; frame: ReadFrame }

/** The other tabs of the same user. */
export interface Tabs {
  tell(message: TabMessage): void
  /** Runs `work` while no other tab does work of the same name. */
  alone(name: string, work: () => Promise<void>): Promise<void>
  close(): void
}

/** Tabs by BroadcastChannel and Web Locks. A lock of a tab that is closed or killed is free at once. */
export class BrowserTabs implements Tabs {
  readonly #channel: BroadcastChannel
  readonly #closed = new AbortController()

  constructor(
    private readonly user: string,
    listener: (message: TabMessage) => void,
  ) {
    this.#channel = new BroadcastChannel(`chat:${user}`)
    this.#channel.onmessage = ({ data }) => listener(data as TabMessage)
  }

  tell(message: TabMessage): void {
    this.#channel.postMessage(message)
  }

  async alone(name: string, work: () => Promise<void>): Promise<void> {
    // Only secure contexts have locks; without them two tabs may send the same message, which the server stores once.
    if (typeof navigator === 'undefined' || navigator.locks === undefined) return work()
    try {
      await navigator.locks.request(`chat:${this.user}:${name}`, { signal: this.#closed.signal }, work)
    } catch (error) {
      if (!this.#closed.signal.aborted) throw error
    }
  }

  close(): void {
    this.#closed.abort()
    this.#channel.close()
  }
}

/** No other tabs. */
export class NoTabs implements Tabs {
  tell(): void {}

  async alone(_name: string, work: () => Promise<void>): Promise<void> {
    await work()
  }

  close(): void {}
}
