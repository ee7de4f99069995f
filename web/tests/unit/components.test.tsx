// @vitest-environment jsdom
import { act, cleanup, configure, fireEvent, render, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { emptyRoom, MemoryOutbox, type Pending, type Room } from 'chat-core'
import { FakeServer, JUNHO, MINJI, message } from 'chat-core/testing'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { Banner } from '@/components/Banner'
import { Composer } from '@/components/Composer'
import { ConversationList } from '@/components/ConversationList'
import { Incoming } from '@/components/Incoming'
import type { Item } from '@/components/items'
import { MessageList } from '@/components/MessageList'
import { MessageRow } from '@/components/MessageRow'
import { OnDemand, Part } from '@/components/OnDemand'
import { renderChat } from './support/render'

beforeAll(() => {
  // A busy machine takes its time.
  configure({ asyncUtilTimeout: 30_000 })
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => {}, removeEventListener: () => {} }))
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe(): void {}
      unobserve(): void {}
      disconnect(): void {}
    },
  )
  // jsdom has no layout, and no scrolling.
  Element.prototype.scrollTo = () => {}
})
beforeEach(() => localStorage.clear())
afterEach(cleanup)

describe('the list of conversations', () => {
  /** One with Junho, and newer ones in which something is about to be sent. */
  async function withConversations(...peers: string[]): Promise<void> {
    const server = new FakeServer()
    server.store(JUNHO, 'hello')
    const { client, release } = renderChat(<ConversationList peer={null} />, 'en', server)
    act(release)
    await screen.findByRole('button', { name: /junho/ })
    for (const peer of peers) await act(() => void client.send(peer, 'hello'))
    await waitFor(() => expect(screen.getAllByRole('button', { name: /hello/ })).toHaveLength(peers.length + 1))
  }

  test('is a skeleton while it loads, and says so', async () => {
    renderChat(<ConversationList peer={null} />)
    expect(screen.getByText('대화 목록을 불러오는 중')).toBeTruthy()
    expect(screen.queryByText('아직 대화가 없습니다')).toBeNull()
  })

  test('invites when it is empty', async () => {
    const { release } = renderChat(<ConversationList peer={null} />)
    act(release)
    expect(await screen.findByText('아직 대화가 없습니다')).toBeTruthy()
  })

  test('shows who, what, and how many are unread', async () => {
    const server = new FakeServer()
    server.store(JUNHO, '안녕하세요')
    server.store(JUNHO, '계세요?')
    const { release } = renderChat(<ConversationList peer={null} />, 'ko', server)
    act(release)
    const row = await screen.findByRole('button', { name: /junho/ })
    expect(row.textContent).toContain('계세요?')
    expect(within(row).getByTestId('unread').textContent).toBe('2')
    expect(within(row).getByText('안 읽음 2')).toBeTruthy()
  })

  test('that failed can be asked for again', async () => {
    const server = new FakeServer()
    server.status = 503
    const { release } = renderChat(<ConversationList peer={null} />, 'en', server)
    act(release)
    const again = await screen.findByRole('button', { name: 'Try again' })
    server.status = 200
    await userEvent.click(again)
    expect(await screen.findByText('No conversations yet')).toBeTruthy()
  })

  test('shows what failed until something newer comes', async () => {
    const server = new FakeServer()
    const { stored } = server.store(JUNHO, 'newer')
    const failed = (createdAt: number): Pending => ({
      id: 'x',
      peer: JUNHO,
      kind: 'text',
      text: 'refused',
      after: null,
      createdAt,
      status: 'failed',
    })
    const outbox = new MemoryOutbox()
    await outbox.add(MINJI, failed(Date.parse(stored.timestamp) - 1))
    const { release } = renderChat(<ConversationList peer={null} />, 'en', server, outbox)
    act(release)
    const row = await screen.findByRole('button', { name: /junho/ })
    await waitFor(() => expect(row.textContent).toContain('newer'))
    expect(row.textContent).not.toContain('refused')
    await act(() => outbox.update('x', { createdAt: Date.parse(stored.timestamp) + 1 }))
    cleanup()
    const again = renderChat(<ConversationList peer={null} />, 'en', server, outbox)
    act(again.release)
    await waitFor(() => expect(screen.getByRole('button', { name: /junho/ }).textContent).toContain('refused'))
  })

  test('finds whom it has not loaded yet, and claims nothing while it looks', async () => {
    const server = new FakeServer()
    server.listPageSize = 100
    // A new day for each, so that the first page is enough to begin with.
    server.crowd(Array.from({ length: 350 }, (_, index) => new Date(Date.UTC(2026, 10, 24) - index * 86_400_000).toISOString()))
    const { release } = renderChat(<ConversationList peer={null} />, 'en', server)
    act(release)
    await screen.findByRole('button', { name: /hello 0/ })
    server.status = 503
    await userEvent.type(screen.getByRole('searchbox'), 'person-340@example.com')
    await screen.findByText('Older conversations could not be searched')
    expect(screen.queryByText(/No conversation with/)).toBeNull()
    expect(screen.queryByText(/Start a chat/)).toBeNull()
    server.status = 200
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
    expect(await screen.findByRole('button', { name: /hello 340/ })).toBeTruthy()
    expect(screen.queryByText(/Start a chat/)).toBeNull()
    await userEvent.type(screen.getByRole('searchbox'), 'x')
    expect(await screen.findByText(/Start a chat/)).toBeTruthy()
  })

  test('finds by address, and offers what it does not find', async () => {
    const server = new FakeServer()
    server.store(JUNHO, 'hello')
    const { release } = renderChat(<ConversationList peer={null} />, 'en', server)
    act(release)
    const search = await screen.findByRole('searchbox')
    await screen.findByRole('button', { name: /junho/ })
    await userEvent.type(search, 'nobody')
    expect(screen.getByText('No conversation with “nobody”')).toBeTruthy()
    await userEvent.clear(search)
    await userEvent.type(search, 'club@example.com')
    expect(screen.getByRole('button', { name: 'Start a chat with club@example.com' })).toBeTruthy()
    await userEvent.clear(search)
    await userEvent.type(search, 'JUN')
    expect(screen.getByRole('button', { name: /junho/ })).toBeTruthy()
    await userEvent.clear(search)
    await userEvent.type(search, MINJI)
    expect(screen.getByText('You cannot chat with your own address')).toBeTruthy()
  })

  test('is gone through by keyboard, from the search into it and back', async () => {
    await withConversations('club@example.com')
    const search = screen.getByRole('searchbox')
    const [first, second] = [screen.getByRole('button', { name: /club/ }), screen.getByRole('button', { name: /junho/ })]
    const focused = () => document.activeElement
    await userEvent.click(search)
    for (const [key, place] of [
      ['ArrowUp', search],
      ['ArrowDown', first],
      ['ArrowDown', second],
      ['ArrowDown', second],
      ['Home', first],
      ['End', second],
      ['ArrowUp', first],
      ['ArrowUp', search],
    ] as const) {
      await userEvent.keyboard(`{${key}}`)
      expect(focused()).toBe(place)
    }
  })

  test.each([
    ['jun', JUNHO],
    ['club@example.com', 'club@example.com'],
    ['new@example.com', 'new@example.com'],
    ['example', null],
    [' ', null],
  ])('opens what Enter can only mean: %j', async (typed, opened) => {
    history.replaceState(null, '', '/ko/chat/')
    await withConversations('club@example.com', 'the.club@example.com')
    await userEvent.type(screen.getByRole('searchbox'), `${typed}{Enter}`)
    expect(new URLSearchParams(location.search).get('with')).toBe(opened)
  })
})

