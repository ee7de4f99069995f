import { type ClientFrame, EPOCH, roomIdOf, type ServerFrame, type Transport, type TransportListener } from '@/lib/chat'
import type { ErrorCode, HistoryBody, MessageBody, SendMessageFrame } from '@/lib/chat/wire'

export const MINJI = 'minji@example.com'
export const JUNHO = 'junho@example.com'
export const ROOM = roomIdOf(MINJI, JUNHO)

/** The timestamp of the message number `seq`. */
export const at = (seq: number): string => new Date(Date.UTC(2026, 10, 24, 9) + seq).toISOString()

/** Message number `seq` of the room of Minji and Junho; odd ones are Minji's. */
export function message(seq: number, change: Partial<MessageBody> = {}): MessageBody {
  const [senderEmail, receiverEmail] = seq % 2 === 1 ? [MINJI, JUNHO] : [JUNHO, MINJI]
  return {
    roomId: ROOM,
    timestamp: at(seq),
    seq,
    senderEmail,
    receiverEmail,
    message: `message ${seq}`,
    read: false,
    kind: 'text',
    clientMessageId: `00000000-0000-4000-8000-${String(seq).padStart(12, '0')}`,
    ...change,
  }
}

/** The room of Minji and Junho as the server has it: exactly once, one order, strongly consistent. */
export class FakeServer {
  messages: MessageBody[] = []
  marks: Record<string, string> = {}
  /** Frames of clients, in the order of arrival. */
  readonly received: ClientFrame[] = []
  readonly links = new Set<FakeLink>()
  /** Answers of REST from now on; 200 lets the room answer. */
  status = 200
  pageSize = 50
  #began = 0

  /** Has nothing any more, as a server that keeps messages in memory and was started again. Time goes on. */
  forget(): void {
    this.#began += this.messages.length + 1_000
    this.messages = []
    this.marks = {}
  }

  connect(user: string, listener: TransportListener): FakeLink {
    return new FakeLink(this, user, listener)
  }

  /** Stores a message, as `sendMessage` does, and pushes it to every connection but `from`. */
  store(
    sender: string,
    text: string,
    id: string = crypto.randomUUID(),
    from?: FakeLink,
  ): { stored: MessageBody; duplicate: boolean } {
    const there = this.messages.find(({ clientMessageId, senderEmail }) => clientMessageId === id && senderEmail === sender)
    if (there !== undefined) return { stored: there, duplicate: true }
    const seq = this.messages.length + 1
    const receiverEmail = sender === MINJI ? JUNHO : MINJI
    const timestamp = at(this.#began + seq)
    const stored = message(seq, { timestamp, senderEmail: sender, receiverEmail, message: text, clientMessageId: id })
    this.messages.push(stored)
    for (const link of this.links) if (link !== from) link.push({ type: 'message', ...stored })
    return { stored, duplicate: false }
  }

  history(user: string, query: URLSearchParams): HistoryBody {
    const peer = user === MINJI ? JUNHO : MINJI
    const limit = Number(query.get('limit') ?? this.pageSize)
    const [after, before] = [query.get('after'), query.get('before')]
    const marks = { peerReadUpTo: this.marks[peer] ?? null, myReadUpTo: this.marks[user] ?? null }
    if (after !== null) {
      const rest = this.messages.filter(({ timestamp }) => timestamp > after)
      const messages = rest.slice(0, limit)
      const nextAfter = messages.at(-1)?.timestamp ?? after
      return { roomId: ROOM, messages, hasMore: rest.length > messages.length, nextAfter, ...marks }
    }
    const older = this.messages.filter(({ timestamp }) => before === null || timestamp < before).reverse()
    const messages = older.slice(0, limit)
    const hasMore = older.length > messages.length
    return { roomId: ROOM, messages, hasMore, ...(hasMore ? { nextBefore: messages.at(-1)?.timestamp ?? '' } : {}), ...marks }
  }

  fetcher(user: string): typeof fetch {
    return async (input) => {
      const url = new URL(String(input))
      if (this.status !== 200) {
        const code: ErrorCode = this.status === 401 ? 'unauthorized' : 'unavailable'
        return Response.json({ code, message: code, retryable: true, requestId: 'r' }, { status: this.status })
      }
      if (url.pathname === '/chat/history') return Response.json(this.history(user, url.searchParams))
      return Response.json(this.conversations(user))
    }
  }

  private conversations(user: string) {
    const last = this.messages.at(-1)
    if (last === undefined) return { conversations: [], totalUnread: 0, nextCursor: null }
    const peerEmail = user === MINJI ? JUNHO : MINJI
    const unread = this.messages.filter(
      ({ senderEmail, timestamp }) => senderEmail === peerEmail && timestamp > (this.marks[user] ?? ''),
    ).length
    const conversation = {
      peerEmail,
      preview: last.message,
      lastTimestamp: last.timestamp,
      lastSeq: last.seq,
      lastSenderEmail: last.senderEmail,
      lastKind: last.kind,
      unread,
      peerReadUpTo: this.marks[peerEmail] ?? null,
    }
    return { conversations: [conversation], totalUnread: unread, nextCursor: null }
  }
}

/** One connection. What it does wrong is chosen by the test. */
export class FakeLink implements Transport {
  isOpen = false
  /** How many acknowledgements to lose. */
  loseAcks = 0
  /** How many pushes to lose. */
  losePushes = 0
  /** Errors to answer the next messages with. */
  readonly refuse: { code: ErrorCode; retryable: boolean }[] = []
  renewed = 0
  checked = 0
  closed = false

