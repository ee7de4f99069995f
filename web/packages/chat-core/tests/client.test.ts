import 'fake-indexeddb/auto'
import type { MessageBody } from 'chat-core'
import {
  ChatClient,
  EPOCH,
  IndexedDbOutbox,
  listedConversations,
  MemoryOutbox,
  NoTabs,
  type Outbox,
  Outdated,
  type ReadyImage,
  SignedOut,
  type TabMessage,
  type Tabs,
  type Tokens,
  totalUnread,
} from 'chat-core'
import { at, type FakeLink, FakeServer, JUNHO, MINJI } from 'chat-core/testing'
import fc from 'fast-check'
import { deleteDB, openDB } from 'idb'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { browser } from './support/browser'

const clients: ChatClient[] = []
let server: FakeServer

beforeEach(() => {
  server = new FakeServer()
})
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
  vi.restoreAllMocks()
})

interface Page {
  client: ChatClient
  link: FakeLink
}

function tokens(change: Partial<Tokens> = {}): Tokens {
  return { get: async () => 'token', renew: async () => 'newer token', ...change }
}

function page(
  change: {
    me?: string
    /** `browser`: the one that the browser has. */
    outbox?: Outbox | 'browser'
    tokens?: Tokens
    tabs?: (listener: (message: TabMessage) => void) => Tabs
    online?: boolean
  } = {},
): Page {
  const me = change.me ?? MINJI
  let link: FakeLink | undefined
  const client = new ChatClient({
    me,
    wsUrl: 'ws://chat.example/prod',
    restUrl: 'http://chat.example',
    tokens: change.tokens ?? tokens(),
    ...(change.outbox === 'browser' ? {} : { outbox: change.outbox ?? new MemoryOutbox() }),
    tabs: change.tabs ?? (() => new NoTabs()),
    fetch: server.fetcher(me),
    put: server.put,
    transport: (listener) => {
      link = server.connect(me, listener)
      return link
    },
  })
  clients.push(client)
  const made = { client, link: link as FakeLink }
  if (change.online !== false) made.link.open()
  return made
}

const texts = (client: ChatClient, peer = JUNHO): string[] => client.state.rooms[peer]?.messages.map(({ message }) => message) ?? []
const until = (condition: () => void | Promise<void>): Promise<void> => vi.waitFor(condition, { timeout: 30_000, interval: 5 })

