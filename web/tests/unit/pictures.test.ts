import { emptyRoom, type PendingChange } from 'chat-core'
import { at, JUNHO, MINJI, message } from 'chat-core/testing'
import { expect, test } from 'vitest'
import { picturesOf } from '@/components/pictures'

const attachment = { key: 'key', contentType: 'image/png' as const, size: 10, width: 40, height: 30 }
const photo = (seq: number) => message(seq, { kind: 'image', attachment })
const room = { ...emptyRoom(JUNHO), messages: [photo(1), photo(3)], anchor: 3 }
const deleted: PendingChange = { id: 'id', peer: JUNHO, after: null, createdAt: 0, status: 'queued', kind: 'delete', target: at(1) }

test('a photo that is deleted is viewed no more, whether or not its deletion has left', () => {
  const of = (changes: readonly PendingChange[]) => picturesOf(room, { me: MINJI, pending: [], changes }).map(({ name }) => name.id)
  expect(of([])).toEqual([1, 3].map((seq) => photo(seq).clientMessageId))
  expect(of([deleted])).toEqual([photo(3).clientMessageId])
  expect(of([{ ...deleted, status: 'failed', reason: 'notFound' }])).toHaveLength(2)
})
