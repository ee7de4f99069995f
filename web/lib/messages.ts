import compile from 'icu-minify/compile'
import type { AbstractIntlMessages } from 'use-intl'
import en from '../messages/en.json'
import ko from '../messages/ko.json'
import type { Locale } from './locale'

interface Tree {
  [key: string]: string | Tree
}

const SOURCES: Record<Locale, Tree & typeof ko> = { ko, en }

/**
 * The texts of a language, compiled when the page is built: what the browser gets formats them, and has no parser. Not for use in the
 * browser, where it would bring the parser along.
 */
export function compiledMessages(locale: Locale): AbstractIntlMessages {
  // Plain objects: the compiler's own have no prototype, and React hands over no others.
  return JSON.parse(JSON.stringify(compileTree(SOURCES[locale])))
}

/** What the page is called, and what it is, in a language. */
export function pageNames(locale: Locale): { name: string; description: string } {
  return SOURCES[locale].app
}

function compileTree(tree: Tree): AbstractIntlMessages {
  const compiled = Object.entries(tree).map(([key, value]) => [
    key,
    typeof value === 'string' ? compile(value) : compileTree(value),
  ])
  return Object.fromEntries(compiled) as AbstractIntlMessages
}