describe('sending', () => {
  test('stores once, in order, one at a time', async () => {
    const { client } = page()
    for (const text of ['one', 'two', 'three']) void client.send(JUNHO, text)
    expect(client.state.pending.map(({ text }) => text)).toEqual(['one', 'two', 'three'])
    await until(() => expect(texts(client)).toEqual(['one', 'two', 'three']))
    expect(client.state.pending).toEqual([])
    expect(server.messages.map(({ message }) => message)).toEqual(['one', 'two', 'three'])
  })

  test('while offline waits, survives the page, and is delivered once by the next one', async () => {
    const outbox = new IndexedDbOutbox(`survives-${crypto.randomUUID()}`)
    const first = page({ outbox, online: false })
    await Promise.all(['one', 'two', 'three'].map((text) => first.client.send(JUNHO, text)))
    expect(server.messages).toEqual([])
    first.client.close()

    const second = page({ outbox, online: false })
    await until(() => expect(second.client.state.pending.map(({ text }) => text)).toEqual(['one', 'two', 'three']))
    second.link.open()
    await until(() => expect(server.messages.map(({ message }) => message)).toEqual(['one', 'two', 'three']))
    await until(() => expect(second.client.state.pending).toEqual([]))
    expect(await outbox.all(MINJI)).toEqual([])
  })

  test('nothing yet is kept for who comes back, unless this browser keeps nothing or did not take it', async () => {
    const outbox = new IndexedDbOutbox(`unsent-${crypto.randomUUID()}`)
    const { client } = page({ outbox, online: false })
    expect(client.unsent()).toEqual({ kept: 0, lost: 0 })
    await client.send(JUNHO, 'one')
    vi.spyOn(outbox, 'add').mockRejectedValueOnce(new DOMException('full', 'QuotaExceededError'))
    await client.send(JUNHO, 'two')
    expect(client.unsent()).toEqual({ kept: 1, lost: 1 })
    const { client: forgetful } = page({ online: false })
    await forgetful.send(JUNHO, 'one')
    expect(forgetful.unsent()).toEqual({ kept: 0, lost: 1 })
  })

  test('again after a lost acknowledgement gets the original one', async () => {
    const { client, link } = page()
    link.loseAcks = 1
    void client.send(JUNHO, 'hello')
    await until(() => expect(server.messages).toHaveLength(1))
    link.cut()
    link.open()
    await until(() => expect(client.state.pending).toEqual([]))
    expect(server.messages).toHaveLength(1)
    const attempts = server.received.filter((frame) => frame.action === 'sendMessage')
    expect(attempts.length).toBe(2)
    expect(attempts[1]).toEqual(attempts[0])
  })

  test('carries the newest timestamp that was known when it was written', async () => {
    server.store(JUNHO, 'first')
    const { client } = page()
    client.open(JUNHO)
    await until(() => expect(texts(client)).toEqual(['first']))
    void client.send(JUNHO, 'second')
    await until(() => expect(server.messages).toHaveLength(2))
    expect(server.received.find((frame) => frame.action === 'sendMessage')).toMatchObject({ after: at(1) })
  })

  test('to a conversation that was never looked at asks before the first attempt', async () => {
    const outbox = new MemoryOutbox()
    const { client, link } = page({ outbox, online: false })
    server.status = 503
    await client.send(JUNHO, 'blind')
    expect((await outbox.all(MINJI))[0]?.after).toBeNull()
    server.status = 200
    link.open()
    await until(() => expect(server.messages).toHaveLength(1))
    expect(server.received.find((frame) => frame.action === 'sendMessage')).toMatchObject({ after: EPOCH })
  })

  test('that is refused for good stays, with the reason, until it is sent again or discarded', async () => {
    const { client, link } = page()
    link.refuse.push({ code: 'badRequest', retryable: false }, { code: 'badRequest', retryable: false })
    void client.send(JUNHO, 'no')
    void client.send(JUNHO, 'never')
    await until(() =>
      expect(client.state.pending.map(({ status, reason }) => [status, reason])).toEqual([
        ['failed', 'badRequest'],
        ['failed', 'badRequest'],
      ]),
    )
    const [no, never] = client.state.pending
    await client.discard(never?.id ?? '')
    await client.retry(no?.id ?? '')
    await until(() => expect(server.messages.map(({ message }) => message)).toEqual(['no']))
    await until(() => expect(client.state.pending).toEqual([]))
  })

  test('works where a page was not loaded securely', async () => {
    vi.spyOn(crypto, 'randomUUID').mockImplementation(() => {
      throw new TypeError('crypto.randomUUID is not a function')
    })
    const { client } = page()
    for (const text of ['one', 'two']) void client.send(JUNHO, text)
    await until(() => expect(texts(client)).toEqual(['one', 'two']))
    const ids = server.messages.map(({ clientMessageId }) => clientMessageId)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(new Set(ids).size).toBe(2)
    vi.mocked(crypto.randomUUID).mockRestore()
  })

  test('to a conversation that could not be loaded loads it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      server.store(JUNHO, 'first')
      const { client } = page()
      await vi.advanceTimersByTimeAsync(100)
      server.status = 503
      client.open(JUNHO)
      // Past the second sync.
      await vi.advanceTimersByTimeAsync(6_000)
      expect(client.state.rooms[JUNHO]?.status).toBe('failed')
      server.status = 200
      void client.send(JUNHO, 'second')
      await vi.advanceTimersByTimeAsync(100)
      expect(client.state.rooms[JUNHO]?.status).toBe('ready')
      expect(texts(client)).toEqual(['first', 'second'])
    } finally {
      vi.useRealTimers()
    }
  })

  test('that is sent again twice by hand is stored once, though the first acknowledgement is lost', async () => {
    const { client, link } = page()
    link.refuse.push({ code: 'badRequest', retryable: false })
    void client.send(JUNHO, 'no')
    await until(() => expect(client.state.pending[0]?.status).toBe('failed'))
    const id = client.state.pending[0]?.id ?? ''
    link.loseAcks = 1
    await client.retry(id)
    await until(() => expect(server.messages).toHaveLength(1))
    // In a tab that has not heard of the first time.
    await client.retry(id)
    link.cut()
    link.open()
    await until(() => expect(client.state.pending).toEqual([]))
    const attempts = server.received.filter((frame) => frame.action === 'sendMessage')
    expect(attempts.length).toBe(3)
    expect(attempts[2]).toEqual(attempts[1])
  })

  test('to a server that forgot everything delivers once, in order, and shows nothing of before', async () => {
    for (const text of ['old 1', 'old 2', 'old 3']) server.store(JUNHO, text)
    const mine = page()
    const theirs = page({ me: JUNHO })
    const aside = page({ me: JUNHO })
    const told: string[] = []
    theirs.client.onIncoming(({ message }) => told.push(message))
    mine.client.open(JUNHO)
    theirs.client.open(MINJI)
    await until(() => expect([texts(mine.client), texts(theirs.client, MINJI)].flat()).toHaveLength(6))
    await until(() => expect(aside.client.state.rooms[MINJI]?.last?.seq).toBe(3))

    for (const { link } of [mine, theirs, aside]) link.cut()
    for (const text of ['one', 'two', 'three']) void mine.client.send(JUNHO, text)
    server.forget()
    for (const { link } of [theirs, aside, mine]) link.open()
    const expected = ['one', 'two', 'three']
    await until(() => expect(texts(mine.client)).toEqual(expected))
    await until(() => expect(texts(theirs.client, MINJI)).toEqual(expected))
    await until(() => expect(aside.client.state.rooms[MINJI]?.last?.preview).toBe('three'))
    expect(server.messages.map(({ message }) => message)).toEqual(expected)
    expect(mine.client.state.pending).toEqual([])
    await until(() => expect(told).toEqual(expected))

    void theirs.client.send(MINJI, 'four')
    await until(() => expect(texts(mine.client)).toEqual([...expected, 'four']))
  })

  test('nothing of a server that forgot everything is shown once the page is back', async () => {
    for (const text of ['old 1', 'old 2']) server.store(JUNHO, text)
    const { client, link } = page()
    const aside = page({ me: JUNHO })
    client.open(JUNHO)
    await until(() => expect(texts(client)).toHaveLength(2))
    await until(() => expect(aside.client.state.rooms[MINJI]?.last?.seq).toBe(2))
    for (const one of [link, aside.link]) one.cut()
    server.forget()
    for (const one of [link, aside.link]) one.open()
    await until(() => expect(client.state.rooms[JUNHO]?.status).toBe('ready'))
    await until(() => expect(client.state.rooms[JUNHO]?.messages).toEqual([]))
    await until(() => expect(aside.client.state.rooms[MINJI]?.last).toBeNull())
    expect(client.state.rooms[JUNHO]?.last).toBeNull()
  })

  test('does not let what is queued be discarded: it may be stored already', async () => {
    const { client, link } = page()
    link.loseAcks = 9
    await client.send(JUNHO, 'queued')
    await client.discard(client.state.pending[0]?.id ?? '')
    expect(client.state.pending).toHaveLength(1)
  })

  test('lets be discarded what was written without a connection, which nobody can have sent', async () => {
    const { client, link } = page({ online: false })
    await client.send(JUNHO, 'queued')
    await client.discard(client.state.pending[0]?.id ?? '')
    expect(client.state.pending).toHaveLength(0)
    link.open()
    await client.send(JUNHO, 'other')
    await until(() => expect(server.messages.map(({ message }) => message)).toEqual(['other']))
  })

  test('too fast waits and goes on by itself', async () => {
    const { client, link } = page()
    link.refuse.push({ code: 'rateLimited', retryable: true })
    void client.send(JUNHO, 'slow down')
    await until(() => expect(client.state.pending[0]?.reason).toBe('rateLimited'))
    await until(() => expect(client.state.pending).toEqual([]))
    expect(server.messages).toHaveLength(1)
  })

  test('whose answer is lost on a connection that lives is sent again within seconds, and more patiently each time', async () => {
    const { client, link } = page()
    await until(() => expect(client.state.list.status).toBe('ready'))
    const attempts = () => server.received.filter((frame) => frame.action === 'sendMessage').length
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      link.loseAcks = link.losePushes = 3
      await client.send(JUNHO, 'one')
      for (const [seconds, count] of [
        [11, 1],
        [2, 2],
        [18, 2],
        [2, 3],
      ] as const) {
        await vi.advanceTimersByTimeAsync(seconds * 1_000)
        expect(attempts()).toBe(count)
        if (count > 1) expect(client.state.pending[0]?.reason).toBe('unanswered')
      }
      await vi.advanceTimersByTimeAsync(36_000)
      expect(client.state.pending).toEqual([])
    } finally {
      vi.useRealTimers()
    }
    expect(server.messages).toHaveLength(1)
  })

  test('that is not answered within five seconds says so, and has the connection looked at', async () => {
    const { client, link } = page()
    await until(() => expect(client.state.list.status).toBe('ready'))
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      link.loseAcks = 1
      await client.send(JUNHO, 'one')
      await vi.advanceTimersByTimeAsync(4_900)
      expect([client.state.pending[0]?.reason, link.checked]).toEqual([undefined, 0])
      await vi.advanceTimersByTimeAsync(200)
      expect([client.state.pending[0]?.reason, link.checked]).toEqual(['unanswered', 1])
      link.cut()
      await vi.advanceTimersByTimeAsync(0)
      expect(client.state.pending[0]?.reason).toBeUndefined()
    } finally {
      vi.useRealTimers()
    }
    link.open()
    await until(() => expect(texts(client)).toEqual(['one']))
  })

  test('with an expired login extends it and goes on', async () => {
    const { client, link } = page()
    link.refuse.push({ code: 'authExpired', retryable: true })
    void client.send(JUNHO, 'hello')
    await until(() => expect(server.messages).toHaveLength(1))
    expect(server.received.filter((frame) => frame.action === 'reauth')).toEqual([{ action: 'reauth', token: 'newer token' }])
  })

  test('over a connection that the server forgot connects anew', async () => {
    const { client, link } = page()
    link.refuse.push({ code: 'unknownConnection', retryable: true })
    void client.send(JUNHO, 'hello')
    await until(() => expect(server.messages).toHaveLength(1))
    expect(link.renewed).toBe(1)
  })

  test('after too much was written looks for itself: stored already', async () => {
    const { client, link } = page()
    link.loseAcks = 1
    void client.send(JUNHO, 'hello')
    await until(() => expect(server.messages).toHaveLength(1))
    for (let count = 0; count < 120; count += 1) server.store(JUNHO, `noise ${count}`)
    link.refuse.push({ code: 'resyncNeeded', retryable: true })
    link.cut()
    link.open()
    await until(() => expect(client.state.pending).toEqual([]))
    expect(server.messages.filter(({ message }) => message === 'hello')).toHaveLength(1)
  })

  test('after too much was written looks for itself: not stored', async () => {
    const { client, link } = page()
    for (let count = 0; count < 120; count += 1) server.store(JUNHO, `noise ${count}`)
    link.refuse.push({ code: 'resyncNeeded', retryable: true })
    void client.send(JUNHO, 'hello')
    await until(() => expect(client.state.pending).toEqual([]))
    expect(server.received.filter((frame) => frame.action === 'sendMessage').at(-1)).toMatchObject({ after: at(120) })
  })

  test('when the gateway fails tries again', async () => {
    const { client, link } = page()
    link.loseAcks = 1
    void client.send(JUNHO, 'hello')
    await until(() => expect(server.messages).toHaveLength(1))
    ;(link as unknown as { listener: { gatewayFailed(): void } }).listener.gatewayFailed()
    await until(() => expect(client.state.pending).toEqual([]))
    expect(server.messages).toHaveLength(1)
  })

  test('survives any loss of acknowledgements, pushes and connections, once and in order', async () => {
    const trouble = fc.record({
      loseAcks: fc.nat(2),
      losePushes: fc.nat(3),
      cut: fc.boolean(),
      noise: fc.nat(3),
      crash: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(trouble, { minLength: 1, maxLength: 6 }), async (steps) => {
        server = new FakeServer()
        server.pageSize = 3
        const outbox = new MemoryOutbox()
        let { client, link } = page({ outbox })
        client.open(JUNHO)
        const written: string[] = []
        for (const [index, step] of steps.entries()) {
          link.loseAcks = step.loseAcks
          link.losePushes = step.losePushes
          for (let count = 0; count < step.noise; count += 1) server.store(JUNHO, `theirs ${index}.${count}`)
          const text = `mine ${index}`
          written.push(text)
          await Promise.race([client.send(JUNHO, text), new Promise((resolve) => setTimeout(resolve, 3))])
          if (step.crash) {
            await until(async () => expect((await outbox.all(MINJI)).length + server.messages.length).toBeGreaterThan(0))
            client.close()
            ;({ client, link } = page({ outbox }))
            client.open(JUNHO)
          } else if (step.cut) {
            link.cut()
            link.open()
          }
        }
        link.loseAcks = 0
        link.losePushes = 0
        link.cut()
        link.open()
        await until(async () => expect(await outbox.all(MINJI)).toEqual([]))
        await until(() => expect(client.state.pending).toEqual([]))
        await until(() =>
          expect(texts(client).slice(-server.messages.length)).toEqual(
            server.messages.slice(-texts(client).length).map(({ message }) => message),
          ),
        )
        expect(server.messages.filter(({ senderEmail }) => senderEmail === MINJI).map(({ message }) => message)).toEqual(written)
        client.close()
      }),
      { numRuns: 40 },
    )
  })
})