describe('messages', () => {
  const room = (change: Partial<Room>): Room => ({ ...emptyRoom(JUNHO), ...change })

  test('are a skeleton while they load', () => {
    renderChat(<MessageList room={room({ status: 'loading' })} />)
    expect(screen.getByText('메시지를 불러오는 중')).toBeTruthy()
  })

  test('that failed can be asked for again', async () => {
    const { client, release } = renderChat(<MessageList room={room({ status: 'failed' })} />)
    release()
    const open = vi.spyOn(client, 'open')
    await userEvent.click(within(screen.getByRole('alert')).getByRole('button', { name: '다시 시도' }))
    expect(open).toHaveBeenCalledWith(JUNHO)
  })

  test.each(['loading', 'failed'] as const)('that are %s hide nothing that has not left yet', async (status) => {
    const { client } = renderChat(<MessageList room={room({ status })} />)
    await act(() => client.send(JUNHO, '기다립니다'))
    await act(() => client.send('club@example.com', '다른 대화'))
    expect(screen.getByText('기다립니다')).toBeTruthy()
    expect(screen.getByText('전송 중')).toBeTruthy()
    expect(screen.queryByText('다른 대화')).toBeNull()
  })

  test('that are asked for again keep the focus', async () => {
    const { client } = renderChat(
      <MessageList room={room({ status: 'ready', anchor: 1, messages: [message(2)], older: 'failed' })} />,
    )
    const asked = vi.spyOn(client, 'loadOlder').mockResolvedValue()
    await userEvent.click(within(screen.getByRole('alert')).getByRole('button', { name: '다시 시도' }))
    expect(asked).toHaveBeenCalledWith(JUNHO)
    expect(document.activeElement).toBe(screen.getByRole('region', { name: '메시지' }))
  })

  test('that are none invite to write one', () => {
    renderChat(<MessageList room={room({ status: 'ready', anchor: 0, older: 'none' })} />)
    expect(screen.getByText('junho 님에게 첫 메시지를 보내 보세요')).toBeTruthy()
  })
})

