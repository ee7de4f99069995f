import { LOCALES, type Locale } from './locale'
import { compiledMessages, pageNames } from './messages'

/** What every page is given when it is built. */
export interface PageProps {
  readonly locale: Locale
  readonly messages: ReturnType<typeof compiledMessages>
  readonly names: ReturnType<typeof pageNames>
}

export function getStaticPaths() {
  return { paths: LOCALES.map((locale) => ({ params: { locale } })), fallback: false }
}

export function getStaticProps({ params: { locale } }: { params: { locale: Locale } }): { props: PageProps } {
  return { props: { locale, messages: compiledMessages(locale), names: pageNames(locale) } }
}