describe('images', () => {
  const IMAGE: ReadyImage = { bytes: Uint8Array.of(1, 2, 3), contentType: 'image/png', width: 40, height: 30 }
  const WORDS = { caption: 'look', alt: 'a ball' }
  const images = (client: ChatClient) => client.state.rooms[JUNHO]?.messages.filter(({ kind }) => kind === 'image') ?? []
  /** The keys that messages have named, each time they did. */
  const named = () => server.received.flatMap((frame) => (frame.action === 'sendMessage' && frame.attachment?.key) || [])
  const sentOnce = async (client: ChatClient) => {
    await until(() => expect(client.state.pending).toEqual([]))
    expect(images(client)).toHaveLength(1)
    expect(server.messages).toHaveLength(1)
  }

  test('are uploaded, then named by a message, and forgotten here', async () => {
    const outbox = new IndexedDbOutbox(`image-${crypto.randomUUID()}`)
    const { client } = page({ outbox })
    const shares = new Set<number>()
    client.subscribe(() => {
      for (const share of Object.values(client.state.progress)) shares.add(share)
    })
    void client.sendImage(JUNHO, IMAGE, WORDS)
    const [pending] = client.state.pending
    expect(pending).toMatchObject({ text: 'look', image: { size: 3, alt: 'a ball', uploaded: false } })
    expect(await client.imageBytes(pending?.id ?? '')).toEqual(IMAGE.bytes)
    await sentOnce(client)
    const attachment = { key: 'key-1', contentType: 'image/png', size: 3, width: 40, height: 30, alt: 'a ball' }
    expect(images(client)[0]).toMatchObject({ message: 'look', kind: 'image', attachment })
    expect(server.messages[0]?.attachment).toEqual(attachment)
    expect(server.objects.get('key-1')).toEqual(IMAGE.bytes)
    expect([...shares]).toEqual([0, 0.5])
    expect(client.state.progress).toEqual({})
    expect(await outbox.bytes(pending?.id ?? '')).toBeUndefined()
    expect(await client.imageUrl('key-1')).toBe('https://bucket.example/key-1?seen')
  })

  test('and texts keep their order', async () => {
    const { client } = page()
    void client.send(JUNHO, 'before')
    void client.sendImage(JUNHO, IMAGE, { caption: '', alt: '' })
    void client.send(JUNHO, 'after')
    await until(() => expect(server.messages.map(({ kind }) => kind)).toEqual(['text', 'image', 'text']))
    expect(server.messages[1]?.message).toBe('')
    const frame = server.received.find((one) => one.action === 'sendMessage' && one.attachment !== undefined)
    expect(frame).not.toHaveProperty('message')
    expect(frame).not.toHaveProperty('attachment.alt')
  })

  test('that arrived unheard are found there, and not uploaded twice', async () => {
    server.putFaults.push('unheard')
    const { client } = page()
    void client.sendImage(JUNHO, IMAGE, WORDS)
    await sentOnce(client)
    expect(server.grants).toEqual(['key-1'])
    expect(server.puts).toBe(2)
  })

  test('that hang let what waits behind them go first, when that is wished', async () => {
    const put = vi.spyOn(server, 'put').mockImplementation(() => new Promise(() => {}))
    const { client } = page()
    void client.sendImage(JUNHO, IMAGE, WORDS)
    void client.sendImage(JUNHO, IMAGE, WORDS)
    await until(() => expect(put).toHaveBeenCalledTimes(1))
    await client.send(JUNHO, 'text')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(server.messages).toEqual([])
    await client.textsFirst(JUNHO)
    await until(() => expect(texts(client)).toEqual(['text']))
    await until(() => expect(put).toHaveBeenCalledTimes(2))
    expect(client.state.pending.map(({ kind }) => kind)).toEqual(['image', 'image'])
  })

  test.each<[string, () => void]>([
    ['are being put', () => vi.spyOn(server, 'put').mockImplementation(() => new Promise(() => {}))],
    ['wait to be tried again', () => server.putFaults.push('lost')],
    [
      'wait for a place',
      () => {
        const answer = server.fetcher(MINJI)
        const hang: typeof fetch = (input, init) =>
          String(input).includes('uploads') ? new Promise(() => {}) : answer(input, init)
        vi.spyOn(server, 'fetcher').mockImplementation(() => hang)
      },
    ],
  ])('that are stopped while they %s hold nothing up', async (_, hangs) => {
    hangs()
    const { client } = page()
    await client.sendImage(JUNHO, IMAGE, WORDS)
    await client.send(JUNHO, 'text')
    await new Promise((resolve) => setTimeout(resolve, 50))
    await client.discard(client.state.pending[0]?.id ?? '')
    // Before the next attempt would be made.
    await vi.waitFor(() => expect(server.messages.map(({ message }) => message)).toEqual(['text']), { timeout: 400, interval: 5 })
  })

  test('that are stopped in another tab are stopped in this one', async () => {
    vi.spyOn(server, 'put').mockImplementation(() => new Promise(() => {}))
    const tabs = browser()
    const outbox = new MemoryOutbox()
    const [one, other] = [page({ tabs, outbox }), page({ tabs, outbox })]
    await one.client.sendImage(JUNHO, IMAGE, WORDS)
    await one.client.send(JUNHO, 'text')
    await until(() => expect(other.client.state.pending).toHaveLength(2))
    await other.client.textsFirst(JUNHO)
    await until(() => expect(texts(other.client)).toEqual(['text']))
  })

  test('written offline survive the page, with where they go', async () => {
    const outbox = new IndexedDbOutbox(`offline-${crypto.randomUUID()}`)
    server.putFaults.push('unheard')
    const first = page({ outbox })
    void first.client.sendImage(JUNHO, IMAGE, WORDS)
    await until(() => expect(server.puts).toBe(1))
    first.client.close()
    const second = page({ outbox })
    await until(() => expect(server.messages).toHaveLength(1))
    await until(() => expect(second.client.state.pending).toEqual([]))
    expect(server.grants).toEqual(['key-1'])
  })

  test('whose URL has expired are looked for, and uploaded anew only when they are not there', async () => {
    server.grantMs = -1
    server.putFaults.push('unheard')
    const { client } = page()
    void client.sendImage(JUNHO, IMAGE, WORDS)
    await sentOnce(client)
    expect(server.puts).toBe(1)
    server.putFaults.push('lost')
    void client.sendImage(JUNHO, IMAGE, WORDS)
    await until(() => expect(server.messages).toHaveLength(2))
    expect(server.grants).toEqual(['key-1', 'key-2', 'key-3'])
    expect(server.messages[1]?.attachment?.key).toBe('key-3')
    // Nothing that was not there was ever named.
    expect(new Set(named())).toEqual(new Set(['key-1', 'key-3']))
  })

  test.each([403, 404])('whose place answers %i are not there', async (status) => {
    server.grantMs = -1
    server.putFaults.push('lost')
    server.lookFaults.push(status)
    const { client } = page()
    void client.sendImage(JUNHO, IMAGE, WORDS)
    await sentOnce(client)
    expect(named()).toEqual(['key-2'])
  })

  test.each(['network', 503] as const)(
    'that cannot be looked for (%s) are neither sent nor uploaded anew until they can',
    async (fault) => {
      server.grantMs = -1
      server.putFaults.push('unheard')
      server.lookFaults.push(fault)
      const { client } = page()
      void client.sendImage(JUNHO, IMAGE, WORDS)
      await until(() => expect(server.lookFaults).toEqual([]))
      await sentOnce(client)
      expect([server.puts, server.grants, named()]).toEqual([1, ['key-1'], ['key-1']])
    },
  )

  test('that arrived unheard and are refused the second time are there all the same', async () => {
    server.putFaults.push('unheard', 'refused')
    const { client } = page()
    void client.sendImage(JUNHO, IMAGE, WORDS)
    await sentOnce(client)
    expect([server.puts, named()]).toEqual([2, ['key-1']])
  })

  test('that are refused where they go fail after one more attempt, and can be sent again', async () => {
    server.putFaults.push('refused', 'refused')
    const { client } = page()
    void client.sendImage(JUNHO, IMAGE, WORDS)
    await until(() => expect(client.state.pending[0]).toMatchObject({ status: 'failed', reason: 'attachmentRejected' }))
    expect(server.grants).toHaveLength(2)
    expect(named()).toEqual([])
    void client.retry(client.state.pending[0]?.id ?? '')
    await sentOnce(client)
    expect(server.grants).toHaveLength(3)
  })

  test('that the server has deleted since are uploaded again', async () => {
    const outbox = new MemoryOutbox()
    const { client, link } = page({ outbox })
    link.refuse.push({ code: 'unavailable', retryable: true })
    void client.sendImage(JUNHO, IMAGE, WORDS)
    await until(() => expect(client.state.pending[0]?.reason).toBe('unavailable'))
    server.objects.clear()
    await sentOnce(client)
    expect(server.messages[0]?.attachment?.key).toBe('key-2')
  })

  test('that this device has lost say so, and nothing else waits for them', async () => {
    const outbox = new MemoryOutbox()
    const bytes = vi.spyOn(outbox, 'bytes').mockResolvedValueOnce(undefined)
    const { client } = page({ outbox })
    void client.sendImage(JUNHO, IMAGE, WORDS)
    void client.send(JUNHO, 'after')
    await until(() => expect(texts(client)).toEqual(['after']))
    expect(client.state.pending).toMatchObject([{ status: 'failed', reason: 'imageLost' }])
    expect(bytes).toHaveBeenCalledOnce()
  })

  test('can be taken back until they are uploaded, not later', async () => {
    const { client, link } = page({ online: false })
    void client.sendImage(JUNHO, IMAGE, WORDS)
    await until(() => expect(client.state.pending).toHaveLength(1))
    await client.discard(client.state.pending[0]?.id ?? '')
    expect(client.state.pending).toEqual([])

    link.refuse.push(...Array.from({ length: 9 }, () => ({ code: 'unavailable', retryable: true }) as const))
    link.open()
    void client.sendImage(JUNHO, IMAGE, WORDS)
    await until(() => expect(client.state.pending[0]).toMatchObject({ image: { uploaded: true } }))
    await client.discard(client.state.pending[0]?.id ?? '')
    expect(client.state.pending).toHaveLength(1)
  })

  test('on their way can be stopped', async () => {
    const outbox = new MemoryOutbox()
    let stopped = false
    const original = server.put
    Object.assign(server, {
      put: (_grant: unknown, _bytes: unknown, _progress: unknown, signal: AbortSignal) =>
        new Promise((resolve) =>
          signal.addEventListener('abort', () => {
            stopped = true
            resolve('aborted')
          }),
        ),
    })
    const { client } = page({ outbox })
    Object.assign(server, { put: original })
    void client.sendImage(JUNHO, IMAGE, WORDS)
    void client.send(JUNHO, 'after')
    await until(() => expect(Object.values(client.state.progress)).toEqual([0]))
    await client.discard(client.state.pending[0]?.id ?? '')
    await until(() => expect(texts(client)).toEqual(['after']))
    expect(stopped).toBe(true)
    expect(client.state.pending).toEqual([])
  })
})

