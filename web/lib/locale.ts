/** The languages of the page. The first one is shown when the browser asks for none of them. */
export const LOCALES = ['ko', 'en'] as const
export type Locale = (typeof LOCALES)[number]

/** Where the choice is remembered; `public/enter.js` reads it. */
export const LOCALE_KEY = 'chat.locale'

export function isLocale(value: string): value is Locale {
  return (LOCALES as readonly string[]).includes(value)
}

/** The same page in another language. */
export function inLocale(path: string, locale: Locale): string {
  return path.replace(/^\/[^/]+/, `/${locale}`)
}
