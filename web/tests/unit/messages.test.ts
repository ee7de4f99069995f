import { describe, expect, test } from 'vitest'
import { LOCALES } from '@/lib/locale'
import { compiledMessages } from '@/lib/messages'
import en from '@/messages/en.json'
import ko from '@/messages/ko.json'

interface Tree {
  [key: string]: string | Tree
}
const flat = (tree: Tree, prefix = ''): [string, string][] =>
  Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[`${prefix}${key}`, value]] : flat(value, `${prefix}${key}.`),
  )
const names = (text: string): string[] => [...new Set([...text.matchAll(/\{(\w+)/g)].map(([, name]) => name as string))].sort()

describe('texts', () => {
  test.each(LOCALES)('compile: %s', (locale) => {
    expect(Object.keys(compiledMessages(locale))).toEqual(Object.keys(ko))
  })

  test('say the same in both languages, with the same values in them', () => {
    const shape = (tree: Tree) => flat(tree).map(([key, text]) => [key, names(text)])
    expect(shape(en)).toEqual(shape(ko))
  })

  test('are never empty', () => {
    for (const [key, text] of [...flat(ko), ...flat(en)]) expect(text.trim(), key).not.toBe('')
  })
})
