import type { Locale } from '@/lib/locale'
import type ko from './ko.json'

declare module 'use-intl' {
  interface AppConfig {
    Locale: Locale
    Messages: typeof ko
  }
}
