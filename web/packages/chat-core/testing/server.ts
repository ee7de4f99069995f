import type {
  BlockedBody,
  ConversationBody,
  ConversationsBody,
  ErrorCode,
  HistoryBody,
  MessageBody,
  ProposalRequestBody,
  SearchBody,
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
import { ROUTES } from '../src/routes'
import { placesOf } from '../src/search'

export const MINJI = 'minji@example.com'
export const JUNHO = 'junho@example.com'
export const ROOM = roomIdOf(MINJI, JUNHO)
const BUCKET = 'https://bucket.example'
const IMAGES = ROUTES.openAttachment.replace('{key}', '')

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
  /** What it says with the status 403. */
  refusal: ErrorCode = 'suspended'
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
  /** Who began the room when it is a request, and who blocks whom in it. */
  requestBy: string | null = null
  readonly blocks = new Set<string>()
  /** Up to when each has cleared the room for themselves. */
  readonly cleared: Record<string, string> = {}
  /** How many messages one search looks through. */
  searchSize = 1_000
  /** What the next decisions and reports are refused with, instead of being kept. */
  readonly refuseDecisions: { code: ErrorCode; retryable: boolean }[] = []
  /** How many answers to proposals to lose. */
  loseProposalAnswers = 0
  /** Minji's conversations with other people: see {@link crowd}. */
  #others: ConversationBody[] = []
  /** How many conversations a page of the list has. */
  listPageSize = 100
  #began = 0

  /** What an eventually consistent page shows of these messages instead of what they are: earlier states, by timestamp. */
  readonly stale = new Map<string, MessageBody>()

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
    const stored = this.#append(sender, text, id, content)
    for (const link of this.links) if (link !== from) link.push({ type: 'message', ...this.#quoting(stored) })
    return { stored, duplicate: false }
  }

  #append(sender: string, text: string, id: string, content: Partial<MessageBody>): MessageBody {
    const seq = this.messages.length + 1
    const receiverEmail = sender === MINJI ? JUNHO : MINJI
    const timestamp = at(this.#began + seq)
    const stored = message(seq, { timestamp, senderEmail: sender, receiverEmail, message: text, clientMessageId: id, ...content })
    this.messages.push(stored)
    return stored
  }

  /** Changes a message as `react`, `edit` and `delete` do, or says why not, and pushes what it is then to every connection but `from`. */
  change(
    sender: string,
    frame: ChangeFrame,
    from?: FakeLink,
  ): { stored: MessageBody; duplicate: boolean } | { refused: ErrorCode } {
    const { target, after = EPOCH, clientMessageId: id = crypto.randomUUID() } = frame
    const there = this.messages.find(
      ({ clientMessageId, senderEmail, timestamp }) => clientMessageId === id && senderEmail === sender && timestamp > after,
    )
    if (there !== undefined) return { stored: there, duplicate: true }
    const index = this.messages.findIndex(({ timestamp }) => timestamp === target)
    const held = this.messages[index]
    if (held === undefined || ['deleted', 'erased', 'change'].includes(held.kind)) return { refused: 'notFound' }
    if (after !== EPOCH && target > after) return { refused: 'badRequest' }
    if (frame.action !== 'react' && held.senderEmail !== sender) return { refused: 'notYours' }
    const stored = this.#append(sender, '', id, { kind: 'change', target })
    const now = { ...afterChange(held, sender, frame, stored), changedBy: stored.seq }
    this.messages[index] = now
    const { roomId, timestamp, seq } = stored
    const changed = { roomId, timestamp, seq, senderEmail: sender, clientMessageId: id, target, message: { ...now, read: false } }
    for (const link of this.links) if (link !== from) link.push({ type: 'changed', ...changed })
    return { stored, duplicate: false }
  }

  /** A message with what it quotes, as that is by now. */
  #quoting(message: MessageBody): MessageBody {
    const quoted = this.messages.find(({ timestamp }) => timestamp === message.replyTo)
    if (quoted === undefined || message.kind === 'deleted') return message
    return { ...message, quoted: { senderEmail: quoted.senderEmail, kind: quoted.kind, preview: quoted.message } }
  }

  /** A part of the log, with the states of messages that changes in it are about. */
  #shown(messages: readonly MessageBody[]): Pick<HistoryBody, 'messages' | 'changed'> {
    const there = new Set(messages.map(({ timestamp }) => timestamp))
    const targets = new Set(messages.flatMap(({ target }) => (target === undefined || there.has(target) ? [] : [target])))
    const changed = this.messages.filter(({ timestamp }) => targets.has(timestamp)).map((one) => this.#quoting(one))
    return { messages: messages.map((one) => this.#quoting(one)), ...(changed.length === 0 ? {} : { changed }) }
  }

  /** What a user has not cleared for themselves. */
  #leftTo(user: string): MessageBody[] {
    return this.messages.filter(({ timestamp }) => timestamp > (this.cleared[user] ?? ''))
  }

  history(user: string, query: URLSearchParams): HistoryBody {
    const peer = user === MINJI ? JUNHO : MINJI
    const limit = Number(query.get('limit') ?? this.pageSize)
    const [after, around] = [query.get('after'), query.get('around')]
    const left = this.#leftTo(user)
    const { [user]: clearedTo } = this.cleared
    const marks = {
      peerReadUpTo: this.marks[peer] ?? null,
      myReadUpTo: this.marks[user] ?? null,
      ...this.consentOf(user),
      ...(clearedTo === undefined ? {} : { clearedTo }),
    }
    if (after !== null) {
      const rest = left.filter(({ timestamp }) => timestamp > after)
      const messages = rest.slice(0, limit)
      const nextAfter = messages.at(-1)?.timestamp ?? after
      return { roomId: ROOM, ...this.#shown(messages), hasMore: rest.length > messages.length, nextAfter, ...marks }
    }
    const before = query.get('before')
    const upTo = left.filter(({ timestamp }) =>
      around === null ? before === null || timestamp < before : timestamp <= around,
    ).length
    // Half of the page of a moment comes after it.
    const half = Math.ceil(limit / 2)
    const [from, to] = around === null ? [upTo - limit, upTo] : [upTo - half, upTo + limit - half]
    const messages = left.slice(Math.max(0, from), to).reverse()
    const shown = messages.map((one) => this.stale.get(one.timestamp) ?? one)
    return {
      roomId: ROOM,
      ...this.#shown(shown),
      hasMore: from > 0,
      ...(from > 0 ? { nextBefore: messages.at(-1)?.timestamp ?? '' } : {}),
      ...(around !== null && to < left.length ? { nextAfter: messages[0]?.timestamp ?? around } : {}),
      ...marks,
    }
  }

  #search(user: string, query: URLSearchParams): SearchBody {
    const before = query.get('before')
    const older = this.#leftTo(user)
      .filter(({ timestamp }) => before === null || timestamp < before)
      .reverse()
    const looked = older.slice(0, this.searchSize)
    const hits = looked.filter(({ message }) => placesOf(message, query.get('q') ?? '').length > 0)
    const more = older.length > looked.length
    return { hits, searchedTo: looked.at(-1)?.timestamp ?? null, more }
  }

  /** Clears the room for one of the two, and tells their connections. */
  clear(user: string, upTo: string): void {
    this.cleared[user] = upTo
    const peerEmail = user === MINJI ? JUNHO : MINJI
    for (const link of this.links) if (link.user === user) link.push({ type: 'cleared', roomId: ROOM, peerEmail, upTo })
  }

  fetcher(user: string): typeof fetch {
    return async (input, init) => {
      const url = new URL(String(input))
      if (url.origin === BUCKET) return this.object(url)
      const body = init?.body === undefined ? undefined : JSON.parse(String(init.body))
      if (this.status !== 200) {
        const code: ErrorCode = this.status === 401 ? 'unauthorized' : this.status === 403 ? this.refusal : 'unavailable'
        return Response.json({ code, message: code, retryable: this.status !== 403, requestId: 'r' }, { status: this.status })
      }
      if (url.pathname === ROUTES.history) return Response.json(this.history(user, url.searchParams))
      if (url.pathname === ROUTES.search) return Response.json(this.#search(user, url.searchParams))
      if (url.pathname === ROUTES.requestUpload) return Response.json(this.grant())
      if (url.pathname.startsWith(IMAGES)) return this.attachment(url.pathname.slice(IMAGES.length))
      if (url.pathname === ROUTES.blocked) return Response.json(this.blocked(user))
      if (url.pathname === ROUTES.proposeMatch) return this.proposal(user, body)
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

  private blocked(user: string): BlockedBody {
    const peerEmail = user === MINJI ? JUNHO : MINJI
    return { blocked: this.blocks.has(user) ? [{ peerEmail, since: at(0) }] : [], nextCursor: null }
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
      return { peerEmail, ...last, unread: 1, peerReadUpTo: null, blocked: false }
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

  /** Whether the room is a request, and whether the user blocks the other one. */
  private consentOf(user: string): Pick<ConversationBody, 'request' | 'blocked'> {
    const blocked = this.blocks.has(user)
    if (this.requestBy === null) return { blocked }
    return { request: this.requestBy === user ? 'outgoing' : 'incoming', blocked }
  }

  /** Keeps what a user decided, and tells their own connections. */
  decide(user: string, decision: 'accept' | 'block' | 'unblock', peerEmail: string): void {
    if (decision === 'accept') this.requestBy = null
    if (decision === 'block') this.blocks.add(user)
    if (decision === 'unblock') this.blocks.delete(user)
    for (const link of this.links) if (link.user === user) link.push({ type: decision, roomId: ROOM, peerEmail })
  }

  private ownConversation(user: string): ConversationBody[] {
    const newest = this.messages.at(-1)
    const last = this.messages.findLast(({ kind }) => kind !== 'change')
    if (newest === undefined || last === undefined || last.timestamp <= (this.cleared[user] ?? '')) return []
    const peerEmail = user === MINJI ? JUNHO : MINJI
    const unread = this.messages.filter(
      ({ senderEmail, timestamp, kind }) => senderEmail === peerEmail && kind !== 'change' && timestamp > (this.marks[user] ?? ''),
    ).length
    const conversation = {
      peerEmail,
      preview: last.message,
      lastTimestamp: newest.timestamp,
      lastSeq: newest.seq,
      lastSenderEmail: last.senderEmail,
      lastKind: last.kind,
      unread,
      peerReadUpTo: this.marks[peerEmail] ?? null,
      ...this.consentOf(user),
    }
    return [conversation]
  }
}

type ChangeFrame = Extract<ClientFrame, { action: 'react' | 'edit' | 'delete' }>

const isChangeFrame = (frame: ClientFrame): frame is ChangeFrame => ['react', 'edit', 'delete'].includes(frame.action)

/** What a message is once it was changed by the entry `stored`. */
function afterChange(held: MessageBody, sender: string, frame: ChangeFrame, stored: MessageBody): MessageBody {
  if (frame.action === 'edit') return { ...held, message: frame.message, editedAt: stored.timestamp }
  if (frame.action === 'react') {
    const reactions = Object.entries({ ...held.reactions, [sender]: frame.emoji }).filter(([, emoji]) => emoji.length > 0)
    const { reactions: _, ...rest } = held
    return reactions.length === 0 ? rest : { ...rest, reactions: Object.fromEntries(reactions) }
  }
  const { attachment: _a, reactions: _r, editedAt: _e, replyTo: _t, ...rest } = held
  return { ...rest, kind: 'deleted', message: '' }
}

/** A number of a text that says nothing about its place among others, as a room's tag. */
function scattered(text: string): string {
  const hash = [...text].reduce((sum, character) => Math.imul(sum ^ character.charCodeAt(0), 0x01000193) >>> 0, 0x811c9dc5)
  return hash.toString(16).padStart(8, '0') + text
}

type DecisionFrame = Extract<ClientFrame, { action: 'accept' | 'block' | 'unblock' | 'report' | 'clear' }>

const DECISIONS = ['accept', 'block', 'unblock', 'report', 'clear']

const isDecision = (frame: ClientFrame): frame is DecisionFrame => DECISIONS.includes(frame.action)

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
    readonly user: string,
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
    if ((frame.type === 'message' || frame.type === 'changed') && this.losePushes > 0) this.losePushes -= 1
    else queueMicrotask(() => this.isOpen && this.listener.frame(frame))
  }

  send(frame: ClientFrame): boolean {
    if (!this.isOpen) return false
    this.server.received.push(frame)
    if (frame.action === 'sendMessage' || isChangeFrame(frame)) this.answer(frame)
    if (frame.action === 'markRead') {
      this.server.marks[this.user] = frame.upTo
      const read = { type: 'read', roomId: ROOM, readerEmail: this.user, upTo: frame.upTo } as const
      for (const link of this.server.links) link.push(read)
    }
    if (isDecision(frame)) this.decide(frame)
    if (frame.action === 'reauth') this.push({ type: 'reauth', expiresAt: at(1_000) })
    return true
  }

  private decide(frame: DecisionFrame): void {
    const error = this.server.refuseDecisions.shift()
    if (error !== undefined) this.push({ type: 'error', ...error, message: error.code, requestId: 'r' })
    else if (frame.action === 'report') this.push({ type: 'reported', roomId: ROOM, peerEmail: frame.peerEmail })
    else if (frame.action === 'clear') this.server.clear(this.user, frame.upTo)
    else this.server.decide(this.user, frame.action, frame.peerEmail)
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

  private answer(frame: Extract<ClientFrame, { action: 'sendMessage' }> | ChangeFrame): void {
    const clientMessageId = frame.clientMessageId ?? ''
    const refuse = (error: { code: ErrorCode; retryable: boolean }) =>
      this.push({ type: 'error', ...error, message: error.code, requestId: 'r', clientMessageId })
    const error = this.refuse.shift()
    // What is stored is not refused for good.
    const isStored = this.server.messages.some((message) => message.clientMessageId === clientMessageId)
    if (error !== undefined && (error.retryable || !isStored)) {
      refuse(error)
      return
    }
    const result = this.take(frame, clientMessageId)
    if ('refused' in result) {
      refuse({ code: result.refused, retryable: false })
      return
    }
    const { stored, duplicate } = result
    if (this.loseAcks > 0) this.loseAcks -= 1
    else this.push({ type: 'sent', clientMessageId, roomId: ROOM, timestamp: stored.timestamp, seq: stored.seq, duplicate })
  }

  private take(frame: Extract<ClientFrame, { action: 'sendMessage' }> | ChangeFrame, id: string): ReturnType<FakeServer['change']> {
    if (frame.after != null && frame.after !== EPOCH && frame.after > (this.server.messages.at(-1)?.timestamp ?? ''))
      return { refused: 'badRequest' }
    return isChangeFrame(frame) ? this.server.change(this.user, frame, this) : this.store(frame, id)
  }

  private store(frame: SendMessageFrame, id: string): ReturnType<FakeServer['change']> {
    const { attachment, proposalAnswer, replyTo, kind, preview = '', body } = frame
    if (attachment !== undefined && !this.server.objects.has(attachment.key)) return { refused: 'attachmentMissing' }
    const content: Partial<MessageBody> = {
      ...(attachment === undefined ? {} : { kind: 'image', attachment }),
      ...(proposalAnswer === undefined ? {} : { kind: 'matchProposalAnswer', proposalAnswer }),
      ...(replyTo === undefined ? {} : { replyTo }),
      ...(kind === undefined ? {} : { kind, preview, body }),
    }
    return this.server.store(this.user, frame.message ?? preview, id, this, content, frame.after ?? EPOCH)
  }
}
