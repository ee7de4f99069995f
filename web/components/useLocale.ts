'use client'

import { useLocale as useIntlLocale } from 'use-intl'
import { isLocale, LOCALES, type Locale } from '@/lib/locale'

export function useLocale(): Locale {
  const locale = useIntlLocale()
  return isLocale(locale) ? locale : LOCALES[0]
}