describe('proposals', () => {
  const proposal = { teamName: 'A', opponentTeamName: 'B', matchAt: '2099-01-01T00:00:00.000Z', place: 'here' }

  test('are stored once, whatever becomes of the answer', async () => {
    server.loseProposalAnswers = 2
    const { client } = page()
    void client.queue(JUNHO, { kind: 'matchProposal', text: '', proposal })
    await until(() => expect(client.state.pending).toEqual([]))
    expect(server.messages).toMatchObject([{ kind: 'matchProposal', proposal }])
    expect(client.state.rooms[JUNHO]?.messages).toMatchObject([{ kind: 'matchProposal', proposal }])
  })

  test('are answered by another message', async () => {
    const { client } = page()
    const { stored } = server.store(JUNHO, '', undefined, undefined, { kind: 'matchProposal', proposal })
    const answer = { proposal: stored.timestamp, answer: 'accepted' } as const
    void client.queue(JUNHO, { kind: 'matchProposalAnswer', text: '', answer })
    await until(() => expect(server.messages[1]?.proposalAnswer).toEqual({ proposal: stored.timestamp, answer: 'accepted' }))
    await until(() => expect(client.state.pending).toEqual([]))
  })

  test('that are not open any more refuse it for good', async () => {
    const { client, link } = page()
    link.refuse.push({ code: 'proposalState', retryable: false })
    const answer = { proposal: at(1), answer: 'accepted' } as const
    void client.queue(JUNHO, { kind: 'matchProposalAnswer', text: '', answer })
    await until(() => expect(client.state.pending[0]).toMatchObject({ status: 'failed', reason: 'proposalState' }))
  })
})

