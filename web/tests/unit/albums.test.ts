import type { MessageBody, Pending } from 'chat-core'
import { at, JUNHO, MINJI, message } from 'chat-core/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { albumsOf, endsLine } from '@/components/albums'
import type { Item } from '@/components/items'

const photo = (seq: number, change: Partial<MessageBody> = {}): MessageBody =>
  message(seq, { kind: 'image', message: '', senderEmail: MINJI, receiverEmail: JUNHO, ...change })
const waiting = (change: Partial<Pending> = {}): Pending =>
  ({
    id: 'id',
    peer: JUNHO,
    kind: 'image',
    text: '',
    after: at(0),
    createdAt: Date.parse(at(9)),
    status: 'queued',
    image: { bytes: Uint8Array.of(1), contentType: 'image/png', width: 4, height: 3 },
    ...change,
  }) as Pending
const laid = (items: readonly Item[], divider: number | null = null) =>
  albumsOf(items.length, (index) => items[index] as Item, divider)
/** How many photos stand in each line of what is laid. */
const linesOf = (items: readonly Item[], divider: number | null = null): number[] =>
  [...laid(items, divider).values()].filter(endsLine).map(({ columns }) => columns)
const photos = (count: number) => Array.from({ length: count }, (_, index) => photo(index + 1))

describe('photos that are sent together', () => {
  test.each([
    [1, []],
    [2, [2]],
    [3, [3]],
    [4, [2, 2]],
    [5, [3, 2]],
    [6, [3, 3]],
    [7, [3, 2, 2]],
    [20, [3, 3, 3, 3, 3, 3, 2]],
  ])('stand in full lines: %i', (count, lines) => {
    expect(linesOf(photos(count))).toEqual(lines)
  })

  test.each<[string, readonly Item[], number[]]>([
    ['by words between them', [photo(1), message(2), photo(3)], []],
    ['by words of one, which end an album', [photo(1), photo(2, { message: '여기' }), photo(3), photo(4)], [2, 2]],
    ['by the other one’s', [photo(1), photo(2, { senderEmail: JUNHO, receiverEmail: MINJI })], []],
    ['by the time between them', [photo(1), photo(2, { timestamp: '2026-11-24T10:00:00.000Z' })], []],
    ['by one that is erased', [photo(1), photo(2, { kind: 'erased' }), photo(3)], []],
    ['by one that has failed', [photo(1), waiting(), waiting({ status: 'failed', reason: 'imageLost' })], [2]],
    ['by nothing when some are on their way', [photo(1), photo(2), waiting(), waiting({ text: '끝' })], [2, 2]],
  ])('are parted %s', (_, items, lines) => {
    expect(linesOf(items)).toEqual(lines)
  })

  test('are parted where the unread ones begin', () => {
    expect(linesOf(photos(4), 3)).toEqual([2, 2])
    expect(linesOf(photos(5), 2)).toEqual([2, 2])
  })

  test('keep the object of a place that stays', () => {
    const [before, after] = [laid(photos(3)), laid(photos(6))]
    for (const index of [0, 1, 2]) expect({ ...before.get(index), lines: 2 }).toEqual(after.get(index))
    expect(laid([...photos(3), message(4)]).get(1)).toBe(before.get(1))
  })

  test('fill whole lines, whatever is between them', () => {
    const item = fc.constantFrom('photo', 'words', 'worded', 'theirs')
    fc.assert(
      fc.property(fc.array(item, { maxLength: 60 }), (kinds) => {
        const items = kinds.map((kind, index) => {
          if (kind === 'words') return message(index + 1)
          if (kind === 'worded') return photo(index + 1, { message: '여기' })
          return photo(index + 1, kind === 'theirs' ? { senderEmail: JUNHO, receiverEmail: MINJI } : {})
        })
        const places = laid(items)
        for (const [index, { column, columns }] of places) {
          expect(items[index]?.kind).toBe('image')
          for (let other = 0; other < columns; other += 1) {
            expect(places.get(index - column + other)).toMatchObject({ column: other, columns })
          }
        }
      }),
    )
  })
})
