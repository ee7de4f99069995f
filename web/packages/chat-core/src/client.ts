import { peerOf } from './address'
import { Announcements } from './announcements'
import { listenToBrowser } from './browserEvents'
import { Consent, type Decided } from './consent'
import { Delivery } from './delivery'
import { Exchange } from './exchange'
import { checkImage, type ReadyImage } from './image'
import { ImageUrls } from './imageUrls'
import { LateUploader } from './lateUploader'
import { ListSync } from './list'
import type { Outbox } from './outbox'
import { Outgoing, type Senders, type Target } from './outgoing'
import type { Change, Content } from './pending'
import { ReadMarks } from './readMarks'
import { Reauth } from './reauth'
import { ChatError, Rest, SignedOut, type Tokens } from './rest'
import { RoomSync } from './roomSync'
import { Sender, type SenderEvent } from './sender'
import type { ChatState, ConnectionStatus, Decision, End, LastMessage } from './state'
import { Store } from './store'
import { openTabs, type TabMessage, type Tabs } from './tabs'
import { cleanText } from './text'
import { Timers } from './timers'
import { SocketTransport, type Transport, type TransportListener } from './transport'
import { Typing } from './typing'
import type { Put } from './upload'
import type { BlockedBody, ChangedFrame, ErrorBody, MessageBody, ReadFrame, ReportFrame, SearchBody, ServerFrame } from './wire'

/** What a client is made of. Everything but the first four is chosen for a browser; tests choose otherwise. */
export interface ChatClientOptions {
  /** The user's own address, normalised. */
  readonly me: string
  readonly wsUrl: string
  readonly restUrl: string
  readonly tokens: Tokens
  readonly outbox?: Outbox
  readonly transport?: (listener: TransportListener) => Transport
  readonly tabs?: (listener: (message: TabMessage) => void) => Tabs
  readonly fetch?: typeof fetch
  readonly put?: Put
}

/** The list of connections that pushes go to lags by a moment: whatever fell in between is found by a second sync. */
const SYNC_AGAIN_MS = 5_000
/** The page is often looked at again several times in a row: one sync is enough for them. */
const FOCUS_EVERY_MS = 1_000

/** Whether a conversation ends earlier than it did, or otherwise with the same number. */
const isBefore = (now: LastMessage | null, then: LastMessage): boolean =>
  now === null || now.seq < then.seq || (now.seq === then.seq && now.timestamp !== then.timestamp)

/** What a failure ends, for as long as the session is the same. */
function endOf(error: unknown): End | null {
  if (error instanceof SignedOut) return 'signedOut'
  const code = error instanceof ChatError ? error.code : null
  return code === 'suspended' || code === 'notYours' ? code : null
}

/** One user's chat: keeps a {@link ChatState} that converges to the server's, and sends exactly once. */
export class ChatClient {
  readonly #options: ChatClientOptions
  readonly #store: Store
  readonly #timers = new Timers()
  readonly #announcements = new Announcements()
  readonly #rest: Rest
  readonly #tabs: Tabs
  readonly #transport: Transport
  readonly #exchange: Exchange
  readonly #reauth: Reauth
  readonly #list: ListSync
  readonly #rooms: RoomSync
  readonly #marks: ReadMarks
  readonly #typing: Typing
  readonly #consent: Consent
  readonly #urls: ImageUrls
  readonly #outgoing: Outgoing
  readonly #stopListening: readonly ((() => void) | undefined)[]
  #active: string | null = null
  #wasOnline = false
  #probing = false
  #hasEnded = false

