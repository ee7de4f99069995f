// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { onQuiet } from '@/components/useIdle'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function chat() {
  const listeners = new Set<() => void>()
  return {
    subscribe(listener: () => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    change() {
      for (const listener of [...listeners]) listener()
    },
    listeners,
  }
}

describe('getting ready for a time without a network', () => {
  test('waits until nothing was sent or came for a while, and nobody typed', () => {
    const client = chat()
    const run = vi.fn()
    onQuiet(client, run)
    for (const happens of [() => client.change(), () => document.dispatchEvent(new KeyboardEvent('keydown'))]) {
      vi.advanceTimersByTime(1_900)
      happens()
    }
    vi.advanceTimersByTime(1_900)
    expect(run).not.toHaveBeenCalled()
    vi.advanceTimersByTime(100)
    expect(run).toHaveBeenCalledOnce()
    client.change()
    vi.advanceTimersByTime(60_000)
    expect(run).toHaveBeenCalledOnce()
    expect(client.listeners.size).toBe(0)
  })

  test('does not wait for ever', () => {
    const client = chat()
    const run = vi.fn()
    onQuiet(client, run)
    for (let ms = 0; ms < 29_000; ms += 1_000) {
      client.change()
      vi.advanceTimersByTime(1_000)
    }
    expect(run).not.toHaveBeenCalled()
    client.change()
    vi.advanceTimersByTime(1_000)
    expect(run).toHaveBeenCalledOnce()
  })

  test('is called off', () => {
    const client = chat()
    const run = vi.fn()
    onQuiet(client, run)()
    client.change()
    vi.advanceTimersByTime(60_000)
    expect(run).not.toHaveBeenCalled()
    expect(client.listeners.size).toBe(0)
  })
})
