// @vitest-environment jsdom
import { act, cleanup, configure, fireEvent, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { FakeServer, JUNHO, MINJI } from 'chat-core/testing'
import { useState } from 'react'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import ClearDialog from '@/components/ClearDialog'
import ConversationMenu from '@/components/ConversationMenu'
import ConversationSearch from '@/components/ConversationSearch'
import { OverlayProvider } from '@/components/Overlay'
import type { Sought } from '@/components/rows'
import { renderChat } from './support/render'

beforeAll(() => {
  configure({ asyncUtilTimeout: 30_000 })
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => {}, removeEventListener: () => {} }))
  HTMLDialogElement.prototype.showModal = function show() {
    this.open = true
  }
  HTMLDialogElement.prototype.close = function close() {
    this.open = false
  }
})
beforeEach(() => localStorage.clear())
afterEach(cleanup)

/** A window with a button that opens the search. */
function Finding({ onSeek }: { onSeek(sought: Sought): void }) {
  const [asked, setAsked] = useState(0)
  return (
    <>
      <button type="button" onClick={() => setAsked(1)}>
        open
      </button>
      {asked > 0 && <ConversationSearch peer={JUNHO} asked={asked} onSeek={onSeek} onClose={() => setAsked(0)} />}
    </>
  )
}

describe('finding in a conversation', () => {
  async function open(texts: readonly string[], server = new FakeServer()) {
    for (const [index, text] of texts.entries()) server.store(index % 2 === 0 ? MINJI : JUNHO, text)
    const seeks: Sought[] = []
    const shown = renderChat(<Finding onSeek={(sought) => seeks.push(sought)} />, 'en', server)
    act(shown.release)
    act(() => shown.link.open())
    act(() => shown.client.open(JUNHO))
    await userEvent.click(screen.getByRole('button', { name: 'open' }))
    const field = screen.getByRole<HTMLInputElement>('searchbox', { name: 'Find messages' })
    expect(document.activeElement).toBe(field)
    return { ...shown, server, seeks, field }
  }
  const hits = () => within(screen.getByRole('list', { name: 'Messages found' })).getAllByRole('button')
  const said = () => screen.getByRole('status').textContent
  const seqOf = (server: FakeServer, { timestamp }: Sought) => server.messages.find((one) => one.timestamp === timestamp)?.seq

  test('lists what is found, the newest first, each with who, when, and the words marked', async () => {
    await open(['축구공 있어요?', '없어요', '그럼 축 구 하지 말까요'])
    await userEvent.type(screen.getByRole('searchbox'), '축구')
    await waitFor(() => expect(hits()).toHaveLength(2))
    expect(hits().map((hit) => [hit.querySelector('mark')?.textContent, hit.textContent?.startsWith('You')])).toEqual([
      ['축 구', true],
      ['축구', true],
    ])
    expect(said()).toBe('2 messages')
    expect(hits()[0]?.querySelector('time')?.dateTime).toMatch(/^2026-/)
  })

  test('leads to a message that is chosen; Enter and the buttons go through them, and keep the focus', async () => {
    const { server, seeks, field } = await open(['ball 1', 'no', 'ball 3', 'ball 4'])
    await userEvent.type(field, 'ball')
    await waitFor(() => expect(hits()).toHaveLength(3))
    await userEvent.keyboard('{Enter}')
    expect(said()).toBe('1 of 3')
    expect(screen.queryByRole('list')).toBeNull()
    await userEvent.keyboard('{Enter}')
    await userEvent.click(screen.getByRole('button', { name: 'Earlier match' }))
    expect(seeks.map((sought) => [seqOf(server, sought), sought.isStep])).toEqual([
      [4, true],
      [3, true],
      [1, true],
    ])
    expect(screen.getByRole('button', { name: 'Earlier match' }).getAttribute('aria-disabled')).toBe('true')
    await userEvent.click(screen.getByRole('button', { name: 'Later match' }))
    expect(said()).toBe('2 of 3')
    await userEvent.click(field)
    await userEvent.keyboard('{ArrowDown}{ArrowDown}{ArrowDown}')
    expect(document.activeElement).toBe(hits()[2])
    await userEvent.keyboard('{Enter}')
    expect([seqOf(server, seeks.at(-1) as Sought), seeks.at(-1)?.isStep]).toEqual([1, false])
  })

  test('Escape closes it, and gives the focus back', async () => {
    const { field } = await open(['ball'])
    await userEvent.type(field, 'ball')
    fireEvent.keyDown(field, { key: 'Escape', isComposing: true })
    expect(screen.queryByRole('searchbox')).not.toBeNull()
    const wasPrevented = !fireEvent.keyDown(field, { key: 'Escape' })
    expect(wasPrevented).toBe(true)
    expect(screen.queryByRole('searchbox')).toBeNull()
    expect(document.activeElement).toBe(screen.getByRole('button', { name: 'open' }))
  })

  test('says how far it has looked, and looks further when it is asked to', async () => {
    const server = new FakeServer()
    server.searchSize = 2
    await open(['ball', ...Array.from({ length: 12 }, () => 'no')], server)
    await userEvent.type(screen.getByRole('searchbox'), 'ball')
    await waitFor(() => expect(said()).toMatch(/^No message with “ball” since .*2026/))
    await userEvent.click(screen.getByRole('button', { name: 'Search further back' }))
    await waitFor(() => expect(said()).toBe('1 message'))
    expect(screen.queryByRole('button', { name: 'Search further back' })).toBeNull()
    expect(document.activeElement).toBe(hits()[0])
    await userEvent.clear(screen.getByRole('searchbox'))
    await userEvent.type(screen.getByRole('searchbox'), 'none')
    await waitFor(() => expect(screen.getByRole('button', { name: 'Search further back' })).toBeTruthy())
    await userEvent.click(screen.getByRole('button', { name: 'Search further back' }))
    await waitFor(() => expect(said()).toBe('There is no message with “none”'))
  })

  test('that failed can be tried again', async () => {
    const { server, field } = await open(['ball'])
    server.status = 503
    await userEvent.type(field, 'ball')
    await waitFor(() => expect(said()).toBe('The search failed'))
    server.status = 200
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
    await waitFor(() => expect(hits()).toHaveLength(1))
  })

  test('shows nothing that was cleared since', async () => {
    const { server, client } = await open(['ball 1', 'ball 2'])
    await waitFor(() => expect(client.state.rooms[JUNHO]?.messages).toHaveLength(2))
    await userEvent.type(screen.getByRole('searchbox'), 'ball')
    await waitFor(() => expect(hits()).toHaveLength(2))
    act(() => server.clear(MINJI, server.messages[0]?.timestamp ?? ''))
    await waitFor(() => expect(hits().map((hit) => hit.textContent)).toEqual([expect.stringContaining('ball 2')]))
  })

  test('shows nothing that was deleted or edited away since', async () => {
    const { server, client } = await open(['ball 1', 'ball 2', 'ball 3'])
    await waitFor(() => expect(client.state.rooms[JUNHO]?.messages).toHaveLength(3))
    await userEvent.type(screen.getByRole('searchbox'), 'ball')
    await waitFor(() => expect(hits()).toHaveLength(3))
    const target = (index: number) => ({
      peerEmail: JUNHO,
      target: server.messages[index]?.timestamp ?? '',
      clientMessageId: `${index}`,
    })
    act(() => void server.change(JUNHO, { action: 'delete', ...target(1) }))
    act(() => void server.change(MINJI, { action: 'edit', message: 'other', ...target(0) }))
    await waitFor(() => expect(hits().map((hit) => hit.textContent)).toEqual([expect.stringContaining('ball 3')]))
    await act(() => client.edit(JUNHO, { timestamp: server.messages[2]?.timestamp ?? '' }, 'ball of mine'))
    await waitFor(() => expect(hits()[0]?.textContent).toContain('ball of mine'))
  })
})