  constructor(options: ChatClientOptions) {
    const { me, wsUrl, restUrl, tokens } = options
    this.#options = options
    const store = new Store(me)
    this.#store = store
    store.subscribe((before) => this.#reloadForgotten(before))
    const rest = new Rest(restUrl, tokens, options.fetch)
    this.#rest = rest
    const fromTabs = (message: TabMessage) => this.#fromTab(message)
    this.#tabs = options.tabs?.(fromTabs) ?? openTabs(me, fromTabs)
    const listener = this.#transportListener()
    this.#transport = options.transport?.(listener) ?? new SocketTransport(wsUrl, tokens, listener)
    const failed = (error: unknown) => this.#failed(error)
    this.#exchange = new Exchange(this.#transport)
    this.#reauth = new Reauth(tokens, this.#transport, failed)
    this.#list = new ListSync(store, rest, this.#announcements, failed)
    this.#rooms = new RoomSync(store, rest, this.#announcements, this.#timers, failed)
    this.#marks = new ReadMarks(store, this.#transport, this.#tabs, this.#timers)
    this.#typing = new Typing(store, this.#transport, this.#timers)
    this.#consent = new Consent(store, this.#transport, this.#timers)
    this.#urls = new ImageUrls(rest, failed)
    this.#outgoing = new Outgoing(store, this.#tabs, this.#timers, options.outbox, (outbox) => this.#sendersOf(outbox))
    this.#stopListening = [
      tokens.onRenewed?.((token) => this.#reauth.send(token)),
      listenToBrowser({
        woke: () => this.#lookedAt(),
        lookedAt: () => this.#lookedAt(),
        revived: () => this.#transport.renew(),
        offline: () => this.#suspect(),
      }),
    ]
    void this.#list.refresh()
  }

  get state(): ChatState {
    return this.#store.state
  }

  /** Calls `listener` after each change of the state; returns how to stop. */
  subscribe(listener: () => void): () => void {
    return this.#store.subscribe(listener)
  }

  /**
   * Calls `listener` with each message of somebody else that arrives live, when it is known whether it is a request; returns how to stop.
   */
  onIncoming(listener: (message: MessageBody) => void): () => void {
    const waiting = new Map<string, Promise<void>>()
    return this.#announcements.subscribe((message) => {
      const peer = message.senderEmail
      const before = waiting.get(peer)
      if (before === undefined && this.#store.room(peer)?.request !== 'unknown') return listener(message)
      const told = (before ?? this.#rooms.known(peer)).then(() => {
        if (waiting.get(peer) === told) waiting.delete(peer)
        if (!this.#store.closed) listener(message)
      })
      waiting.set(peer, told)
    })
  }

  /** Makes a conversation the one that is looked at, at its newest messages, and loads it. */
  open(peer: string): void {
    this.#active = peer
    this.showNewest(peer)
    void this.#rooms.sync(peer)
  }

  /** Nothing is looked at any more. */
  leave(): void {
    this.#active = null
  }

  /** Brings everything up to date now, as happens by itself on opening, on focus and on reconnecting. */
  refresh(): void {
    this.#transport.check()
    void this.#sync()
  }

  loadOlder(peer: string): Promise<void> {
    return this.#rooms.loadOlder(peer)
  }

  /** Loads what follows on what the reader was led to by `seek`. */
  loadNewer(peer: string): Promise<void> {
    return this.#rooms.loadNewer(peer)
  }

  /**
   * Leads the reader to a message, however far back: `atReader` has it, and its neighbourhood, once this resolves with `there`. `gone`:
   * there is no such message.
   */
  seek(peer: string, timestamp: string): Promise<'there' | 'gone' | 'failed'> {
    return this.#rooms.seek(peer, timestamp)
  }

  /** Leads the reader back to the newest messages. */
  showNewest(peer: string): void {
    this.#store.dispatch({ type: 'attached', peer })
  }

  /**
   * A part of what is found of `words` in a conversation, the newest first: everything from `before` back to `searchedTo`. `chat-core/search`
   * goes on from there.
   */
  search(peer: string, words: string, before?: string, signal?: AbortSignal): Promise<SearchBody> {
    return this.#rest.search(peer, words, before, signal)
  }

  /** Clears a conversation for the user alone; resolves when the server has answered. */
  clear(peer: string): Promise<Decided> {
    return this.#consent.clear(peer)
  }

  loadMoreConversations(): Promise<void> {
    return this.#list.more()
  }

