// @vitest-environment jsdom
import { act, cleanup, configure, fireEvent, render, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import type { PendingChange } from 'chat-core'
import { FakeServer, JUNHO, MINJI, message } from 'chat-core/testing'
import { useEffect } from 'react'
import { IntlProvider } from 'use-intl'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { Composer } from '@/components/Composer'
import { type Composing, ComposingProvider, useComposing } from '@/components/composing'
import EmojiPicker from '@/components/EmojiPicker'
import { AT_HAND, EMOJI, type EmojiGroup, emojiOf } from '@/components/emojiNames'
import type { Item } from '@/components/items'
import { MessageRow } from '@/components/MessageRow'
import { toggled } from '@/components/Reactions'
import { UndoBar } from '@/components/UndoBar'
import { useChat } from '@/context/ChatSocketContext'
import { compiledMessages } from '@/lib/messages'
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

const rest = { before: null, next: null, mine: true, name: 'junho', continued: true, readUpTo: null, divider: false }
const row = (item: Item, more: object = {}) => <MessageRow item={item} {...rest} {...more} />

/** What the field is told to compose, from outside of it. */
const begun = { compose: (_next: Composing | null): void => {} }

function Compose() {
  const { compose } = useComposing()
  useEffect(() => {
    begun.compose = compose
  })
  return null
}

const Held = () => <span data-testid="held">{useChat((state) => state.changes.length)}</span>

describe('a message', () => {
  test('says that it was edited, and when', () => {
    renderChat(row(message(1, { message: 'new', editedAt: '2026-11-24T10:00:00.000Z' })), 'en')
    expect(screen.getByText('edited').getAttribute('datetime')).toBe('2026-11-24T10:00:00.000Z')
    expect(screen.getByText('edited').title).toContain('2026')
  })

  test('that was deleted says nothing else, and has nothing below it', () => {
    renderChat(row(message(1, { kind: 'deleted', message: '', reactions: { [JUNHO]: ['👍'] } })))
    expect(screen.getByText('삭제된 메시지입니다')).toBeTruthy()
    expect(screen.queryByRole('button')).toBeNull()
  })

  test('shows who left which emoji; a press leaves the same, or takes one’s own back', async () => {
    const server = new FakeServer()
    const { stored } = server.store(MINJI, 'hello')
    const reactions = { [JUNHO]: ['👍', '🎉'], [MINJI]: ['👍'] }
    const { link, client } = renderChat(row({ ...stored, reactions }), 'en', server)
    link.open()
    const thumb = await screen.findByRole('button', { name: '👍 junho, You' })
    expect([thumb.getAttribute('aria-pressed'), thumb.textContent]).toEqual(['true', '👍2'])
    const party = screen.getByRole('button', { name: '🎉 junho' })
    expect(party.getAttribute('aria-pressed')).toBe('false')
    await userEvent.click(party)
    expect(client.state.changes).toMatchObject([{ kind: 'react', emoji: ['👍', '🎉'], target: stored.timestamp }])
    await userEvent.click(thumb)
    expect(client.state.changes.at(-1)).toMatchObject({ kind: 'react', emoji: [] })
  })

  test('leaves at most four emoji, of which the first one goes', () => {
    expect(toggled(['1', '2', '3', '4'], '5')).toEqual(['2', '3', '4', '5'])
    expect(toggled(['1', '2'], '1')).toEqual(['2'])
  })

  test('quotes what it replies to as it is, or says that it does not know', async () => {
    const item = message(2, { replyTo: message(1).timestamp })
    const { unmount } = renderChat(row(item, { quoted: message(1, { message: 'as it is' }) }), 'en')
    expect((await screen.findByRole('button', { name: 'Reply to You: as it is' })).dataset.quote).toBe(message(1).timestamp)
    unmount()
    renderChat(row(item, { quoted: { senderEmail: JUNHO, kind: 'deleted', preview: '' } }), 'en')
    expect(await screen.findByRole('button', { name: 'Reply to junho: Deleted message' })).toBeTruthy()
    cleanup()
    renderChat(row(item), 'en')
    expect(await screen.findByText('The original message is not loaded')).toBeTruthy()
  })

  test('says why it could not be edited, and what was meant', async () => {
    const refused: PendingChange = {
      id: 'x',
      peer: JUNHO,
      kind: 'edit',
      text: 'what was meant',
      target: message(1).timestamp,
      after: null,
      createdAt: 1,
      status: 'failed',
      reason: 'notFound',
    }
    renderChat(row(message(1), { refused: [refused] }), 'en')
    const said = await screen.findByText(/The message was not edited: The message is not there any more/)
    expect(said.parentElement?.textContent).toContain('what was meant')
    expect(screen.queryByRole('button', { name: 'Send again' })).toBeNull()
    expect(screen.getByRole('button', { name: 'Dismiss' })).toBeTruthy()
  })
})

describe('the field', () => {
  const compose = (next: Composing | null) => begun.compose(next)
  const field = () => screen.getByRole<HTMLTextAreaElement>('textbox')
  function open(server = new FakeServer()) {
    const shown = renderChat(
      <ComposingProvider peer={JUNHO}>
        <Compose />
        <Composer peer={JUNHO} onPick={null} />
      </ComposingProvider>,
      'en',
      server,
    )
    act(shown.release)
    return shown
  }

  test('takes the words of a message that is edited, and gives back what was being written', async () => {
    const server = new FakeServer()
    const { stored } = server.store(MINJI, 'old words')
    const { client } = open(server)
    await userEvent.type(field(), 'a draft')
    const edit: Composing = { kind: 'edit', target: { timestamp: stored.timestamp }, text: 'old words' }
    act(() => compose(edit))
    expect(field().value).toBe('old words')
    expect(document.activeElement).toBe(field())
    expect(await screen.findByRole('region', { name: 'Edit message' })).toBeTruthy()
    fireEvent.keyDown(field(), { key: 'Escape' })
    expect(field().value).toBe('a draft')
    expect(client.state.changes).toEqual([])

    act(() => compose(edit))
    fireEvent.input(field(), { target: { value: 'new words' } })
    expect(screen.getByRole('button', { name: 'Save' })).toBeTruthy()
    fireEvent.keyDown(field(), { key: 'Enter' })
    expect(client.state.changes).toMatchObject([{ kind: 'edit', text: 'new words', target: stored.timestamp }])
    expect(field().value).toBe('a draft')
    expect(client.state.pending).toEqual([])
    act(() => compose(edit))
    fireEvent.keyDown(field(), { key: 'Enter' })
    expect(client.state.changes).toHaveLength(1)
  })

  test('says whom it replies to, and sends that along', async () => {
    const { client } = open()
    act(() => compose({ kind: 'reply', to: message(2, { message: 'a question' }) }))
    const bar = await screen.findByRole('region', { name: 'Reply to junho' })
    expect(bar.textContent).toContain('a question')
    await userEvent.click(within(bar).getByRole('button', { name: 'Cancel' }))
    expect(screen.queryByRole('region', { name: 'Reply to junho' })).toBeNull()
    act(() => compose({ kind: 'reply', to: message(2) }))
    await userEvent.type(field(), 'an answer')
    fireEvent.keyDown(field(), { key: 'Enter' })
    await waitFor(() => expect(client.state.pending).toMatchObject([{ text: 'an answer', replyTo: message(2).timestamp }]))
  })
})

test('what is about to be deleted can be kept', async () => {
  const server = new FakeServer()
  const { stored } = server.store(MINJI, 'hello')
  const { client } = renderChat(
    <>
      <UndoBar peer={JUNHO} />
      <Held />
    </>,
    'en',
    server,
  )
  act(() => void client.delete(JUNHO, { timestamp: stored.timestamp }, 30_000))
  await userEvent.click(await screen.findByRole('button', { name: 'Undo' }))
  await waitFor(() => expect(screen.getByTestId('held').textContent).toBe('0'))
  expect(screen.queryByRole('button', { name: 'Undo' })).toBeNull()
})

describe('all emoji', () => {
  const groups = Object.keys(EMOJI) as EmojiGroup[]

  test('are emoji, each once, and each has a name in both languages', () => {
    const all = groups.flatMap(emojiOf)
    const emoji = all.map((one) => one.emoji)
    expect(new Set(emoji).size).toBe(emoji.length)
    for (const one of all) {
      expect(one.emoji).toMatch(/^\P{L}+$/u)
      expect(new TextEncoder().encode(one.emoji).length).toBeLessThanOrEqual(32)
      expect(one.words, one.emoji).toMatch(/[가-힣]/)
      expect(one.words, one.emoji).toMatch(/[a-z]/)
    }
    for (const one of AT_HAND) expect(emoji).toContain(one)
  })

  test('are found by their name in either language', async () => {
    const picked: string[] = []
    render(
      <IntlProvider locale="ko" messages={compiledMessages('ko')} timeZone="UTC">
        <EmojiPicker chosen={['⚽']} onPick={(emoji) => picked.push(emoji)} onClose={() => {}} />
      </IntlProvider>,
    )
    const search = screen.getByRole('searchbox', { name: '이모지 찾기' })
    for (const words of ['축구', 'soccer']) {
      await userEvent.clear(search)
      await userEvent.type(search, words)
      expect(screen.getByRole('button', { name: '⚽' }).getAttribute('aria-pressed')).toBe('true')
    }
    await userEvent.clear(search)
    await userEvent.type(search, 'zzzz')
    expect(screen.getByRole('status').textContent).toBe('찾는 이모지가 없습니다')
    await userEvent.clear(search)
    await userEvent.type(search, '하트{Enter}')
    expect(picked).toHaveLength(1)
  })
})
