import { type ServerFrame, SocketTransport, type Tokens } from 'chat-core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

/** A browser's WebSocket, driven by the test. */
class FakeSocket extends EventTarget {
  static readonly made: FakeSocket[] = []
  readyState = 0
  readonly sent: { action: string }[] = []

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    super()
    FakeSocket.made.push(this)
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data))
  }

  close(): void {
    this.readyState = 3
  }

  open(): void {
    this.readyState = 1
    this.dispatchEvent(new Event('open'))
  }

  drop(): void {
    this.readyState = 3
    this.dispatchEvent(Object.assign(new Event('close'), { code: 1006, reason: '' }))
  }

  say(data: unknown): void {
    this.dispatchEvent(new MessageEvent('message', { data: typeof data === 'string' ? data : JSON.stringify(data) }))
  }
}

const MINUTE = 60_000
let transport: SocketTransport
let events: string[]
let token: string
const tokens: Tokens = { get: async () => token, renew: async () => token }
const newest = (): FakeSocket => FakeSocket.made.at(-1) as FakeSocket
const opened = async (): Promise<FakeSocket> => {
  await vi.advanceTimersByTimeAsync(0)
  newest().open()
  return newest()
}

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.made.length = 0
  events = []
  token = 'first'
  const listener = {
    opened: () => events.push('opened'),
    closed: (wasOpen: boolean) => events.push(wasOpen ? 'closed' : 'refused'),
    frame: (frame: ServerFrame) => events.push(frame.type),
    gatewayFailed: () => events.push('gateway failed'),
  }
  transport = new SocketTransport('wss://chat.example/prod', tokens, listener, (url, protocols) => new FakeSocket(url, protocols))
})
afterEach(() => {
  transport.close()
  vi.useRealTimers()
})

