import type { Locale } from './locale'

const formatters = new Map<string, Intl.DateTimeFormat>()

function formatter(locale: Locale, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale}:${name}`
  const found = formatters.get(key) ?? new Intl.DateTimeFormat(locale, options)
  formatters.set(key, found)
  return found
}

/** `오후 3:04` */
export function formatTime(locale: Locale, at: number): string {
  return formatter(locale, 'time', { hour: 'numeric', minute: '2-digit' }).format(at)
}

/** `2026년 11월 24일 화요일` */
export function formatDay(locale: Locale, at: number): string {
  return formatter(locale, 'day', { dateStyle: 'full' }).format(at)
}

/** `2026년 11월 24일 (화) 오후 3:04:05` */
export function formatExact(locale: Locale, at: number): string {
  return formatter(locale, 'exact', { dateStyle: 'long', timeStyle: 'medium' }).format(at)
}

/** When a match begins: `2026년 12월 5일 (토) 오후 2:00` */
export function formatMatch(locale: Locale, at: number): string {
  const options = { year: 'numeric', month: 'short', day: 'numeric', weekday: 'short', hour: 'numeric', minute: '2-digit' } as const
  return formatter(locale, 'match', options).format(at)
}

/** As short as a list needs it: the time of today, the day of this year, the date of earlier ones. */
export function formatListTime(locale: Locale, at: number, now: number): string {
  if (isSameDay(at, now)) return formatTime(locale, at)
  if (new Date(at).getFullYear() === new Date(now).getFullYear())
    return formatter(locale, 'short', { month: 'short', day: 'numeric' }).format(at)
  return formatter(locale, 'date', { dateStyle: 'short' }).format(at)
}

export function isSameDay(a: number, b: number): boolean {
  const [one, other] = [new Date(a), new Date(b)]
  return one.getDate() === other.getDate() && one.getMonth() === other.getMonth() && one.getFullYear() === other.getFullYear()
}

/** The count in a badge: `99+` above 99. */
export function formatBadge(count: number): string {
  return count > 99 ? '99+' : String(count)
}

/** `43%` of 0.43. */
export function formatShare(locale: Locale, share: number): string {
  return share.toLocaleString(locale, { style: 'percent', maximumFractionDigits: 0 })
}
