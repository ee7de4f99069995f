import type { TabMessage, Tabs } from 'chat-core'

/** Tabs of one browser, without a browser. */
export function browser() {
  const listeners = new Set<(message: TabMessage) => void>()
  const queues = new Map<string, Promise<void>>()
  return (listener: (message: TabMessage) => void): Tabs => {
    listeners.add(listener)
    let closed = false
    return {
      tell: (message) => {
        for (const one of listeners) if (one !== listener) queueMicrotask(() => one(message))
      },
      alone: (name, work) => {
        const turn = (queues.get(name) ?? Promise.resolve()).then(() => (closed ? undefined : work()))
        queues.set(
          name,
          turn.catch(() => {}),
        )
        return turn
      },
      close: () => {
        closed = true
        listeners.delete(listener)
      },
    }
  }
}
