import compile from 'icu-minify/compile'
import type { AbstractIntlMessages } from 'use-intl'
import en from '../messages/en.json'
import ko from '../messages/ko.json'
import type { Locale } from './locale'

interface Tree {
  [key: string]: string | Tree
}

/** The texts of a language as they were written. The browser does not need them: the page is built from compiled ones. */
export const TEXTS: Record<Locale, Tree & typeof ko> = { ko, en }

/**
 * The texts of a language, compiled when the page is built, so that the browser needs a formatter and no parser. Do not import this in
 * code for the browser, since it would bring the parser along.
 */
export function compiledMessages(locale: Locale): AbstractIntlMessages {
  // The compiler's objects have no prototype, and React passes plain objects only.
  return JSON.parse(JSON.stringify(compileTree(TEXTS[locale])))
}

function compileTree(tree: Tree): AbstractIntlMessages {
  const compiled = Object.entries(tree).map(([key, value]) => [
    key,
    typeof value === 'string' ? compile(value) : compileTree(value),
  ])
  return Object.fromEntries(compiled) as AbstractIntlMessages
}
