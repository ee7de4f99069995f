import { type DocumentProps, Head, Html, Main, NextScript } from 'next/document'
import { LOCALES } from '@/lib/locale'

export default function Document({ __NEXT_DATA__: { query } }: DocumentProps) {
  return (
    <Html lang={`${query.locale ?? LOCALES[0]}`}>
      <Head />
      <body>
        <Main />
        <NextScript />
      </body>
    </Html>
  )
}