describe('receiving', () => {
  test('tells of each new message once', async () => {
    const { client } = page()
    const heard: MessageBody[] = []
    client.onIncoming((message) => heard.push(message))
    client.open(JUNHO)
    await until(() => expect(client.state.rooms[JUNHO]?.status).toBe('ready'))
    const { stored } = server.store(JUNHO, 'hello')
    for (const link of server.links) link.push({ type: 'message', ...stored })
    await until(() => expect(texts(client)).toEqual(['hello']))
    server.store(JUNHO, 'again')
    await until(() => expect(heard.map(({ message }) => message)).toEqual(['hello', 'again']))
  })

  test('does not tell of what was there before', async () => {
    server.store(JUNHO, 'old')
    const { client } = page()
    const heard: MessageBody[] = []
    client.onIncoming((message) => heard.push(message))
    client.open(JUNHO)
    await until(() => expect(texts(client)).toEqual(['old']))
    expect(heard).toEqual([])
  })

  test('a lost push leaves a hole, which is filled', async () => {
    const { client, link } = page()
    client.open(JUNHO)
    await until(() => expect(client.state.rooms[JUNHO]?.status).toBe('ready'))
    link.losePushes = 2
    for (const text of ['one', 'two', 'three']) server.store(JUNHO, text)
    await until(() => expect(texts(client)).toEqual(['one', 'two', 'three']))
  })

  test('a hole that could not be filled is filled later, without anything that happens', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { client, link } = page()
      client.open(JUNHO)
      // The syncs of opening are over.
      await vi.advanceTimersByTimeAsync(10_000)
      link.losePushes = 1
      server.store(JUNHO, 'one')
      server.status = 503
      server.store(JUNHO, 'two')
      await vi.advanceTimersByTimeAsync(15_000)
      expect(texts(client)).toEqual(['two'])
      server.status = 200
      await vi.advanceTimersByTimeAsync(15_000)
      expect(texts(client)).toEqual(['one', 'two'])
    } finally {
      vi.useRealTimers()
    }
  })

  test('a lost push is found by the second sync after opening', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { client, link } = page()
      client.open(JUNHO)
      await vi.advanceTimersByTimeAsync(100)
      link.losePushes = 1
      server.store(JUNHO, 'lost')
      expect(texts(client)).toEqual([])
      await vi.advanceTimersByTimeAsync(5_000)
      expect(texts(client)).toEqual(['lost'])
    } finally {
      vi.useRealTimers()
    }
  })

  test('what was missed while the connection was down comes with the next one, however much it was', async () => {
    const { client, link } = page()
    client.open(JUNHO)
    await until(() => expect(client.state.rooms[JUNHO]?.status).toBe('ready'))
    link.cut()
    for (let count = 1; count <= 700; count += 1) server.store(JUNHO, `missed ${count}`)
    link.open()
    await until(() => expect(texts(client).at(-1)).toBe('missed 700'))
    await client.loadOlder(JUNHO)
    expect(texts(client).length).toBeGreaterThan(50)
  })

  test('older pages come one at a time', async () => {
    for (let count = 1; count <= 120; count += 1) server.store(JUNHO, `${count}`)
    const { client } = page()
    client.open(JUNHO)
    await until(() => expect(texts(client)).toHaveLength(50))
    await Promise.all([client.loadOlder(JUNHO), client.loadOlder(JUNHO)])
    expect(texts(client)).toHaveLength(100)
    await client.loadOlder(JUNHO)
    await client.loadOlder(JUNHO)
    expect(texts(client)).toHaveLength(120)
  })

  test('typing is shown for five seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { client, link } = page()
      await vi.advanceTimersByTimeAsync(10)
      link.push({ type: 'typing', roomId: `${JUNHO}#${MINJI}`, senderEmail: JUNHO })
      await vi.advanceTimersByTimeAsync(4_900)
      expect(client.state.rooms[JUNHO]?.typing).toBe(true)
      await vi.advanceTimersByTimeAsync(200)
      expect(client.state.rooms[JUNHO]?.typing).toBe(false)
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('the list', () => {
  const MINUTE_MS = 60_000
  const now = Date.UTC(2026, 10, 24, 23)
  /** So many conversations, each a minute older than the one before. */
  const minutesBack = (count: number) =>
    Array.from({ length: count }, (_, index) => new Date(now - index * MINUTE_MS).toISOString())
  const shown = (client: ChatClient) => listedConversations(client.state).map(({ peer }) => peer)
  const person = (index: number) => `person-${index}@example.com`

  test.each([40, 100, 101, 300])('is newest first although %i conversations were active on one day', async (count) => {
    server.crowd([...minutesBack(count), ...minutesBack(150).map((time) => time.replace('11-24', '11-23'))])
    const { client } = page()
    await until(() => expect(shown(client).slice(0, count)).toEqual(Array.from({ length: count }, (_, index) => person(index))))
    expect(totalUnread(client.state)).toBeGreaterThanOrEqual(count)
  })

  test('goes on without leaving anybody out, until there is nobody left', async () => {
    // Five days with 70 each.
    const times = Array.from(
      { length: 350 },
      (_, index) => now - Math.floor(index / 70) * 24 * 60 * MINUTE_MS - (index % 70) * MINUTE_MS,
    )
    server.crowd(times.map((time) => new Date(time).toISOString()))
    const { client } = page()
    await until(() => expect(shown(client).length).toBeGreaterThan(0))
    const lengths = [0]
    for (let length = shown(client).length; length > (lengths.at(-1) ?? 0); length = shown(client).length) {
      expect(shown(client)).toEqual(times.slice(0, length).map((_, index) => person(index)))
      lengths.push(length)
      await client.loadMoreConversations()
    }
    expect(lengths.at(-1)).toBe(350)
    expect(client.state.list.nextCursor).toBeNull()
  })

  test('tells how a proposal was answered, of what is not loaded too, and asks once', async () => {
    server.store(MINJI, '', 'proposal', undefined, { kind: 'matchProposal' })
    server.store(JUNHO, '', 'answer', undefined, {
      kind: 'matchProposalAnswer',
      proposalAnswer: { proposal: at(1), answer: 'declined' },
    })
    const asked = vi.spyOn(server, 'history')
    const { client } = page()
    await until(() => expect(client.state.rooms[JUNHO]?.last?.verdict).toBe('declined'))
    client.refresh()
    await until(() => expect(client.state.list.status).toBe('ready'))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(asked).toHaveBeenCalledOnce()
    expect(client.state.rooms[JUNHO]).toMatchObject({ messages: [], anchor: null, last: { verdict: 'declined' } })
  })

  test('that is loaded again has everybody who wrote meanwhile', async () => {
    server.crowd(minutesBack(60).map((time) => time.replace('11-24', '11-20')))
    const { client } = page()
    await until(() => expect(shown(client)).toHaveLength(60))
    server.crowd(minutesBack(250))
    client.refresh()
    await until(() => expect(shown(client)).toHaveLength(250))
  })
})

describe('read marks', () => {
  test('are sent once, and again when the connection broke before they were confirmed', async () => {
    server.store(JUNHO, 'hello')
    const { client, link } = page({ online: false })
    client.open(JUNHO)
    await until(() => expect(texts(client)).toEqual(['hello']))
    client.markRead(JUNHO)
    client.markRead(JUNHO)
    expect(server.marks[MINJI]).toBeUndefined()
    link.open()
    await until(() => expect(server.marks[MINJI]).toBe(at(1)))
    client.markRead(JUNHO)
    expect(server.received.filter((frame) => frame.action === 'markRead')).toHaveLength(1)
  })

  test('of the peer arrive', async () => {
    const { client } = page()
    await client.send(JUNHO, 'hello')
    const other = page({ me: JUNHO })
    other.client.open(MINJI)
    await until(() => expect(texts(other.client, MINJI)).toEqual(['hello']))
    other.client.markRead(MINJI)
    await until(() => expect(client.state.rooms[JUNHO]?.peerReadUpTo).toBe(at(1)))
  })
})

describe('typing', () => {
  test('is said at most every three seconds, and only in a conversation', async () => {
    const { client } = page()
    client.typing(JUNHO)
    expect(server.received.filter((frame) => frame.action === 'typing')).toEqual([])
    server.store(JUNHO, 'hello')
    await until(() => expect(client.state.rooms[JUNHO]?.last?.seq).toBe(1))
    client.typing(JUNHO)
    client.typing(JUNHO)
    expect(server.received.filter((frame) => frame.action === 'typing')).toHaveLength(1)
  })
})

describe('two tabs', () => {
  const settled = async (...pages: Page[]) => {
    for (const { client } of pages) await until(() => expect(client.state.list.status).toBe('ready'))
  }

  test('the one that is online sends for the one that is not', async () => {
    const outbox = new MemoryOutbox()
    const tabs = browser()
    const offline = page({ outbox, tabs, online: false })
    const online = page({ outbox, tabs })
    await settled(offline, online)
    for (const text of ['one', 'two', 'three']) await offline.client.send(JUNHO, text)
    await until(() => expect(server.messages.map(({ message }) => message)).toEqual(['one', 'two', 'three']))
    await until(() => expect(offline.client.state.pending).toEqual([]))
    expect(texts(online.client)).toEqual(['one', 'two', 'three'])
    expect(server.received.filter((frame) => frame.action === 'sendMessage')).toHaveLength(3)
  })

  test('the one that stays sends what the one that is closed was about to', async () => {
    const outbox = new MemoryOutbox()
    const tabs = browser()
    const [closed, stays] = [page({ outbox, tabs }), page({ outbox, tabs })]
    await settled(closed, stays)
    closed.link.loseAcks = 1
    for (const text of ['one', 'two', 'three']) void closed.client.send(JUNHO, text)
    await until(() => expect(server.messages).toHaveLength(1))
    await until(() => expect(stays.client.state.pending).toHaveLength(2))
    expect(await outbox.all(MINJI)).toHaveLength(3)
    closed.client.close()
    await until(() => expect(texts(stays.client)).toEqual(['one', 'two', 'three']))
    await until(() => expect(stays.client.state.pending).toEqual([]))
    expect(server.messages).toHaveLength(3)
  })

  test('what was left while nobody was told is sent when the page is looked at', async () => {
    const outbox = new MemoryOutbox()
    const { client } = page({ outbox })
    await settled({ client } as Page)
    await outbox.add(MINJI, { id: 'left', peer: JUNHO, kind: 'text', text: 'left', after: EPOCH, createdAt: 1, status: 'queued' })
    client.refresh()
    await until(() => expect(server.messages.map(({ message }) => message)).toEqual(['left']))
  })

  test('agree about what was read', async () => {
    server.store(JUNHO, 'hello')
    const tabs = browser()
    const [first, second] = [page({ tabs, online: false }), page({ tabs, online: false })]
    for (const { client } of [first, second]) client.open(JUNHO)
    await until(() => expect(texts(second.client)).toEqual(['hello']))
    first.client.markRead(JUNHO)
    await until(() => expect(second.client.state.rooms[JUNHO]?.myReadUpTo).toBe(at(1)))
  })
})

describe('a session', () => {
  test('that has ended says so, and keeps what is queued', async () => {
    const outbox = new MemoryOutbox()
    const ended = async (): Promise<string> => {
      throw new SignedOut('over')
    }
    server.status = 401
    const { client, link } = page({ outbox, tokens: tokens({ renew: ended }), online: false })
    await client.send(JUNHO, 'kept')
    link.cut()
    await until(() => expect(client.state.connection).toBe('signedOut'))
    expect(link.closed).toBe(true)
    expect(await outbox.all(MINJI)).toHaveLength(1)
  })

  test.each(['suspended', 'notYours'] as const)('of somebody who is refused says so, and tries no more: %s', async (refusal) => {
    const outbox = new MemoryOutbox()
    Object.assign(server, { status: 403, refusal })
    const { client, link } = page({ outbox, online: false })
    await client.send(JUNHO, 'kept')
    link.cut()
    await until(() => expect(client.state.connection).toBe(refusal))
    expect(link.closed).toBe(true)
    link.cut()
    expect(client.state.connection).toBe(refusal)
    expect(await outbox.all(MINJI)).toHaveLength(1)
  })

  test('renewed silently extends the connection', async () => {
    let renewed = (_token: string): void => {}
    page({
      tokens: tokens({
        onRenewed: (listener) => {
          renewed = listener
          return () => {}
        },
      }),
    })
    renewed('fresh')
    await until(() => expect(server.received).toContainEqual({ action: 'reauth', token: 'fresh' }))
  })
})

describe('an outbox that the browser has taken away', () => {
  function gone(error: Error = new DOMException('gone', 'InvalidStateError')) {
    const outbox = new MemoryOutbox()
    const broken = (['add', 'all', 'discard', 'requeue'] as const).map((name) => vi.spyOn(outbox, name).mockRejectedValue(error))
    const back = () => {
      for (const one of broken) one.mockRestore()
    }
    return { outbox, back }
  }

  test('leaves what is written as not kept, to be sent by hand', async () => {
    const { outbox, back } = gone()
    const { client } = page({ outbox })
    await Promise.all(['one', 'two'].map((text) => client.send(JUNHO, text)))
    const failed = { status: 'failed', reason: 'notKept' }
    expect(client.state.pending).toMatchObject(['one', 'two'].map((text) => ({ text, ...failed })))
    const [one, two] = client.state.pending
    await client.retry(one?.id ?? '')
    await client.discard(two?.id ?? '')
    expect(client.state.pending).toMatchObject([{ text: 'one', ...failed }])
    back()
    void client.retry(one?.id ?? '')
    await until(() => expect(texts(client)).toEqual(['one']))
    await until(() => expect(client.state.pending).toEqual([]))
  })

  test('stores once what was kept unheard, sent by another tab, and sent again by hand', async () => {
    const outbox = new MemoryOutbox()
    const add = outbox.add.bind(outbox)
    vi.spyOn(outbox, 'add').mockImplementationOnce(async (...args) => {
      await add(...args)
      throw new DOMException('unheard', 'UnknownError')
    })
    const { client } = page({ outbox, online: false })
    await client.send(JUNHO, 'one')
    expect(client.state.pending).toMatchObject([{ status: 'failed', reason: 'notKept' }])
    page({ outbox })
    await until(() => expect(server.messages).toHaveLength(1))
    await until(async () => expect(await outbox.all(MINJI)).toEqual([]))
    server.store(JUNHO, 'two')
    const again = page({ outbox, online: false })
    await client.retry(client.state.pending[0]?.id ?? '')
    again.link.open()
    await until(async () => expect(await outbox.all(MINJI)).toEqual([]))
    expect(server.messages.map(({ message }) => message)).toEqual(['one', 'two'])
  })

  test('says that only loading the page helps when a newer one took it', async () => {
    const { client } = page({ outbox: gone(new Outdated('newer')).outbox })
    await client.send(JUNHO, 'one')
    expect(client.state.pending).toMatchObject([{ text: 'one', status: 'failed', reason: 'outdated' }])
  })

  test('keeps on showing what was in it', async () => {
    const outbox = new MemoryOutbox()
    const { client } = page({ outbox, online: false })
    await client.send(JUNHO, 'one')
    vi.spyOn(outbox, 'all').mockRejectedValue(new DOMException('gone', 'InvalidStateError'))
    client.refresh()
    await client.discard('another')
    expect(client.state.pending).toMatchObject([{ text: 'one', status: 'queued' }])
  })

  test.each(['next', 'update', 'remove'] as const)('for a moment (%s) gets to send what is in it by itself', async (name) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const outbox = new MemoryOutbox()
      const { client } = page({ outbox })
      // Past the second sync.
      await vi.advanceTimersByTimeAsync(6_000)
      const once = vi.spyOn(outbox, name).mockRejectedValueOnce(new DOMException('full', 'QuotaExceededError'))
      void client.send(JUNHO, 'one')
      await vi.advanceTimersByTimeAsync(2_000)
      expect(once).toHaveBeenCalled()
      expect(texts(client)).toEqual(['one'])
      expect(client.state.pending).toEqual([])
      expect(await outbox.all(MINJI)).toEqual([])
      expect(server.messages).toHaveLength(1)
    } finally {
      vi.useRealTimers()
    }
  })

  test('takes what is sent again by hand as new: queued, without a reason, and once however often it was asked for', async () => {
    const { outbox, back } = gone()
    const { client } = page({ outbox, online: false })
    await client.sendImage(
      JUNHO,
      { bytes: Uint8Array.of(1), contentType: 'image/png', width: 1, height: 1 },
      { caption: '', alt: '' },
    )
    const id = client.state.pending[0]?.id ?? ''
    back()
    await Promise.all([client.retry(id), client.retry(id)])
    expect(client.state.pending).toHaveLength(1)
    expect(client.state.pending).toEqual(await outbox.all(MINJI))
    expect(client.state.pending[0]).toMatchObject({ id, status: 'queued' })
    expect(client.state.pending[0]?.reason).toBeUndefined()
  })
})

