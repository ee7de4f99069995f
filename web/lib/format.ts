import type { Locale } from './locale'

const formatters = new Map<string, Intl.DateTimeFormat>()

/** The reader's time zone, by what tells it from those in which the time is another. */
export const zoneNow = (): number => new Date().getTimezoneOffset()

/** A formatter keeps the time zone that it was made in. */
export function formatter(locale: Locale, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale}:${name}:${zoneNow()}`
  const found = formatters.get(key) ?? new Intl.DateTimeFormat(locale, options)
  formatters.set(key, found)
  return found
}

/** The time of a day, such as `오후 3:04`. */
export function formatTime(locale: Locale, at: number): string {
  return formatter(locale, 'time', { hour: 'numeric', minute: '2-digit' }).format(at)
}

/** `2026년 11월 24일 화요일`; of the last two days `오늘` and `어제`. */
export function formatDay(locale: Locale, at: number, now: number): string {
  const named = dayName(locale, at, now)
  return named ?? formatter(locale, 'day', { dateStyle: 'full' }).format(at)
}

/** `2026년 11월 24일 (화) 오후 3:04:05` */
export function formatExact(locale: Locale, at: number): string {
  return formatter(locale, 'exact', { dateStyle: 'long', timeStyle: 'medium' }).format(at)
}

/** `오늘` or `어제`; `null` of any other day. */
function dayName(locale: Locale, at: number, now: number): string | null {
  const yesterday = new Date(now)
  yesterday.setDate(yesterday.getDate() - 1)
  const ago = isSameDay(at, now) ? 0 : isSameDay(at, yesterday.getTime()) ? -1 : null
  if (ago === null) return null
  const name = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(ago, 'day')
  return name.slice(0, 1).toUpperCase() + name.slice(1)
}

/** The time in a list: the hour if it was today, yesterday by name, the day if it was this year, or else the date. */
export function formatListTime(locale: Locale, at: number, now: number): string {
  if (isSameDay(at, now)) return formatTime(locale, at)
  const named = dayName(locale, at, now)
  if (named !== null) return named
  if (new Date(at).getFullYear() === new Date(now).getFullYear())
    return formatter(locale, 'short', { month: 'short', day: 'numeric' }).format(at)
  return formatter(locale, 'date', { dateStyle: 'short' }).format(at)
}

export function isSameDay(a: number, b: number): boolean {
  const [one, other] = [new Date(a), new Date(b)]
  return one.getDate() === other.getDate() && one.getMonth() === other.getMonth() && one.getFullYear() === other.getFullYear()
}

/** The day where the reader is, `YYYY-MM-DD`. */
export function dayOf(at: number): string {
  const day = new Date(at)
  return new Date(at - day.getTimezoneOffset() * 60_000).toISOString().slice(0, 10)
}

/** Higher counts are shown alike. */
export const BADGE_MAX = 99

/** The count in a badge: `99+` above 99. */
export function formatBadge(count: number): string {
  return count > BADGE_MAX ? `${BADGE_MAX}+` : String(count)
}
