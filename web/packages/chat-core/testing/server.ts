import type {
  ConversationBody,
  ConversationsBody,
  ErrorCode,
  HistoryBody,
  MessageBody,
  ProposalRequestBody,
  SendMessageFrame,
  SentFrame,
} from '../src'
import {
  type ClientFrame,
  EPOCH,
  type Put,
  type PutOutcome,
  roomIdOf,
  type ServerFrame,
  type Transport,
  type TransportListener,
} from '../src'

export const MINJI = 'minji@example.com'
export const JUNHO = 'junho@example.com'
export const ROOM = roomIdOf(MINJI, JUNHO)
const BUCKET = 'https://bucket.example'

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
  /** Keys that were granted, and what was put there. */
  readonly grants: string[] = []
  readonly objects = new Map<string, Uint8Array<ArrayBuffer>>()
  /** Bytes that were sent, whether or not they arrived. */
  puts = 0
  /** What the next attempts to put end in, instead of what they should; `unheard` arrives, and nobody is told. */
  readonly putFaults: (PutOutcome | 'unheard')[] = []
  /** What the next requests for an object end in, instead of what they should. */
  readonly lookFaults: (number | 'network')[] = []
  /** How long a grant is good. */
  grantMs = 300_000
  /** How many answers to proposals to lose. */
  loseProposalAnswers = 0
  /** Minji's conversations with other people: see {@link crowd}. */
  #others: ConversationBody[] = []
  /** How many conversations a page of the list has. */
  listPageSize = 100
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

  /**
   * Stores a message, as `sendMessage` does, unless it is among those after `after`, and pushes it to every connection but `from`.
   */
  store(
    sender: string,
    text: string,
    id: string = crypto.randomUUID(),
    from?: FakeLink,
    content: Partial<MessageBody> = {},
    after: string = EPOCH,
  ): { stored: MessageBody; duplicate: boolean } {
    const there = this.messages.find(
      ({ clientMessageId, senderEmail, timestamp }) => clientMessageId === id && senderEmail === sender && timestamp > after,
    )
    if (there !== undefined) return { stored: there, duplicate: true }
    const seq = this.messages.length + 1
    const receiverEmail = sender === MINJI ? JUNHO : MINJI
    const timestamp = at(this.#began + seq)
    const stored = message(seq, { timestamp, senderEmail: sender, receiverEmail, message: text, clientMessageId: id, ...content })
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
    return async (input, init) => {
      const url = new URL(String(input))
      if (url.origin === BUCKET) return this.object(url)
      const body = init?.body === undefined ? undefined : JSON.parse(String(init.body))
      if (this.status !== 200) {
        const code: ErrorCode = this.status === 401 ? 'unauthorized' : 'unavailable'
        return Response.json({ code, message: code, retryable: true, requestId: 'r' }, { status: this.status })
      }
      if (url.pathname === '/chat/history') return Response.json(this.history(user, url.searchParams))
      if (url.pathname === '/chat/uploads') return Response.json(this.grant())
      if (url.pathname.startsWith('/chat/attachments/')) return this.attachment(url.pathname.slice('/chat/attachments/'.length))
      if (url.pathname === '/chat/proposals') return this.proposal(user, body)
      return Response.json(this.conversations(user, url.searchParams.get('cursor')))
    }
  }

  readonly put: Put = async ({ url }, bytes, progress) => {
    this.puts += 1
    progress(0.5)
    const key = url.slice(url.lastIndexOf('/') + 1)
    const fault = this.putFaults.shift()
    if (fault !== undefined && fault !== 'unheard') return fault
    if (this.objects.has(key)) return 'there'
    this.objects.set(key, bytes)
    return fault === 'unheard' ? 'lost' : 'done'
  }

  private grant() {
    const key = `key-${this.grants.length + 1}`
    this.grants.push(key)
    const headers = [{ name: 'content-type', value: 'image/png' }]
    return { key, url: `${BUCKET}/${key}`, headers, expiresAt: new Date(Date.now() + this.grantMs).toISOString() }
  }

  /** Whether anything is there, it does not ask. */
  private attachment(key: string): Response {
    const expiresAt = new Date(Date.now() + 300_000).toISOString()
    return Response.json({ url: `${BUCKET}/${key}?seen`, expiresAt })
  }

  /** The bucket's own answer: 403 to whoever was not given a URL to see it. */
  private object({ pathname, search }: URL): Response {
    const fault = this.lookFaults.shift()
    if (fault === 'network') throw new TypeError(fault)
    if (fault !== undefined) return new Response(null, { status: fault })
    if (search !== '?seen') return new Response(null, { status: 403 })
    const bytes = this.objects.get(pathname.slice(1))
    return bytes === undefined ? new Response(null, { status: 404 }) : new Response(bytes)
  }

  private proposal(user: string, { clientMessageId, after, proposal }: ProposalRequestBody): Response {
    const content = { kind: 'matchProposal', proposal } as const
    const { stored, duplicate } = this.store(user, '', clientMessageId, undefined, content, after ?? EPOCH)
    if (this.loseProposalAnswers > 0) {
      this.loseProposalAnswers -= 1
      throw new TypeError('network')
    }
    const { roomId, timestamp, seq } = stored
    const sent: SentFrame = { clientMessageId, roomId, timestamp, seq, duplicate }
    return Response.json(sent)
  }

  /** Gives Minji conversations with other people, the newest messages of which came at these times. */
  crowd(times: readonly string[]): void {
    this.#others = times.map((lastTimestamp, index) => {
      const peerEmail = `person-${index}@example.com`
      const last = { preview: `hello ${index}`, lastTimestamp, lastSeq: 1, lastSenderEmail: peerEmail, lastKind: 'text' as const }
      return { peerEmail, ...last, unread: 1, peerReadUpTo: null }
    })
  }

  /** By day, within a day by nothing that means anything, each page by time, as the server does. */
  private conversations(user: string, after: string | null): ConversationsBody {
    const place = ({ lastTimestamp, peerEmail }: ConversationBody) => `${lastTimestamp.slice(0, 10)}#${scattered(peerEmail)}`
    const all = [...this.ownConversation(user), ...(user === MINJI ? this.#others : [])]
    const rest = all
      .map((found) => ({ found, place: place(found) }))
      .filter((one) => after === null || one.place < after)
      .sort((a, b) => (a.place < b.place ? 1 : -1))
    const page = rest.slice(0, this.listPageSize)
    const conversations = page.map(({ found }) => found).sort((a, b) => (a.lastTimestamp < b.lastTimestamp ? 1 : -1))
    const nextCursor = rest.length > page.length ? (page.at(-1)?.place ?? null) : null
    return { conversations, nextCursor }
  }

  private ownConversation(user: string): ConversationBody[] {
    const last = this.messages.at(-1)
    if (last === undefined) return []
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
    return [conversation]
  }
}

/** A number of a text that says nothing about its place among others, as a room's tag. */
function scattered(text: string): string {
  const hash = [...text].reduce((sum, character) => Math.imul(sum ^ character.charCodeAt(0), 0x01000193) >>> 0, 0x811c9dc5)
  return hash.toString(16).padStart(8, '0') + text
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
    // What is stored is not refused for good.
    const isStored = this.server.messages.some((message) => message.clientMessageId === clientMessageId)
    if (error !== undefined && (error.retryable || !isStored)) {
      this.push({ type: 'error', ...error, message: error.code, requestId: 'r', clientMessageId })
      return
    }
    if (frame.after != null && frame.after !== EPOCH && frame.after > (this.server.messages.at(-1)?.timestamp ?? '')) {
      this.push({ type: 'error', code: 'badRequest', retryable: false, message: 'after', requestId: 'r', clientMessageId })
      return
    }
    const { attachment, proposalAnswer } = frame
    if (attachment !== undefined && !this.server.objects.has(attachment.key)) {
      this.push({ type: 'error', code: 'attachmentMissing', retryable: false, message: '', requestId: 'r', clientMessageId })
      return
    }
    const content: Partial<MessageBody> = {
      ...(attachment === undefined ? {} : { kind: 'image', attachment }),
      ...(proposalAnswer === undefined ? {} : { kind: 'matchProposalAnswer', proposalAnswer }),
    }
    const after = frame.after ?? EPOCH
    const { stored, duplicate } = this.server.store(this.user, frame.message ?? '', clientMessageId, this, content, after)
    if (this.loseAcks > 0) this.loseAcks -= 1
    else this.push({ type: 'sent', clientMessageId, roomId: ROOM, timestamp: stored.timestamp, seq: stored.seq, duplicate })
  }
}
