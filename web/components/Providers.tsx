'use client'

import type { ReactNode } from 'react'
import { type AbstractIntlMessages, IntlProvider } from 'use-intl'
import { SessionProvider } from '@/context/SessionContext'
import type { Locale } from '@/lib/locale'

export function Providers({ locale, messages, children }: { locale: Locale; messages: AbstractIntlMessages; children: ReactNode }) {
  return (
    // Dates are formatted by lib/format.ts, in the reader's own time zone.
    <IntlProvider locale={locale} messages={messages} timeZone="UTC">
      <SessionProvider>{children}</SessionProvider>
    </IntlProvider>
  )
}