describe('a message', () => {
  const entry: Pending = {
    id: 'x',
    peer: JUNHO,
    kind: 'text',
    text: '보내는 중',
    after: null,
    createdAt: Date.now(),
    status: 'queued',
  }
  const row = (item: Item, change: Partial<Parameters<typeof MessageRow>[0]> = {}) => (
    <ul>
      <MessageRow
        item={item}
        before={null}
        next={null}
        mine
        name="junho"
        readUpTo={null}
        continued={false}
        divider={false}
        {...change}
      />
    </ul>
  )

  test.each<[string, Item, string | null, string]>([
    ['that is on its way', entry, null, '전송 중'],
    ['that is stored', message(1), null, '보냄'],
    ['that was read by its row', message(1, { read: true }), null, '읽음'],
    ['that was read by the mark', message(1), message(1).timestamp, '읽음'],
    ['that was refused', { ...entry, status: 'failed', reason: 'badRequest' }, null, '전송 실패'],
  ])('%s says so in words', (_, item, readUpTo, words) => {
    renderChat(row(item, { readUpTo }))
    expect(screen.getAllByText(words).length).toBeGreaterThan(0)
  })

  test('of somebody else has no state', () => {
    renderChat(row(message(2), { mine: false }))
    expect(document.querySelector('[data-status]')).toBeNull()
    expect(screen.getByText('junho:')).toBeTruthy()
  })

  test('that waits says why', async () => {
    renderChat(row({ ...entry, reason: 'rateLimited' }))
    expect(await screen.findByText(/잠시 후 자동으로 다시 보냅니다/)).toBeTruthy()
  })

  test.each([
    ['internal', '서버가 응답하지 않습니다. 자동으로 다시 보냅니다.'],
    ['unavailable', '서버가 응답하지 않습니다. 자동으로 다시 보냅니다.'],
  ] as const)('that waits for a server in trouble says so: %s', async (reason, words) => {
    renderChat(row({ ...entry, reason }))
    expect(await screen.findByText(words)).toBeTruthy()
  })

  test('that this device does not keep says so', async () => {
    const outbox = new MemoryOutbox()
    vi.spyOn(outbox, 'add').mockRejectedValue(new DOMException('full', 'QuotaExceededError'))
    const { client } = renderChat(null, 'ko', new FakeServer(), outbox)
    await act(() => client.send(JUNHO, '자리 없음'))
    const [kept] = client.state.pending
    expect(kept).toMatchObject({ status: 'failed', reason: 'notKept' })
    cleanup()
    renderChat(row(kept as Pending))
    expect(await screen.findByText(/이 기기에 저장하지 못했습니다/)).toBeTruthy()
  })

  test('that was refused can be sent again, or deleted', async () => {
    const { client } = renderChat(row({ ...entry, status: 'failed', reason: 'idReused' }))
    const [retry, discard] = [vi.spyOn(client, 'retry').mockResolvedValue(), vi.spyOn(client, 'discard').mockResolvedValue()]
    expect(await screen.findByText(/이 메시지는 보낼 수 없습니다/)).toBeTruthy()
    // A row comes and goes with scrolling: what is said once is said elsewhere.
    expect(screen.queryByRole('alert')).toBeNull()
    await userEvent.click(screen.getByRole('button', { name: '다시 보내기' }))
    await userEvent.click(screen.getByRole('button', { name: '삭제' }))
    expect(retry).toHaveBeenCalledWith('x')
    expect(discard).toHaveBeenCalledWith('x')
  })

  test('that was erased says so', () => {
    renderChat(row(message(1, { kind: 'erased', message: '' })))
    expect(screen.getByText('지워진 메시지입니다')).toBeTruthy()
  })

  test('of another kind is told in words', async () => {
    const proposal = { teamName: '한강 FC', opponentTeamName: '서울숲', matchAt: '2026-12-05T05:00:00.000Z', place: '여의도' }
    renderChat(row(message(1, { kind: 'matchProposal', message: '', proposal })))
    expect(await screen.findByText('경기 제안')).toBeTruthy()
    expect(screen.getByText('여의도')).toBeTruthy()
  })
})

