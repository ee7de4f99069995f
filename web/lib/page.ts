import { LOCALES, type Locale } from './locale'
import { compiledMessages, TEXTS } from './messages'

/** What every page is given when it is built. */
export interface PageProps {
  readonly locale: Locale
  readonly messages: ReturnType<typeof compiledMessages>
  readonly title: string
  readonly description: string
}

export function getStaticPaths() {
  return { paths: LOCALES.map((locale) => ({ params: { locale } })), fallback: false }
}

/** The props of a page, whose title is its name in the menu. */
export function propsOf(page: 'chat' | 'teams') {
  return ({ params: { locale } }: { params: { locale: Locale } }): { props: PageProps } => {
    const { app, nav } = TEXTS[locale]
    return {
      props: { locale, messages: compiledMessages(locale), title: `${nav[page]} · ${app.name}`, description: app.description },
    }
  }
}
