import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchClock } from '../src/browserEvents'

const MINUTE_MS = 60_000
/** What both clocks of the browser show. */
let wall: number
let steady: number
let woke: number
let stop: () => void

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('document', { visibilityState: 'visible' })
  wall = Date.UTC(2026, 10, 24)
  steady = woke = 0
  vi.spyOn(Date, 'now').mockImplementation(() => wall)
  vi.spyOn(performance, 'now').mockImplementation(() => steady)
  stop = watchClock(() => {
    woke += 1
  })
})
afterEach(() => {
  stop()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

/** So much passes by each clock until the timer fires once more. */
function passes(wallMs: number, steadyMs = wallMs): void {
  wall += wallMs
  steady += steadyMs
  vi.advanceTimersByTime(5_000)
}

test('time that goes on is no jump, be it a little late', () => {
  for (const late of [0, 10, 2_000, 10_000]) passes(5_000 + late)
  vi.stubGlobal('document', { visibilityState: 'hidden' })
  // Timers of a hidden page run once a minute.
  for (let minute = 0; minute < 10; minute += 1) passes(MINUTE_MS)
  expect(woke).toBe(0)
})

test.each<[string, number, number]>([
  ['a sleep in which the steady clock stood still', 5 * MINUTE_MS, 5_000],
  ['a sleep in which it went on', 5 * MINUTE_MS, 5 * MINUTE_MS],
  ['a clock that was set ahead', 120 * MINUTE_MS, 5_000],
  ['a clock that was set back', -120 * MINUTE_MS, 5_000],
])('%s is one', (_, wallMs, steadyMs) => {
  passes(5_000)
  passes(wallMs, steadyMs)
  expect(woke).toBe(1)
  passes(5_000)
  expect(woke).toBe(1)
})