describe('the field', () => {
  test('sends what is typed, and nothing when it is blank', async () => {
    const { client } = renderChat(<Composer peer={JUNHO} onPick={() => {}} />)
    const send = vi.spyOn(client, 'send').mockResolvedValue()
    const field = screen.getByRole('textbox') as HTMLTextAreaElement
    expect((screen.getByRole('button', { name: '보내기' }) as HTMLButtonElement).disabled).toBe(true)
    await userEvent.type(field, '   {Enter}')
    expect(send).not.toHaveBeenCalled()
    await userEvent.clear(field)
    await userEvent.type(field, '안녕{Enter}')
    expect(send).toHaveBeenCalledWith(JUNHO, '안녕', undefined)
    expect(field.value).toBe('')
  })

  test('leaves the draft of another tab alone', async () => {
    const { client, unmount } = renderChat(<Composer peer={JUNHO} onPick={() => {}} />)
    vi.spyOn(client, 'send').mockResolvedValue()
    await userEvent.type(screen.getByRole('textbox'), '안녕')
    const [key] = Object.keys(localStorage)
    localStorage.setItem(key ?? '', '다른 탭')
    await userEvent.type(screen.getByRole('textbox'), '{Enter}')
    unmount()
    renderChat(<Composer peer={JUNHO} onPick={() => {}} />)
    expect((screen.getByRole('textbox') as HTMLTextAreaElement).value).toBe('다른 탭')
  })

  test('keeps what is written here when another tab sends its own words, and takes those for its draft', async () => {
    const { unmount } = renderChat(<Composer peer={JUNHO} onPick={() => {}} />)
    const field = screen.getByRole('textbox') as HTMLTextAreaElement
    const other = new BroadcastChannel('chat.drafts')
    const key = `chat.draft:${MINJI}:${JUNHO}`
    other.postMessage({ key, before: '', now: '저쪽' })
    await waitFor(() => expect(field.value).toBe('저쪽'))
    await userEvent.clear(field)
    await userEvent.type(field, '이쪽')
    // It takes away what it believes to be its own, and a browser says that it was what is written here.
    localStorage.removeItem(key)
    fireEvent(window, new StorageEvent('storage', { key, oldValue: '이쪽', newValue: null }))
    other.postMessage({ key, before: '저쪽', now: '' })
    await waitFor(() => expect(localStorage.getItem(key)).toBe('이쪽'))
    expect(field.value).toBe('이쪽')
    // The same words are gone where they were sent from another tab.
    other.postMessage({ key, before: '이쪽', now: '' })
    await waitFor(() => expect(field.value).toBe(''))
    // Whoever has written nothing here sees what is written there, whatever was there before.
    other.postMessage({ key, before: '그사이', now: '그사이에' })
    await waitFor(() => expect(field.value).toBe('그사이에'))
    other.close()
    unmount()
  })

  test('keeps what was sent as a draft until it is kept as a message', async () => {
    const { client } = renderChat(<Composer peer={JUNHO} onPick={() => {}} />)
    let kept = () => {}
    vi.spyOn(client, 'send').mockReturnValue(new Promise((resolve) => (kept = resolve)))
    await userEvent.type(screen.getByRole('textbox'), '안녕{Enter}')
    const drafts = () => Object.values({ ...localStorage })
    expect(drafts()).toEqual(['안녕'])
    kept()
    await waitFor(() => expect(drafts()).toEqual([]))
  })

  test('keeps a draft for each conversation', async () => {
    const first = renderChat(<Composer peer={JUNHO} onPick={() => {}} />)
    await userEvent.type(screen.getByRole('textbox'), '쓰다 만')
    first.unmount()
    renderChat(<Composer peer="club@example.com" onPick={() => {}} />)
    expect((screen.getByRole('textbox') as HTMLTextAreaElement).value).toBe('')
    cleanup()
    renderChat(<Composer peer={JUNHO} onPick={() => {}} />)
    expect((screen.getByRole('textbox') as HTMLTextAreaElement).value).toBe('쓰다 만')
  })
})