describe.each([
  ['in memory', () => new MemoryOutbox()],
  ['in IndexedDB', () => new IndexedDbOutbox(`outbox-${crypto.randomUUID()}`)],
])('an outbox %s', (_, open) => {
  const entry = (id: string, peer = JUNHO) =>
    ({ id, peer, kind: 'text', text: id, after: null, createdAt: 1, status: 'queued' }) as const

  test('keeps the order, and each user apart', async () => {
    const outbox = open()
    for (const id of ['c', 'a', 'b']) await outbox.add(MINJI, entry(id))
    await outbox.add(JUNHO, entry('d', MINJI))
    expect((await outbox.all(MINJI)).map(({ id }) => id)).toEqual(['c', 'a', 'b'])
    expect((await outbox.next(MINJI, JUNHO))?.id).toBe('c')
    expect(await outbox.next(MINJI, 'club@example.com')).toBeUndefined()
  })

  test('moves an image behind everything else until it is uploaded', async () => {
    const outbox = open()
    const facts = { contentType: 'image/png', size: 3, width: 1, height: 1, uploaded: false } as const
    const image = (id: string) => ({ ...entry(id), kind: 'image', image: facts }) as const
    await outbox.add(MINJI, image('a'), new Uint8Array([1, 2, 3]))
    await outbox.add(MINJI, entry('b'))
    await outbox.add(MINJI, entry('c', 'club@example.com'))
    expect(await outbox.postpone('a')).toBe(true)
    expect(await outbox.all(MINJI)).toEqual([entry('b'), entry('c', 'club@example.com'), image('a')])
    expect(await outbox.bytes('a')).toEqual(new Uint8Array([1, 2, 3]))
    await outbox.update('a', { image: { ...facts, uploaded: true } })
    for (const id of ['a', 'b', 'gone']) expect(await outbox.postpone(id)).toBe(false)
    expect((await outbox.all(MINJI)).map(({ id }) => id)).toEqual(['b', 'c', 'a'])
  })

  test('keeps everything once', async () => {
    const outbox = open()
    for (const id of ['a', 'b', 'a']) await outbox.add(MINJI, entry(id))
    expect((await outbox.all(MINJI)).map(({ id }) => id)).toEqual(['a', 'b'])
  })

  test('skips what failed, and forgets what is removed', async () => {
    const outbox = open()
    for (const id of ['a', 'b']) await outbox.add(MINJI, entry(id))
    await outbox.update('a', { status: 'failed', reason: 'badRequest' })
    expect((await outbox.next(MINJI, JUNHO))?.id).toBe('b')
    await outbox.remove('b')
    await outbox.remove('b')
    await outbox.update('b', { after: 'x' })
    expect(await outbox.all(MINJI)).toEqual([{ ...entry('a'), status: 'failed', reason: 'badRequest' }])
  })

  test('queues again what was refused, once', async () => {
    const outbox = open()
    await outbox.add(MINJI, { ...entry('a'), after: at(1) })
    expect(await outbox.requeue('a')).toBeUndefined()
    await outbox.update('a', { status: 'failed', reason: 'badRequest' })
    const again = { ...entry('a'), after: null, reason: undefined }
    expect(await outbox.requeue('a')).toEqual(again)
    await outbox.update('a', { after: at(2) })
    expect(await outbox.requeue('a')).toBeUndefined()
    expect(await outbox.requeue('b')).toBeUndefined()
    expect(await outbox.all(MINJI)).toEqual([{ ...again, after: at(2) }])
  })
})