describe('clearing a conversation for oneself', () => {
  const open = (server: FakeServer) => {
    const closed = vi.fn()
    const shown = renderChat(<ClearDialog peer={JUNHO} onClose={closed} />, 'en', server)
    act(shown.release)
    act(() => shown.link.open())
    act(() => shown.client.open(JUNHO))
    return { ...shown, closed }
  }

  test('says that the other one keeps theirs, and clears', async () => {
    const server = new FakeServer()
    server.store(JUNHO, 'hello')
    const { client, closed } = open(server)
    await waitFor(() => expect(client.state.rooms[JUNHO]?.status).toBe('ready'))
    expect(screen.getByText(/junho keeps theirs/)).toBeTruthy()
    await userEvent.click(screen.getByRole('button', { name: 'Clear' }))
    await waitFor(() => expect(closed).toHaveBeenCalled())
    expect(client.state.rooms[JUNHO]?.messages).toEqual([])
  })

  test('that was refused says so, and can be tried again', async () => {
    const server = new FakeServer()
    server.store(JUNHO, 'hello')
    server.refuseDecisions.push({ code: 'internal', retryable: false })
    const { client, closed } = open(server)
    await waitFor(() => expect(client.state.rooms[JUNHO]?.status).toBe('ready'))
    await userEvent.click(screen.getByRole('button', { name: 'Clear' }))
    await waitFor(() => expect(screen.getByRole('status').textContent).toContain('could not be cleared'))
    expect(closed).not.toHaveBeenCalled()
    await userEvent.click(screen.getByRole('button', { name: 'Clear' }))
    await waitFor(() => expect(closed).toHaveBeenCalled())
  })

  test('is in the menu of a conversation that has something in it', async () => {
    const server = new FakeServer()
    server.store(JUNHO, 'hello')
    const near = document.createElement('div')
    const { client, release, link } = renderChat(
      <OverlayProvider>
        <ConversationMenu peer={JUNHO} near={near} onClose={() => {}} />
      </OverlayProvider>,
      'en',
      server,
    )
    act(release)
    act(() => link.open())
    expect(await screen.findByRole('menuitem', { name: 'Clear for me', hidden: true })).toBeTruthy()
    act(() => server.clear(MINJI, server.messages[0]?.timestamp ?? ''))
    await waitFor(() => expect(client.state.rooms[JUNHO]?.clearedTo).not.toBeNull())
    expect(screen.queryByRole('menuitem', { name: 'Clear for me', hidden: true })).toBeNull()
  })
})
