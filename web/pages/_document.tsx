import { type DocumentProps, Head, Html, Main, NextScript } from 'next/document'
import { Button } from '@/components/Button'
import { AlertIcon } from '@/components/icons'
import { isLocale, LOCALES } from '@/lib/locale'
import { TEXTS } from '@/lib/messages'

export default function Document({ __NEXT_DATA__: { query } }: DocumentProps) {
  const asked = `${query.locale}`
  const locale = isLocale(asked) ? asked : LOCALES[0]
  const { part, partHint, retry } = TEXTS[locale].error
  return (
    <Html lang={locale}>
      <Head>
        <link rel="manifest" href={`/${locale}.webmanifest`} />
        <link rel="apple-touch-icon" href="/apple-touch-icon.png" />
      </Head>
      <body>
        {/* For `scripts/not-started.js`, which seal.mjs puts in front of all that may not come. */}
        <template id="not-started">
          <main className="grid min-h-dvh place-items-center px-6">
            <div role="alert" className="max-w-sm text-center">
              <AlertIcon className="mx-auto mb-3 size-8 text-muted" />
              <h1 className="mb-1 font-semibold text-lg">{part}</h1>
              <p className="mb-5 text-muted">{partHint}</p>
              <Button look="primary">{retry}</Button>
            </div>
          </main>
        </template>
        <Main />
        <NextScript />
      </body>
    </Html>
  )
}
