'use client'

import { useLocale as useIntlLocale } from 'use-intl'
import { isLocale, LOCALES, type Locale } from '@/lib/locale'
import { useZone } from './clock'

/** The language of the page. Times that are shown in it are of the reader's time zone, also when that changes. */
export function useLocale(): Locale {
  useZone()
  const locale = useIntlLocale()
  return isLocale(locale) ? locale : LOCALES[0]
}
