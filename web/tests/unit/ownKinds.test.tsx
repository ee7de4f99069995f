// @vitest-environment jsdom
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { act, cleanup, configure, screen, waitFor } from '@testing-library/react'
import { FakeServer, JUNHO, message } from 'chat-core/testing'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { Item } from '@/components/items'
import { MessageRow } from '@/components/MessageRow'
import { Part } from '@/components/OnDemand'
import { OWN_KINDS, type OwnKind } from '@/components/ownKinds'
import { renderChat } from './support/render'

const kinds = OWN_KINDS as Record<string, OwnKind>
const order = { items: [{ name: '축구공', count: 2 }], won: 58_000 }
const PREVIEW = '주문: 축구공 2개'
const rest = { before: null, next: null, mine: false, name: 'junho', continued: true, readUpTo: null, divider: false }
const row = (item: Item) => <MessageRow item={item} {...rest} />
const stored = (body: unknown, kind = 'x-order') => message(2, { kind, body, preview: PREVIEW, message: PREVIEW })

beforeAll(() => {
  configure({ asyncUtilTimeout: 30_000 })
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => {}, removeEventListener: () => {} }))
})
afterEach(() => {
  cleanup()
  for (const kind of Object.keys(kinds)) delete kinds[kind]
})

test('the page that is shipped has no kinds of an application', () => {
  expect(OWN_KINDS).toEqual({})
})

test('a message of an application’s own kind is shown by its component, stored or not', async () => {
  kinds['x-order'] = { part: new Part(() => import('@/examples/OrderCard')), heightPx: 80 }
  renderChat(row(stored(order)))
  expect(await screen.findByText('58,000원')).toBeTruthy()
  expect(screen.getByText('축구공')).toBeTruthy()
  expect(screen.queryByText(PREVIEW)).toBeNull()
  cleanup()
  const pending = {
    id: 'x',
    peer: JUNHO,
    kind: 'x-order',
    text: PREVIEW,
    body: order,
    after: null,
    createdAt: 1,
    status: 'queued',
  } as const
  renderChat(row(pending))
  expect(await screen.findByText('58,000원')).toBeTruthy()
})

test('what its component cannot show, and what has none, is shown by its preview', async () => {
  kinds['x-order'] = { part: new Part(() => import('@/examples/OrderCard')), heightPx: 80 }
  for (const body of [undefined, null, 'text', { items: 3 }, { won: 1, items: [null] }]) {
    renderChat(row(stored(body)))
    expect(await screen.findByText(PREVIEW)).toBeTruthy()
    cleanup()
  }
  renderChat(row(stored(order, 'x-poll')))
  expect(screen.getByText(PREVIEW)).toBeTruthy()
  cleanup()
  const failing = () => {
    throw new Error('a fault of the application')
  }
  const complaints = vi.spyOn(console, 'error').mockImplementation(() => {})
  kinds['x-order'] = { part: new Part(async () => ({ default: failing })), heightPx: 80 }
  renderChat(row(stored(order)))
  await waitFor(() => expect(complaints).toHaveBeenCalled())
  expect(await screen.findByText(PREVIEW)).toBeTruthy()
  complaints.mockRestore()
})

test('one is sent as its kind, with what it says and its preview', async () => {
  const server = new FakeServer()
  const { client, link, release } = renderChat(null, 'ko', server)
  release()
  act(() => link.open())
  await act(() => client.queue(JUNHO, { kind: 'x-order', text: PREVIEW, body: order }))
  await waitFor(() => expect(server.messages).toMatchObject([{ kind: 'x-order', body: order, preview: PREVIEW }]))
  expect(server.received.find(({ action }) => action === 'sendMessage')).not.toHaveProperty('message')
  await waitFor(() =>
    expect(client.state.rooms[JUNHO]?.messages).toMatchObject([{ kind: 'x-order', body: order, message: PREVIEW }]),
  )
})

test('the component is the one that the documentation shows', () => {
  const read = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8')
  expect(read('../../../docs/own-kinds.md')).toContain(`\`\`\`tsx\n${read('../../examples/OrderCard.tsx')}\`\`\``)
})
