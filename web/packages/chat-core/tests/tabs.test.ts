import { BrowserTabs, NoTabs, openTabs } from 'chat-core'
import { MINJI } from 'chat-core/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

/** The locks of one browser. */
class Locks {
  readonly #queues = new Map<string, Promise<unknown>>()
  refuse = false

  request = (name: string, { signal }: { signal: AbortSignal }, work: () => Promise<void>): Promise<void> => {
    if (this.refuse) return Promise.reject(new DOMException('denied', 'SecurityError'))
    const turn = (this.#queues.get(name) ?? Promise.resolve()).then(() => {
      signal.throwIfAborted()
      return work()
    })
    this.#queues.set(
      name,
      turn.catch(() => {}),
    )
    return turn
  }
}

let locks: Locks
const made: BrowserTabs[] = []
function tab(): BrowserTabs {
  const tabs = new BrowserTabs(MINJI, () => {})
  made.push(tabs)
  return tabs
}
const turns = () => new Promise((resolve) => setTimeout(resolve))

beforeEach(() => {
  locks = new Locks()
  vi.stubGlobal('navigator', { locks })
  vi.stubGlobal('document', new EventTarget())
})
afterEach(() => {
  for (const tabs of made.splice(0)) tabs.close()
  vi.unstubAllGlobals()
})

describe('tabs', () => {
  test('take turns', async () => {
    const done: string[] = []
    const work = (name: string) => async () => {
      done.push(`${name} begins`)
      await turns()
      done.push(`${name} ends`)
    }
    await Promise.all([tab().alone('room', work('one')), tab().alone('room', work('two'))])
    expect(done).toEqual(['one begins', 'one ends', 'two begins', 'two ends'])
  })

  test('do not wait for one that is frozen, which goes on when it thaws', async () => {
    let thaw = () => {}
    const [frozen, other] = [tab(), tab()]
    let over = false
    const first = frozen.alone('room', () => new Promise<void>((resolve) => (thaw = resolve))).then(() => (over = true))
    await turns()
    const work = vi.fn(async () => {})
    const second = other.alone('room', work)
    await turns()
    expect(work).not.toHaveBeenCalled()
    document.dispatchEvent(new Event('freeze'))
    await second
    expect(work).toHaveBeenCalledOnce()
    expect(over).toBe(false)
    thaw()
    await first
  })

  test('work without locks where these are refused', async () => {
    locks.refuse = true
    const work = vi.fn(async () => {})
    await tab().alone('room', work)
    expect(work).toHaveBeenCalledOnce()
  })

  test('hand on what fails, and do not do it twice', async () => {
    const work = vi.fn(() => Promise.reject(new Error('the outbox is gone')))
    await expect(tab().alone('room', work)).rejects.toThrow('the outbox is gone')
    expect(work).toHaveBeenCalledOnce()
  })

  test('that are closed do nothing more, and say nothing', async () => {
    let end = () => {}
    const [holds, closed] = [tab(), tab()]
    const first = holds.alone('room', () => new Promise<void>((resolve) => (end = resolve)))
    const work = vi.fn(async () => {})
    const second = closed.alone('room', work)
    closed.close()
    await turns()
    end()
    await Promise.all([first, second])
    expect(work).not.toHaveBeenCalled()
    closed.tell({ type: 'outbox' })
  })
})

test.each(['refused', 'unknown'])('a channel that is %s leaves a tab alone', (how) => {
  const refused = class {
    constructor() {
      throw new DOMException('The operation is insecure.', 'SecurityError')
    }
  }
  vi.stubGlobal('BroadcastChannel', how === 'refused' ? refused : undefined)
  expect(openTabs(MINJI, () => {})).toBeInstanceOf(NoTabs)
})
