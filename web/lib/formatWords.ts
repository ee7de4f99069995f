// Times that stand among words, apart from those that every conversation shows: not every visit loads them.
import { formatter } from './format'
import type { Locale } from './locale'

/** When a match begins: `2026년 12월 5일 (토) 오후 2:00` */
export function formatMatch(locale: Locale, at: number): string {
  const options = { year: 'numeric', month: 'short', day: 'numeric', weekday: 'short', hour: 'numeric', minute: '2-digit' } as const
  return formatter(locale, 'match', options).format(at)
}

/** The time in copied text: `2026. 11. 24. 오후 3:04` */
export function formatStamp(locale: Locale, at: number): string {
  return formatter(locale, 'stamp', { dateStyle: 'medium', timeStyle: 'short' }).format(at)
}
