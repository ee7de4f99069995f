import type { Metadata, Viewport } from 'next'
import { notFound } from 'next/navigation'
import type { ReactNode } from 'react'
import { Providers } from '@/components/Providers'
import { Shell } from '@/components/Shell'
import { isLocale, LOCALES, type Locale } from '@/lib/locale'
import { compiledMessages, pageNames } from '@/lib/messages'
import '../globals.css'

interface Props {
  params: Promise<{ locale: string }>
  children: ReactNode
}

export const dynamicParams = false

export function generateStaticParams(): { locale: Locale }[] {
  return LOCALES.map((locale) => ({ locale }))
}

export const viewport: Viewport = {
  width: 'device-width',
  initialScale: 1,
  viewportFit: 'cover',
  // The keyboard of a phone makes the page smaller instead of covering it.
  interactiveWidget: 'resizes-content',
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#ffffff' },
    { media: '(prefers-color-scheme: dark)', color: '#1a1d1c' },
  ],
}

export async function generateMetadata({ params }: Pick<Props, 'params'>): Promise<Metadata> {
  return { description: pageNames(await localeOf(params)).description }
}

export default async function LocaleLayout({ params, children }: Props) {
  const locale = await localeOf(params)
  return (
    <html lang={locale} suppressHydrationWarning>
      <body>
        {/* Here, and not among the metadata, which every navigation takes away and puts back: both carry the unread count. */}
        <title>{pageNames(locale).name}</title>
        <link rel="icon" href="/icon.svg" />
        <Providers locale={locale} messages={compiledMessages(locale)}>
          <Shell>{children}</Shell>
        </Providers>
      </body>
    </html>
  )
}

async function localeOf(params: Props['params']): Promise<Locale> {
  const { locale } = await params
  return isLocale(locale) ? locale : notFound()
}
