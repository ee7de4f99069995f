// @vitest-environment jsdom
import { cleanup, screen, waitFor } from '@testing-library/react'
import { MemoryOutbox, type Pending } from 'chat-core'
import { FakeServer, JUNHO, MINJI } from 'chat-core/testing'
import { afterEach, expect, test } from 'vitest'
import { useHeldUp } from '@/components/useHeldUp'
import { useChat } from '@/context/ChatSocketContext'
import { renderChat } from './support/render'

afterEach(cleanup)

const SECOND_MS = 1_000
const written = (id: string, secondsAgo: number) =>
  ({ id, peer: JUNHO, after: null, status: 'queued', createdAt: Date.now() - secondsAgo * SECOND_MS }) as const
const photo = (id: string, secondsAgo: number): Pending => ({
  ...written(id, secondsAgo),
  kind: 'image',
  text: '',
  image: { contentType: 'image/png', size: 3, width: 1, height: 1, uploaded: false },
})
const text = (id: string, secondsAgo: number): Pending => ({ ...written(id, secondsAgo), kind: 'text', text: id })

function Offered() {
  const pending = useChat((state) => state.pending)
  return pending.map((entry) => <Offer key={entry.id} entry={entry} />)
}

function Offer({ entry }: { entry: Pending }) {
  return <p>{`${entry.id} ${useHeldUp(entry) ? 'holds up' : 'is waited for'}`}</p>
}

test.each<[string, Pending[], string[]]>([
  ['a text for long', [photo('a', 30), photo('b', 30), text('c', 11)], ['a holds up', 'b is waited for', 'c is waited for']],
  ['a text for a while, and then for long', [photo('a', 30), text('b', 9)], ['a holds up', 'b is waited for']],
  ['nothing', [photo('a', 30), photo('b', 30)], ['a is waited for', 'b is waited for']],
  ['a text that has just been written', [photo('a', 30), text('b', 0)], ['a is waited for', 'b is waited for']],
])('of a photo that holds up %s', async (_, entries, expected) => {
  const outbox = new MemoryOutbox()
  for (const entry of entries) await outbox.add(MINJI, entry)
  renderChat(<Offered />, 'en', new FakeServer(), outbox)
  await waitFor(() => expect(screen.getAllByText(/^[a-c] /).map(({ textContent }) => textContent)).toEqual(expected), {
    timeout: 5_000,
  })
})
