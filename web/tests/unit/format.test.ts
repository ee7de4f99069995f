import { describe, expect, test } from 'vitest'
import { dayOf, formatDay, formatListTime } from '@/lib/format'

const at = (day: number, hour = 12) => new Date(2026, 10, day, hour).getTime()
const now = at(29, 0)

describe('a day', () => {
  test.each([
    ['today', 29, '오늘', 'Today'],
    ['yesterday', 28, '어제', 'Yesterday'],
    ['earlier', 27, '2026년 11월 27일 금요일', 'Friday, November 27, 2026'],
    ['tomorrow, by another clock', 30, '2026년 11월 30일 월요일', 'Monday, November 30, 2026'],
  ])('%s', (_, day, ko, en) => {
    expect([formatDay('ko', at(day), now), formatDay('en', at(day), now)]).toEqual([ko, en])
  })

  test('begins and ends at midnight', () => {
    expect(formatDay('ko', at(28, 23), at(29, 23))).toBe('어제')
    expect(formatDay('ko', at(28, 0), at(29, 0))).toBe('어제')
    expect(formatDay('ko', at(1, 0), new Date(2026, 9, 31).getTime())).not.toBe('어제')
    expect(formatDay('ko', new Date(2025, 11, 31).getTime(), new Date(2026, 0, 1).getTime())).toBe('어제')
  })

  test('in a list has the hour today, and its name yesterday', () => {
    expect(formatListTime('ko', at(29, 15), at(29, 16))).toMatch(/(오후|PM) 3:00/)
    expect(formatListTime('en', at(28, 15), now)).toBe('Yesterday')
    expect(formatListTime('en', at(27, 15), now)).toBe('Nov 27')
  })

  test('is where the reader is', () => {
    for (const hour of [0, 8, 23]) expect(dayOf(at(29, hour))).toBe('2026-11-29')
  })
})
