import { withKind } from './pending'
import type { Acknowledged } from './state'
import type { ReadFrame } from './wire'

/** What tabs of one user tell each other. */
export type TabMessage =
  /** The outbox has changed. */
  | { type: 'outbox' }
  /** An image is not to be uploaded now: it was discarded, or is to wait. */
  | { type: 'stopped'; id: string }
  | { type: 'sent'; acknowledged: Acknowledged }
  | { type: 'read'; frame: ReadFrame }

/** The other tabs of the same user. */
export interface Tabs {
  tell(message: TabMessage): void
  /**
   * Runs `work` while no other tab does work of the same name, as far as the browser can tell. It saves work; that a message is
   * stored once does not hang on it.
   */
  alone(name: string, work: () => Promise<void>): Promise<void>
  close(): void
}

/** Tabs by BroadcastChannel and Web Locks. A lock of a tab that is closed, killed or frozen is free at once. */
export class BrowserTabs implements Tabs {
  readonly #channel: BroadcastChannel
  readonly #closed = new AbortController()

  constructor(
    private readonly user: string,
    listener: (message: TabMessage) => void,
  ) {
    this.#channel = new BroadcastChannel(`chat:${user}`)
    this.#channel.onmessage = ({ data }) => listener(read(data as TabMessage))
  }

  tell(message: TabMessage): void {
    if (!this.#closed.signal.aborted) this.#channel.postMessage(message)
  }

  async alone(name: string, work: () => Promise<void>): Promise<void> {
    // Only secure contexts have locks; without them two tabs may send the same message, which the server stores once.
    if (typeof navigator === 'undefined' || navigator.locks === undefined) return work()
    let running: Promise<void> | undefined
    const begin = () => {
      running = work()
      return untilFrozen(running)
    }
    try {
      await navigator.locks.request(`chat:${this.user}:${name}`, { signal: this.#closed.signal }, begin)
    } catch {
      // Locks may be refused, as where a browser keeps nothing for a site.
      if (running === undefined && !this.#closed.signal.aborted) running = work()
    }
    await running
  }

  close(): void {
    this.#closed.abort()
    this.#channel.close()
  }
}

function read(message: TabMessage): TabMessage {
  if (message.type !== 'sent') return message
  const { sent, entry } = message.acknowledged
  return { type: 'sent', acknowledged: { sent, entry: withKind(entry) } }
}

/** A frozen tab does nothing, so it must hold nothing. What it was about to do it does when it thaws: the server stores it once. */
async function untilFrozen(work: Promise<void>): Promise<void> {
  const over = new AbortController()
  const frozen = new Promise<void>((resolve) => {
    document.addEventListener('freeze', () => resolve(), { signal: over.signal })
  })
  try {
    await Promise.race([work, frozen])
  } finally {
    over.abort()
  }
}

/** The other tabs, if the browser tells of them. */
export function openTabs(user: string, listener: (message: TabMessage) => void): Tabs {
  try {
    return new BrowserTabs(user, listener)
  } catch {
    // An old browser has no channel, and one that keeps nothing for a site may refuse it.
    return new NoTabs()
  }
}

/** Stands for other tabs where there are none: it tells nobody, and the work is always alone. */
export class NoTabs implements Tabs {
  tell(): void {}

  async alone(_name: string, work: () => Promise<void>): Promise<void> {
    await work()
  }

  close(): void {}
}