describe('the banner', () => {
  test('says that the browser keeps nothing when that turns out, and as long as it matters', async () => {
    const { link } = renderChat(<Banner onSignIn={() => {}} />, 'en', new FakeServer(), new MemoryOutbox())
    act(() => link.open())
    await waitFor(() => expect(screen.getByRole('status').textContent).toContain('keeps nothing'))
    expect(screen.getByRole('status').textContent).not.toContain('Reconnecting')
    await waitFor(() => expect(screen.getByRole('status').textContent).toBe(''), { timeout: 20_000 })
    act(() => link.cut())
    await waitFor(() => expect(screen.getByRole('status').textContent).toMatch(/Reconnecting.*keeps nothing/))
  })

  test('is silent while all is well, and asks to sign in when the session has ended', async () => {
    const server = new FakeServer()
    const expired = vi.fn()
    const { link, release } = renderChat(<Banner onSignIn={expired} />, 'ko', server)
    act(() => link.open())
    expect(screen.getByRole('status').textContent).toBe('')
    server.status = 401
    release()
    await waitFor(() => expect(screen.getByRole('status').textContent).toContain('로그인이 만료되었습니다'))
    await userEvent.click(screen.getByRole('button', { name: '다시 로그인' }))
    expect(expired).toHaveBeenCalled()
  })
})

