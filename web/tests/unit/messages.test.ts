import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ErrorCode } from 'chat-core'
import { describe, expect, test } from 'vitest'
import { reasonKey } from '@/components/reasons'
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
  // The codes that the server's types name, each with what is said of it; that there are no others is checked with the types.
  const codes = readFileSync(fileURLToPath(new URL('../../packages/chat-core/src/wire.ts', import.meta.url)), 'utf8')
    .match(/export type ErrorCode = (.*);/)?.[1]
    ?.match(/\w+/g) as ErrorCode[]

  test.each(codes)('say why something was refused: %s', (code) => {
    const key = reasonKey(code, 'outgoing')
    expect(key).not.toBe('other')
    expect([ko.reason[key], en.reason[key]]).not.toContain(undefined)
  })

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