describe('the socket', () => {
  test('gives its token as a subprotocol, never in the URL', async () => {
    await opened()
    expect([newest().url, newest().protocols]).toEqual(['wss://chat.example/prod', ['chat.v1', 'first']])
    expect(events).toEqual(['opened'])
  })

  test('is asked for a newer token each time it connects', async () => {
    const first = await opened()
    token = 'second'
    first.drop()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(newest().protocols).toEqual(['chat.v1', 'second'])
    expect(events).toEqual(['opened', 'closed'])
  })

  test('keeps nothing for later: what does not leave is the outbox’s', async () => {
    expect(transport.send({ action: 'ping' })).toBe(false)
    const socket = await opened()
    expect(socket.sent).toEqual([])
    expect(transport.send({ action: 'ping' })).toBe(true)
    expect(socket.sent).toEqual([{ action: 'ping' }])
  })

  test('pings before ten silent minutes are over, and stays when it is answered', async () => {
    const socket = await opened()
    await vi.advanceTimersByTimeAsync(9 * MINUTE)
    expect(socket.sent).toEqual([{ action: 'ping', quiet: true }])
    await vi.advanceTimersByTimeAsync(8.7 * MINUTE)
    expect(socket.sent).toEqual([{ action: 'ping', quiet: true }, { action: 'ping' }])
    socket.say({ type: 'pong', serverTime: '' })
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(newest()).toBe(socket)
  })

  test('over which nothing comes any more is found out within 18 minutes by somebody who only looks on', async () => {
    const socket = await opened()
    await vi.advanceTimersByTimeAsync(18 * MINUTE)
    expect(newest()).not.toBe(socket)
  })

  test('that is dead is found out within 20 seconds of its next use', async () => {
    const socket = await opened()
    transport.send({ action: 'markRead', peerEmail: 'junho@example.com', upTo: '2026-11-23T09:00:00.000Z' })
    await vi.advanceTimersByTimeAsync(20_000)
    expect(newest()).not.toBe(socket)
  })

  test('that answers what was sent is asked nothing more', async () => {
    const socket = await opened()
    const mark = { action: 'markRead', peerEmail: 'junho@example.com', upTo: '2026-11-23T09:00:00.000Z' } as const
    transport.send(mark)
    socket.say({ type: 'read', roomId: '', readerEmail: '', upTo: '' })
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(socket.sent).toEqual([mark])
  })

  test('is not doubted when nobody answers that one types', async () => {
    const socket = await opened()
    const typing = { action: 'typing', receiverEmail: 'junho@example.com' } as const
    transport.send(typing)
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(socket.sent).toEqual([typing])
  })

  test('that answers no ping is dead, and replaced', async () => {
    const socket = await opened()
    transport.check()
    await vi.advanceTimersByTimeAsync(10_000)
    await vi.advanceTimersByTimeAsync(100)
    expect(events).toEqual(['opened', 'closed'])
    expect(newest()).not.toBe(socket)
    // What the dead one still says is not heard.
    newest().open()
    socket.say({ type: 'pong', serverTime: '' })
    expect(events).toEqual(['opened', 'closed', 'opened'])
  })

  test('any frame proves that it lives', async () => {
    const socket = await opened()
    transport.check()
    socket.say({ type: 'typing', roomId: '', senderEmail: '' })
    await vi.advanceTimersByTimeAsync(20_000)
    expect(newest()).toBe(socket)
  })

  test('is replaced before the gateway cuts it after two hours', async () => {
    const socket = await opened()
    for (let minutes = 0; minutes < 116; minutes += 1) {
      await vi.advanceTimersByTimeAsync(MINUTE)
      newest().say({ type: 'pong', serverTime: '' })
    }
    expect(newest()).not.toBe(socket)
    expect(socket.readyState).toBe(3)
  })

  test('comes back sooner or later, ever more patiently', async () => {
    const tries = async (ms: number) => {
      const before = FakeSocket.made.length
      for (let passed = 0; passed < ms; passed += 100) {
        await vi.advanceTimersByTimeAsync(100)
        if (newest().readyState === 0) newest().drop()
      }
      return FakeSocket.made.length - before
    }
    await vi.advanceTimersByTimeAsync(0)
    newest().drop()
    expect(await tries(5_000)).toBeGreaterThanOrEqual(2)
    await tries(60_000)
    const late = await tries(60_000)
    expect(late).toBeGreaterThanOrEqual(3)
    expect(late).toBeLessThanOrEqual(5)
    expect(events.every((event) => event === 'refused')).toBe(true)
  })

  test('that does not open in time is given up, and tried again', async () => {
    await vi.advanceTimersByTimeAsync(0)
    const socket = newest()
    await vi.advanceTimersByTimeAsync(15_000)
    expect([events, socket.readyState]).toEqual([['refused'], 3])
    await vi.advanceTimersByTimeAsync(1_500)
    newest().open()
    // Whatever the one before says is not heard.
    socket.open()
    expect(events).toEqual(['refused', 'opened'])
  })

  test('without a token, or with one that is none, is refused, and asks for another one', async () => {
    const refusals = [Promise.reject(new Error('no token')), Promise.reject(new Error('still none'))]
    for (const refusal of refusals) refusal.catch(() => {})
    vi.spyOn(tokens, 'get').mockImplementation(() => refusals.shift() ?? Promise.resolve(token))
    transport.renew()
    await vi.advanceTimersByTimeAsync(0)
    expect(events).toEqual(['refused'])
    await vi.advanceTimersByTimeAsync(1_600)
    await vi.advanceTimersByTimeAsync(2_500)
    newest().open()
    expect(events).toEqual(['refused', 'refused', 'opened'])
    vi.restoreAllMocks()
  })

  test('tells of one failure once', async () => {
    const socket = await opened()
    socket.dispatchEvent(new Event('error'))
    socket.drop()
    expect(events).toEqual(['opened', 'closed'])
  })

  test('waiting for its next attempt connects at once when asked', async () => {
    await opened()
    newest().drop()
    const before = FakeSocket.made.length
    transport.check()
    await vi.advanceTimersByTimeAsync(0)
    expect(FakeSocket.made.length).toBe(before + 1)
  })

  test('hears frames, the gateway’s own words, and nothing in noise', async () => {
    const socket = await opened()
    socket.say({ type: 'pong', serverTime: '' })
    socket.say({ message: 'Internal server error', connectionId: 'c', requestId: 'r' })
    for (const noise of ['', 'null', '7', '{', '{}', '[]']) socket.say(noise)
    expect(events).toEqual(['opened', 'pong', 'gateway failed'])
  })

  test('that was closed for good stays closed', async () => {
    await opened()
    transport.close()
    const made = FakeSocket.made.length
    await vi.advanceTimersByTimeAsync(10 * MINUTE)
    expect(FakeSocket.made.length).toBe(made)
  })
})