describe('a new message', () => {
  const shown: string[] = []
  const told: FakeNotification[] = []
  const closed: FakeNotification[] = []
  class FakeNotification {
    static permission = 'granted'
    onclick: (() => void) | null = null
    constructor(
      title: string,
      readonly options: { body: string; tag: string; renotify: boolean },
    ) {
      shown.push(`${title}: ${options.body}`)
      told.push(this)
    }
    close(): void {
      closed.push(this)
    }
  }
  const look = (state: DocumentVisibilityState, focused = state === 'visible') => {
    vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state)
    vi.spyOn(document, 'hasFocus').mockReturnValue(focused)
  }

  beforeEach(() => {
    shown.length = told.length = closed.length = 0
    vi.stubGlobal('Notification', FakeNotification)
  })

  test('is spoken, and notified only to those who asked for it and look elsewhere', async () => {
    const { link, server, release } = renderChat(<Incoming />)
    release()
    act(() => link.open())
    look('visible')
    act(() => void server.store(JUNHO, '보고 있음'))
    await waitFor(() => expect(screen.getByTestId('spoken').textContent).toBe('junho: 보고 있음'))
    look('hidden')
    act(() => void server.store(JUNHO, '켜지 않음'))
    await waitFor(() => expect(screen.getByTestId('spoken').textContent).toBe('junho: 켜지 않음'))
    localStorage.setItem('chat.notify', 'on')
    act(() => void server.store(JUNHO, '알림'))
    await waitFor(() => expect(shown).toContain('junho: 알림'))
    look('visible', false)
    act(() => void server.store(JUNHO, '옆 창'))
    await waitFor(() => expect(shown).toContain('junho: 옆 창'))
    expect(shown).not.toContain('junho: 보고 있음')
  })

  test('of the same conversation is heard again, whole letters of it, and taken back when it was read elsewhere', async () => {
    const { link, server, release } = renderChat(<Incoming />)
    release()
    act(() => link.open())
    look('hidden')
    localStorage.setItem('chat.notify', 'on')
    act(() => void server.store(JUNHO, '하나'))
    await waitFor(() => expect(shown).toEqual(['junho: 하나']))
    let last = server.store(JUNHO, `${'가'.repeat(199)}👨‍👩‍👧 끝`).stored
    await waitFor(() => expect(shown[1]).toBe(`junho: ${'가'.repeat(199)}`))
    expect(told.map(({ options }) => options.renotify)).toEqual([true, true])
    expect(told[0]?.options.tag).toBe(told[1]?.options.tag)
    expect(closed).toEqual([])
    const read = () => link.push({ type: 'read', roomId: last.roomId, readerEmail: MINJI, upTo: last.timestamp })
    act(read)
    await waitFor(() => expect(closed).toEqual([told[1]]))
    last = server.store(JUNHO, '둘').stored
    await waitFor(() => expect(told).toHaveLength(3))
    act(read)
    await waitFor(() => expect(closed).toEqual(told.slice(1)))
  })

  test('that says the same again is spoken again', async () => {
    const { link, server, release } = renderChat(<Incoming />)
    release()
    act(() => link.open())
    act(() => void server.store(JUNHO, 'ㅋㅋ'))
    await waitFor(() => expect(screen.getByTestId('spoken').textContent).toBe('junho: ㅋㅋ'))
    const before = screen.getByTestId('spoken').firstElementChild
    act(() => void server.store(JUNHO, 'ㅋㅋ'))
    await waitFor(() => expect(screen.getByTestId('spoken').firstElementChild).not.toBe(before))
    expect(screen.getByTestId('spoken').textContent).toBe('junho: ㅋㅋ')
  })

  test('of one’s own is neither', async () => {
    const { link, server, release } = renderChat(<Incoming />)
    release()
    act(() => link.open())
    act(() => {
      server.store(MINJI, '다른 기기에서')
      server.store(JUNHO, '답')
    })
    await waitFor(() => expect(screen.getByTestId('spoken').textContent).toBe('junho: 답'))
  })
})

describe('what failed', () => {
  test('is said once, and again when it fails again', async () => {
    const { client, link, release } = renderChat(<Incoming />)
    act(release)
    act(() => link.open())
    const refuse = { code: 'badRequest', retryable: false } as const
    link.refuse.push(refuse, refuse)
    await act(() => client.send(JUNHO, 'refused'))
    const spoken = () => screen.getByTestId('failed')
    await waitFor(() => expect(spoken().textContent).toContain('전송 실패'))
    expect(spoken().getAttribute('role')).toBe('alert')
    const said = spoken().firstElementChild
    await act(() => client.send(JUNHO, 'another'))
    await waitFor(() => expect(client.state.pending.filter(({ status }) => status === 'failed')).toHaveLength(2))
    await waitFor(() => expect(spoken().firstElementChild).not.toBe(said))
  })
})

describe('code that is fetched on demand', () => {
  test('is asked for again after it did not come', async () => {
    let fails = true
    const load = vi.fn(async () => {
      if (fails) throw new Error('offline')
      return { default: ({ name }: { name: string }) => <p>hello {name}</p> }
    })
    const part = new Part(load)
    render(
      <OnDemand
        part={part}
        props={{ name: 'minji' }}
        waiting={<p>waiting</p>}
        failed={(retry) => (
          <button type="button" onClick={retry}>
            again
          </button>
        )}
      />,
    )
    expect(screen.getByText('waiting')).toBeTruthy()
    const again = await screen.findByRole('button')
    fails = false
    await userEvent.click(again)
    expect(await screen.findByText('hello minji')).toBeTruthy()
    expect(load).toHaveBeenCalledTimes(2)
  })
})