  /**
   * Queues a message: it has its id and `after` from now on, and is sent by itself. The text has to pass `checkText`. Resolves once
   * it is kept, or shown as what could not be kept. `replyTo` is the timestamp of the message that it replies to.
   */
  send(peer: string, text: string, replyTo?: string): Promise<void> {
    return this.#queue(peer, { kind: 'text', text: cleanText(text) }, { replyTo })
  }

  /** Queues an image, to be uploaded and sent by itself. It has to pass `checkImage`, its caption `checkText` unless it is empty. */
  async sendImage(peer: string, image: ReadyImage, words: { caption: string; alt: string }, replyTo?: string): Promise<void> {
    const problem = checkImage(image)
    if (problem !== null) throw new RangeError(problem)
    const { bytes, contentType, width, height } = image
    const alt = cleanText(words.alt)
    const facts = { contentType, size: bytes.length, width, height, ...(alt === '' ? {} : { alt }), uploaded: false }
    await this.#queue(peer, { kind: 'image', text: cleanText(words.caption), image: facts }, { replyTo, bytes })
  }

  /** Queues a message of any other kind, such as a proposal to play a match, or one of the application's own kinds. */
  queue(peer: string, content: Exclude<Content, { kind: 'text' | 'image' }>): Promise<void> {
    return this.#queue(peer, content)
  }

  /** Leaves these emoji on a message, and no others: up to `REACTIONS_MAX`. It is shown at once, and sent as messages are. */
  react(peer: string, target: Target, emoji: readonly string[]): Promise<void> {
    return this.#change(peer, target, { kind: 'react', emoji }).kept
  }

  /** Gives a message of the user other words, which have to pass `checkText`. What cannot have been sent yet is sent with these. */
  edit(peer: string, target: Target, text: string): Promise<void> {
    return this.#change(peer, target, { kind: 'edit', text: cleanText(text) }).kept
  }

  /** Deletes a message of the user for both, `holdMs` from now, at most a minute; until then `discard` of what is returned undoes it. */
  delete(peer: string, target: Target, holdMs = 0): string {
    return this.#change(peer, target, { kind: 'delete' }, holdMs).id
  }

  /** The bytes of an image that is still to be sent. */
  imageBytes(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#outgoing.imageBytes(id)
  }

  /** Where an image can be seen, for some minutes. `fresh` asks again although it was asked before. */
  imageUrl(key: string, fresh = false): Promise<string> {
    return this.#urls.urlOf(key, fresh)
  }

  /** Sends a refused message again. */
  retry(id: string): Promise<void> {
    return this.#outgoing.retry(id)
  }

  /** Forgets a refused message, or an image that is not uploaded yet. Whatever else is queued may have been stored already. */
  discard(id: string): Promise<void> {
    return this.#outgoing.discard(id)
  }

  /** Sends what waits behind images of a conversation that are still to be uploaded before them. */
  textsFirst(peer: string): Promise<void> {
    return this.#outgoing.textsFirst(peer)
  }

  /**
   * How many messages have not been sent: `kept` for when this user comes back to this browser, or `lost` with this client, since the
   * browser keeps nothing or did not take them.
   */
  unsent(): { kept: number; lost: number } {
    return this.#outgoing.unsent()
  }

  /** Says that everything loaded of a conversation was read. Call it only when it was on a visible screen. */
  markRead(peer: string): void {
    this.#marks.mark(peer)
  }

  /** Says that the user is typing. Call it as often as they do. */
  typing(peer: string): void {
    this.#typing.say(peer)
  }

  /** Accepts a request, blocks somebody, or takes that back; resolves when the server has answered. */
  decide(decision: Decision, peer: string): Promise<Decided> {
    return this.#consent.decide(decision, peer)
  }

  /** Shows messages of a conversation to whoever runs the chat; resolves when the server has answered. */
  report(report: ReportFrame): Promise<Decided> {
    return this.#consent.report(report)
  }