describe('a database that opens late', () => {
  test('gets what was written meanwhile, and what it holds from before is sent', async () => {
    const held = await openDB('chat', 1, {
      upgrade(database) {
        const store = database.createObjectStore('outbox', { keyPath: 'order', autoIncrement: true })
        store.createIndex('user', 'user')
        store.createIndex('id', 'id', { unique: true })
      },
    })
    try {
      const before = { peer: JUNHO, kind: 'text', after: EPOCH, createdAt: 1, status: 'queued', user: MINJI } as const
      await held.add('outbox', { ...before, id: 'before', text: 'before' })
      const { client, link } = page({ outbox: 'browser', online: false })
      await client.send(JUNHO, 'meanwhile')
      expect(client.state.keeps).toBe(false)
      expect(client.unsent()).toEqual({ kept: 0, lost: 1 })
      held.close()
      await until(() => expect(client.state.keeps).toBe(true))
      await until(() => expect(client.state.pending.map(({ text }) => text)).toEqual(['before', 'meanwhile']))
      expect(client.unsent()).toEqual({ kept: 2, lost: 0 })
      // What outlives the page is what another page finds.
      expect(await new IndexedDbOutbox().all(MINJI)).toMatchObject([{ text: 'before' }, { text: 'meanwhile' }])
      link.open()
      await until(() => expect(server.messages.map(({ message }) => message)).toEqual(['before', 'meanwhile']))
      await until(async () => expect(await new IndexedDbOutbox().all(MINJI)).toEqual([]))
    } finally {
      held.close()
      for (const client of clients.splice(0)) client.close()
      await deleteDB('chat')
    }
  })
})

describe('a database that never opens', () => {
  test('is done without after a moment, and that is said', async () => {
    // A page of before that holds it, and does not let go.
    const held = await openDB('chat', 1)
    try {
      const { client } = page({ outbox: 'browser' })
      await client.send(JUNHO, 'hello')
      await until(() => expect(server.messages.map(({ message }) => message)).toEqual(['hello']))
      expect(client.state.keeps).toBe(false)
    } finally {
      held.close()
      await deleteDB('chat')
    }
  })

  test('later on leaves what is written as not kept', async () => {
    const name = `held-${crypto.randomUUID()}`
    const outbox = new IndexedDbOutbox(name)
    const { client } = page({ outbox, online: false })
    await until(() => expect(client.state.keeps).toBe(true))
    // Somebody clears the site's data, and it takes for ever.
    vi.spyOn(indexedDB, 'open').mockImplementation(() =>
      Object.create(IDBOpenDBRequest.prototype, {
        addEventListener: { value: () => {} },
        removeEventListener: { value: () => {} },
      }),
    )
    await deleteDB(name)
    await client.send(JUNHO, 'hello')
    expect(client.state.pending).toMatchObject([{ text: 'hello', status: 'failed', reason: 'notKept' }])
    vi.restoreAllMocks()
    await client.retry(client.state.pending[0]?.id ?? '')
    expect(client.state.pending).toMatchObject([{ text: 'hello', status: 'queued' }])
  })
})