  constructor(
    private readonly server: FakeServer,
    private readonly user: string,
    private readonly listener: TransportListener,
  ) {}

  open(): void {
    this.isOpen = true
    this.server.links.add(this)
    this.listener.opened()
  }

  cut(): void {
    const wasOpen = this.isOpen
    this.isOpen = false
    this.server.links.delete(this)
    this.listener.closed(wasOpen)
  }

  push(frame: ServerFrame): void {
    if (!this.isOpen) return
    if (frame.type === 'message' && this.losePushes > 0) this.losePushes -= 1
    else queueMicrotask(() => this.isOpen && this.listener.frame(frame))
  }

  send(frame: ClientFrame): boolean {
    if (!this.isOpen) return false
    this.server.received.push(frame)
    if (frame.action === 'sendMessage') this.answer(frame)
    if (frame.action === 'markRead') {
      this.server.marks[this.user] = frame.upTo
      const read = { type: 'read', roomId: ROOM, readerEmail: this.user, upTo: frame.upTo } as const
      for (const link of this.server.links) link.push(read)
    }
    if (frame.action === 'reauth') this.push({ type: 'reauth', expiresAt: at(1_000) })
    return true
  }

  renew(): void {
    this.renewed += 1
    this.cut()
    this.open()
  }

  check(): void {
    this.checked += 1
  }

  close(): void {
    this.closed = true
    this.cut()
  }

  private answer(frame: SendMessageFrame): void {
    const clientMessageId = frame.clientMessageId ?? ''
    const error = this.refuse.shift()
    if (error !== undefined) {
      this.push({ type: 'error', ...error, message: error.code, requestId: 'r', clientMessageId })
      return
    }
    if (frame.after != null && frame.after !== EPOCH && frame.after > (this.server.messages.at(-1)?.timestamp ?? '')) {
      this.push({ type: 'error', code: 'badRequest', retryable: false, message: 'after', requestId: 'r', clientMessageId })
      return
    }
    const { stored, duplicate } = this.server.store(this.user, frame.message ?? '', clientMessageId, this)
    if (this.loseAcks > 0) this.loseAcks -= 1
    else this.push({ type: 'sent', clientMessageId, roomId: ROOM, timestamp: stored.timestamp, seq: stored.seq, duplicate })
  }
}