  /** Whom the user blocks. A page may be empty, and more may follow all the same. */
  blocked(cursor?: string): Promise<BlockedBody> {
    return this.#rest.blocked(cursor)
  }

  /** Ends everything but what is queued. */
  close(): void {
    this.#store.close()
    for (const stop of this.#stopListening) stop?.()
    this.#timers.clear()
    this.#outgoing.close()
    this.#exchange.lost()
    this.#transport.close()
    this.#tabs.close()
    this.#announcements.close()
  }

  #queue(
    peer: string,
    content: Content,
    more: { replyTo?: string | undefined; bytes?: Uint8Array<ArrayBuffer> } = {},
  ): Promise<void> {
    this.#typing.sent(peer)
    return this.#outgoing.queue(peer, content, more)
  }

  #change(peer: string, target: Target, change: Change, holdMs = 0) {
    return this.#outgoing.change(peer, target, change, holdMs)
  }

  /** What sends from an outbox. */
  #sendersOf(outbox: Outbox): Senders {
    const rest = this.#rest
    const tell = (event: SenderEvent) => this.#fromSender(event)
    const uploader = new LateUploader({
      outbox,
      rest,
      put: this.#options.put,
      fetcher: this.#options.fetch ?? ((input, init) => fetch(input, init)),
      progress: (id, share) => this.#store.dispatch({ type: 'progress', id, share }),
    })
    const changed = () => tell({ type: 'outboxChanged' })
    const delivery = new Delivery({ outbox, uploader, exchange: this.#exchange, rest, changed })
    const transport = this.#transport
    const connection = {
      get isOpen() {
        return transport.isOpen
      },
      renew: () => transport.renew(),
      check: () => transport.check(),
      reauth: () => this.#reauth.extend(),
    }
    const sender = new Sender({ user: this.#store.me, outbox, tabs: this.#tabs, rest, delivery, connection, tell })
    return { sender, uploader }
  }

  #fromSender(event: SenderEvent): void {
    if (event.type === 'outboxChanged') void this.#outgoing.changed()
    else if (event.type === 'message') this.#rooms.arrived(event.message)
    else if (event.type === 'sent') {
      this.#rooms.take(event, event.acknowledged.entry.peer)
      this.#tabs.tell(event)
    } else this.#store.dispatch(event)
  }

  #fromTab(message: TabMessage): void {
    if (message.type === 'sent') this.#rooms.take(message, message.acknowledged.entry.peer)
    else if (message.type === 'read') this.#store.dispatch(message)
    else if (message.type === 'stopped') this.#outgoing.stopped(message.id)
    else void this.#outgoing.takeUp()
  }

  #transportListener(): TransportListener {
    return {
      opened: () => this.#opened(),
      closed: (wasOpen) => this.#disconnected(wasOpen),
      frame: (frame) => this.#received(frame),
      gatewayFailed: () => this.#exchange.gatewayFailed(),
    }
  }

  #opened(): void {
    this.#wasOnline = true
    this.#status('online')
    this.#marks.resend()
    this.#consent.opened()
    void this.#sync()
    this.#timers.set('again', SYNC_AGAIN_MS, () => void this.#sync())
  }

  #disconnected(wasOpen: boolean): void {
    this.#reauth.settle(false)
    this.#exchange.lost()
    this.#outgoing.disconnected()
    if (!this.#hasEnded) this.#status(this.#offlineStatus())
    if (!wasOpen) void this.#probe()
  }

  #received(frame: ServerFrame): void {
    if (this.state.connection === 'offline') this.#status('online')
    switch (frame.type) {
      case 'message':
        this.#rooms.arrived(frame)
        break
      case 'changed':
        this.#changed(frame)
        break
      case 'sent':
        this.#exchange.sent(frame)
        break
      case 'read':
        this.#read(frame)
        break
      case 'typing':
        this.#typing.heard(frame)
        break
      case 'accept':
      case 'block':
      case 'unblock':
        this.#consent.heard(frame.type, frame)
        break
      case 'reported':
        this.#consent.reported(frame)
        break
      case 'cleared':
        this.#consent.cleared(frame)
        break
      case 'reauth':
        this.#reauth.settle(true)
        // Nothing was pushed while the authentication had expired.
        void this.#sync()
        break
      case 'error':
        this.#refused(frame)
        break
      case 'pong':
    }
  }

  #changed(frame: ChangedFrame): void {
    const peer = peerOf(frame.roomId, this.#store.me)
    const before = peer === null ? undefined : this.#store.room(peer)
    this.#rooms.changed(frame)
    if (before === undefined || before.anchor !== null || before.last === null) return
    // The list does not tell which message its words are of: these may be what was edited, or deleted.
    const isOtherwise = frame.message.kind === 'deleted' || frame.message.editedAt === frame.timestamp
    if (isOtherwise && before.last.at === undefined && before.last.timestamp !== frame.target) void this.#list.refresh()
  }

  #read(frame: ReadFrame): void {
    const peer = this.#marks.heard(frame)
    if (peer === null) return
    // Another device has read a part of what was only counted here.
    const room = this.#store.room(peer)
    if (room?.anchor === null && frame.upTo < (room.last?.timestamp ?? '')) void this.#list.refresh()
  }

  #refused(error: ErrorBody): void {
    this.#exchange.refused(error)
    if (error.clientMessageId !== undefined) return
    this.#consent.refused(error)
    if (error.code === 'authExpired') void this.#reauth.extend()
    else if (error.code === 'unknownConnection') this.#transport.renew()
    else if (error.code === 'unauthorized') this.#reauth.settle(false)
  }

  #lookedAt(): void {
    this.#transport.check()
    if (!this.#timers.has('focus')) void this.#sync()
    this.#timers.set('focus', FOCUS_EVERY_MS)
  }

  /** "Offline" may be wrong. It holds until a ping is answered. */
  #suspect(): void {
    if (this.state.connection === 'online') this.#status('offline')
    this.#transport.check()
  }

  #offlineStatus(): ConnectionStatus {
    if (typeof navigator !== 'undefined' && navigator.onLine === false) return 'offline'
    return this.#wasOnline ? 'reconnecting' : 'connecting'
  }

  /** A browser does not tell why a connection was refused; REST does. */
  async #probe(): Promise<void> {
    if (this.#probing) return
    this.#probing = true
    await this.#list.refresh()
    this.#probing = false
  }

  #status(status: ConnectionStatus): void {
    this.#store.dispatch({ type: 'connection', status })
  }

  /** A request failed. When the session has ended, or the user is refused with it, everything that needs one ends. */
  #failed(error: unknown): void {
    const end = endOf(error)
    if (end === null || this.#store.closed) return
    this.#hasEnded = true
    this.#status(end)
    this.#transport.close()
    this.#exchange.lost()
    this.#outgoing.stop()
  }

  /**
   * Brings everything up to date: what is to be sent, the list, the conversation that is looked at, and those that the list shows to
   * be behind.
   */
  async #sync(): Promise<void> {
    void this.#outgoing.takeUp()
    const active = this.#active
    const [listed] = await Promise.all([this.#list.refresh(), active === null ? undefined : this.#rooms.sync(active)])
    await this.#rooms.syncBehind(listed)
  }

  /** Loads again what was loaded from a server that has begun anew since: only then the newest message moves back. */
  #reloadForgotten(before: ChatState): void {
    if (this.state.rooms === before.rooms) return
    for (const [peer, room] of Object.entries(before.rooms)) {
      const now = this.#store.room(peer)
      if (now === undefined || now === room) continue
      const unloaded = room.anchor !== null && now.anchor === null
      const movedBack = room.last !== null && now.last !== room.last && isBefore(now.last, room.last)
      if (!unloaded && !movedBack) continue
      this.#announcements.forget(peer)
      this.#marks.forget(peer)
      if (unloaded) void this.#rooms.sync(peer)
    }
  }
}