describe('an outbox in IndexedDB', () => {
  const entry = (id: string) => ({ id, peer: JUNHO, kind: 'text', text: id, after: EPOCH, createdAt: 1, status: 'queued' }) as const
  const ids = async (outbox: Outbox) => (await outbox.all(MINJI)).map(({ id }) => id)

  test('goes on in a new database when the old one is deleted, with what it held', async () => {
    const name = `deleted-${crypto.randomUUID()}`
    const [outbox, other] = [new IndexedDbOutbox(name), new IndexedDbOutbox(name)]
    for (const id of ['a', 'b', 'c', 'd']) await outbox.add(MINJI, entry(id))
    await other.remove('d')
    await ids(outbox)
    await outbox.update('b', { after: at(1) })
    await outbox.remove('c')
    await deleteDB(name)
    await outbox.add(MINJI, entry('e'))
    expect(await outbox.all(MINJI)).toEqual([entry('a'), { ...entry('b'), after: at(1) }, entry('e')])
    expect(await ids(other)).toEqual(['a', 'b', 'e'])
  })

  test('keeps again what it held when another tab, which had not seen it, makes the new database', async () => {
    const name = `other-${crypto.randomUUID()}`
    const [outbox, other] = [new IndexedDbOutbox(name), new IndexedDbOutbox(name)]
    await outbox.add(MINJI, entry('a'))
    expect(await ids(other)).toEqual(['a'])
    await outbox.add(MINJI, entry('b'))
    await outbox.add(MINJI, entry('c'))
    await deleteDB(name)
    // In the place that `b` had.
    await other.add(MINJI, entry('d'))
    expect(await ids(outbox)).toEqual(['a', 'd', 'b', 'c'])
    expect(await ids(other)).toEqual(['a', 'd', 'b', 'c'])
  })

  test('opens it again when the browser has closed it', async () => {
    const name = `closed-${crypto.randomUUID()}`
    const opened: IDBDatabase[] = []
    const open = vi.spyOn(indexedDB, 'open').mockImplementation((...args) => {
      const request = IDBFactory.prototype.open.apply(indexedDB, args)
      request.addEventListener('success', () => opened.push(request.result))
      return request
    })
    const outbox = new IndexedDbOutbox(name)
    await outbox.add(MINJI, entry('a'))
    // As when its database process dies: nobody is told before the next use.
    opened[0]?.close()
    await outbox.add(MINJI, entry('b'))
    opened[1]?.close()
    expect(await ids(outbox)).toEqual(['a', 'b'])
    expect(opened).toHaveLength(3)
    open.mockRestore()
  })

  test('knows the kind of what an earlier page wrote without one', async () => {
    const name = `kindless-${crypto.randomUUID()}`
    const outbox = new IndexedDbOutbox(name)
    await outbox.add(MINJI, entry('a'))
    const database = await openDB(name)
    const [row] = await database.getAll('outbox')
    const { kind: _, order: __, ...kindless } = row
    const image = { contentType: 'image/png', size: 1, width: 1, height: 1, uploaded: false }
    const answer = { proposal: at(1), answer: 'accepted' }
    const written = [{ image }, { proposal: { teamName: 'a', opponentTeamName: 'b', matchAt: at(1), place: 'c' } }, { answer }, {}]
    for (const [index, content] of written.entries()) await database.put('outbox', { ...kindless, ...content, id: `${index}` })
    database.close()
    const kinds = ['text', 'image', 'matchProposal', 'matchProposalAnswer', 'text']
    expect((await outbox.all(MINJI)).map(({ kind }) => kind)).toEqual(kinds)
    // Nor is it taken for what may have been sent.
    expect(await outbox.discard('0')).toBe(true)
    expect(await outbox.discard('3')).toBe(false)
    await outbox.update('3', { status: 'failed' })
    expect(await outbox.requeue('3')).toMatchObject({ kind: 'text', status: 'queued' })
  })

  test('lets a newer page have it, and refuses what is written after that', async () => {
    const name = `newer-${crypto.randomUUID()}`
    const outbox = new IndexedDbOutbox(name)
    await outbox.add(MINJI, entry('a'))
    const newer = await openDB(name, 5)
    await expect(outbox.add(MINJI, entry('b'))).rejects.toThrow(Outdated)
    await expect(outbox.all(MINJI)).rejects.toThrow(Outdated)
    expect(await newer.count('outbox')).toBe(1)
  })
})

describe('deciding about somebody', () => {
  const room = (client: ChatClient) => client.state.rooms[JUNHO]

  test('is shown when the server has kept it, on every device', async () => {
    server.requestBy = JUNHO
    server.store(JUNHO, 'hello')
    const one = page().client
    const two = page().client
    for (const client of [one, two]) await until(() => expect(room(client)?.request).toBe('incoming'))
    const accepting = one.decide('accept', JUNHO)
    expect(room(one)).toMatchObject({ request: 'incoming', deciding: 'accept' })
    expect(await accepting).toBe('done')
    expect(room(one)).toMatchObject({ request: 'none', deciding: null })
    await until(() => expect(room(two)?.request).toBe('none'))
    expect(await two.decide('block', JUNHO)).toBe('done')
    await until(() => expect(room(one)?.blocked).toBe(true))
    expect((await one.blocked()).blocked).toEqual([{ peerEmail: JUNHO, since: at(0) }])
    expect(await one.decide('unblock', JUNHO)).toBe('done')
    await until(() => expect([room(one)?.blocked, room(two)?.blocked]).toEqual([false, false]))
  })

  test('waits for a connection, and is said again until it is answered', async () => {
    server.store(JUNHO, 'hello')
    const { client, link } = page({ online: false })
    const blocking = client.decide('block', JUNHO)
    server.refuseDecisions.push({ code: 'unavailable', retryable: true })
    link.open()
    expect(await blocking).toBe('done')
    expect(server.received.filter(({ action }) => action === 'block')).toHaveLength(2)
  })

  test('says it again over a new connection when the answer was lost with the old one', async () => {
    server.store(JUNHO, 'hello')
    const { client, link } = page()
    const push = vi.spyOn(link, 'push').mockImplementationOnce(() => {})
    const blocking = client.decide('block', JUNHO)
    expect(push).toHaveBeenCalledOnce()
    link.renew()
    expect(await blocking).toBe('done')
  })

  test('goes one after the other, and a refusal is of the one that is under way', async () => {
    server.store(JUNHO, 'hello')
    const { client } = page()
    server.refuseDecisions.push({ code: 'notFound', retryable: false })
    const decisions = [client.decide('block', 'nobody@example.com'), client.decide('block', JUNHO)]
    expect(await Promise.all(decisions)).toEqual(['notFound', 'done'])
    expect(room(client)?.blocked).toBe(true)
    expect(client.state.rooms['nobody@example.com']).toMatchObject({ blocked: false, deciding: null })
  })

  test('reports messages, and says what became of it', async () => {
    const { stored } = server.store(JUNHO, 'hello')
    const { client } = page()
    const report = { peerEmail: JUNHO, timestamps: [stored.timestamp], reason: 'spam' }
    expect(await client.report(report)).toBe('done')
    expect(server.received.at(-1)).toEqual({ action: 'report', ...report })
    server.refuseDecisions.push({ code: 'notFound', retryable: false })
    expect(await client.report(report)).toBe('notFound')
  })

  test('a message of a stranger is told of when it is known whether it is a request', async () => {
    server.requestBy = JUNHO
    const { client } = page()
    await until(() => expect(client.state.list.status).toBe('ready'))
    const heard: string[] = []
    client.onIncoming(({ message }) => void heard.push(`${message}, ${room(client)?.request}`))
    server.store(JUNHO, 'hello')
    await until(() => expect(heard).toEqual(['hello, incoming']))
    server.store(JUNHO, 'again')
    await until(() => expect(heard).toEqual(['hello, incoming', 'again, incoming']))
    expect(totalUnread(client.state)).toBe(0)
  })

  test('who writes first is told that it is a request', async () => {
    server.requestBy = MINJI
    const { client } = page()
    await client.send(JUNHO, 'hello')
    await until(() => expect(room(client)?.request).toBe('outgoing'))
    server.requestBy = null
    server.store(JUNHO, 'an answer')
    await until(() => expect(room(client)?.request).toBe('none'))
  })
})
