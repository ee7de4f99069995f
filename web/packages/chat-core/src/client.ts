import { peerOf } from './address'
import { checkImage, type ReadyImage } from './image'
import { type Outbox, Outdated, openOutbox } from './outbox'
import { type Content, EPOCH, isDiscardable, type Pending } from './pending'
import { type ChatEvent, reduce } from './reducer'
import { Rest, SignedOut, type Tokens } from './rest'
import { Sender } from './sender'
import {
  type Acknowledged,
  type ChatState,
  type ConnectionStatus,
  emptyState,
  hasHole,
  newestKnown,
  type Room,
  syncFrom,
} from './state'
import { BrowserTabs, NoTabs, type TabMessage, type Tabs } from './tabs'
import { cleanText } from './text'
import { SocketTransport, type Transport, type TransportListener } from './transport'
import { browserPut, type Put, Uploader } from './upload'
import type { ErrorBody, HistoryBody, MessageBody, ProposalBody, ReadFrame, ServerFrame, TypingEventFrame, Verdict } from './wire'

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
/** A hole is often just one push that overtook another one. */
const HOLE_PATIENCE_MS = 200
/** Pages of one sync; whoever is further behind begins again from the newest page. */
const SYNC_PAGES_MAX = 10
const MARK_EVERY_MS = 1_000
const TYPING_EVERY_MS = 3_000
const TYPING_SHOWN_MS = 5_000
const REAUTH_WITHIN_MS = 10_000
/** URLs of images are asked for anew this long before they expire. */
const URL_SPARE_MS = 30_000

/** One user's chat: keeps a {@link ChatState} that converges to the server's, and sends exactly once. */
export class ChatClient {
  #state: ChatState
  readonly #options: ChatClientOptions
  readonly #listeners = new Set<() => void>()
  readonly #incoming = new Set<(message: MessageBody) => void>()
  readonly #rest: Rest
  readonly #tabs: Tabs
  readonly #transport: Transport
  readonly #ready: Promise<{ outbox: Outbox; sender: Sender }>
  #sender: Sender | null = null
  #lasts = false
  /** Written, but not kept yet. */
  readonly #adding = new Map<string, { entry: Pending; bytes: Uint8Array<ArrayBuffer> | undefined }>()
  #uploader: Uploader | null = null
  readonly #urls = new Map<string, { url: Promise<string>; until: number }>()
  readonly #syncs = new Map<string, { again: boolean; done: Promise<void> }>()
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>()
  /** Read marks that the server has not confirmed. */
  readonly #marks = new Map<string, string>()
  readonly #typed = new Map<string, number>()
  /** Up to which number messages are known to have been told of, or were there before. */
  readonly #announced = new Map<string, number>()
  #active: string | null = null
  #wasOnline = false
  #probing = false
  #reauth: { promise: Promise<boolean>; settle: (worked: boolean) => void } | null = null
  #closed = false
  readonly #stopListening: () => void

  constructor(options: ChatClientOptions) {
    this.#options = options
    this.#state = emptyState(options.me)
    this.#rest = new Rest(options.restUrl, options.tokens, options.fetch)
    const fromTabs = (message: TabMessage) => this.#fromTab(message)
    this.#tabs =
      options.tabs?.(fromTabs) ?? (typeof BroadcastChannel === 'undefined' ? new NoTabs() : new BrowserTabs(options.me, fromTabs))
    const listener: TransportListener = {
      opened: () => this.#opened(),
      closed: (wasOpen) => this.#disconnected(wasOpen),
      frame: (frame) => this.#received(frame),
      gatewayFailed: () => this.#sender?.gatewayFailed(),
    }
    this.#transport = options.transport?.(listener) ?? new SocketTransport(options.wsUrl, options.tokens, listener)
    this.#ready = this.#prepare()
    this.#stopListening = this.#listenToBrowser()
    void this.#refreshList()
  }

  get state(): ChatState {
    return this.#state
  }

  /** Calls `listener` after each change of the state; returns how to stop. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls `listener` with each message of somebody else that arrives live; returns how to stop. */
  onIncoming(listener: (message: MessageBody) => void): () => void {
    this.#incoming.add(listener)
    return () => this.#incoming.delete(listener)
  }

  /** Makes a conversation the one that is looked at, and loads it. */
  open(peer: string): void {
    this.#active = peer
    void this.#syncRoom(peer)
  }

  /** Brings everything up to date now, as happens by itself on opening, on focus and on reconnecting. */
  refresh(): void {
    this.#transport.check()
    void this.#sync()
  }

  /** Nothing is looked at any more. */
  leave(): void {
    this.#active = null
  }

  async loadOlder(peer: string): Promise<void> {
    const room = this.#state.rooms[peer]
    const oldest = room?.messages[0]
    if (room === undefined || oldest === undefined || room.anchor === null || room.older === 'loading' || room.older === 'none')
      return
    this.#dispatch({ type: 'olderLoading', peer })
    try {
      const page = await this.#rest.history(peer, { before: oldest.timestamp })
      this.#dispatch({ type: 'page', peer, page, range: 'older' })
    } catch (error) {
      this.#dispatch({ type: 'olderFailed', peer })
      this.#failed(error)
    }
  }

  async loadMoreConversations(): Promise<void> {
    const { nextCursor, more } = this.#state.list
    if (nextCursor === null || more === 'loading') return
    this.#dispatch({ type: 'conversationsLoading' })
    try {
      this.#dispatch({ type: 'conversations', page: await this.#rest.conversations(nextCursor), first: false })
    } catch (error) {
      this.#dispatch({ type: 'conversationsFailed', first: false })
      this.#failed(error)
    }
  }

  /**
   * Queues a message: it has its id and `after` from now on, and is sent by itself. The text has to pass `checkText`. Resolves once
   * it is kept, or shown as what could not be kept.
   */
  async send(peer: string, text: string): Promise<void> {
    await this.#queue(peer, { kind: 'text', text: cleanText(text) })
  }

  /** Queues an image, to be uploaded and sent by itself. It has to pass `checkImage`, its caption `checkText` unless it is empty. */
  async sendImage(peer: string, image: ReadyImage, words: { caption: string; alt: string }): Promise<void> {
    const problem = checkImage(image)
    if (problem !== null) throw new RangeError(problem)
    const { bytes, contentType, width, height } = image
    const alt = cleanText(words.alt)
    const facts = { contentType, size: bytes.length, width, height, ...(alt === '' ? {} : { alt }), uploaded: false }
    await this.#queue(peer, { kind: 'image', text: cleanText(words.caption), image: facts }, bytes)
  }

  /** Queues a proposal to play a match. */
  async propose(peer: string, proposal: ProposalBody): Promise<void> {
    await this.#queue(peer, { kind: 'matchProposal', text: '', proposal })
  }

  /** Queues an answer to the proposal of that timestamp. */
  async answer(peer: string, proposal: string, answer: Verdict): Promise<void> {
    await this.#queue(peer, { kind: 'matchProposalAnswer', text: '', answer: { proposal, answer } })
  }

  /** The bytes of an image that is still to be sent. */
  async imageBytes(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#adding.get(id)?.bytes ?? (await this.#ready).outbox.bytes(id)
  }

  /** Where an image can be seen, for some minutes. `fresh` asks again although it was asked before. */
  imageUrl(key: string, fresh = false): Promise<string> {
    const known = this.#urls.get(key)
    if (known !== undefined && !fresh && known.until > Date.now()) return known.url
    const asked = this.#rest.attachment(key)
    const found = { url: asked.then(({ url }) => url), until: Number.POSITIVE_INFINITY }
    this.#urls.set(key, found)
    asked.then(
      ({ expiresAt }) => {
        found.until = Date.parse(expiresAt) - URL_SPARE_MS
      },
      (error: unknown) => {
        this.#urls.delete(key)
        this.#failed(error)
      },
    )
    return found.url
  }

  async #queue(peer: string, content: Content, bytes?: Uint8Array<ArrayBuffer>) {
    const entry: Pending = {
      id: newId(),
      peer,
      ...content,
      after: newestKnown(this.#state.rooms[peer]),
      createdAt: Date.now(),
      status: 'queued',
    }
    this.#typed.delete(peer)
    this.#adding.set(entry.id, { entry, bytes })
    this.#dispatch({ type: 'written', entry })
    await this.#keep(entry, bytes)
  }

  /** Sends a refused message again. */
  async retry(id: string): Promise<void> {
    const { outbox, sender } = await this.#ready
    const unkept = this.#adding.get(id)
    if (unkept !== undefined) {
      if (unkept.entry.status === 'queued') return
      const entry: Pending = { ...unkept.entry, status: 'queued', reason: undefined }
      this.#adding.set(id, { ...unkept, entry })
      this.#dispatch({ type: 'written', entry })
      return this.#keep(entry, unkept.bytes)
    }
    const entry = await outbox.requeue(id).catch(() => undefined)
    await this.#outboxChanged()
    if (entry !== undefined) void sender.drain(entry.peer)
  }

  /** Forgets a refused message, or an image that is not uploaded yet. Whatever else is queued may have been stored already. */
  async discard(id: string): Promise<void> {
    const { outbox } = await this.#ready
    const unkept = this.#adding.get(id)
    if (unkept !== undefined && isDiscardable(unkept.entry)) {
      this.#adding.delete(id)
      this.#dispatch({ type: 'unwritten', id })
    }
    await outbox.discard(id).catch(() => false)
    await this.#outboxChanged()
  }

  /**
   * How many messages have not been sent: `kept` for when this user comes back to this browser, or `lost` with this client, since the
   * browser keeps nothing or did not take them.
   */
  unsent(): { kept: number; lost: number } {
    const { length } = this.#state.pending
    const refused = [...this.#adding.values()].filter(({ entry }) => entry.status === 'failed').length
    const lost = this.#lasts ? refused : length
    return { kept: length - lost, lost }
  }

  /** Says that everything loaded of a conversation was read. Call it only when it was on a visible screen. */
  markRead(peer: string): void {
    const room = this.#state.rooms[peer]
    if (room === undefined || room.anchor === null) return
    const theirs = room.messages.findLast(({ senderEmail }) => senderEmail === peer)
    if (theirs === undefined || (room.myReadUpTo ?? '') >= theirs.timestamp) return
    const frame: ReadFrame = { roomId: theirs.roomId, readerEmail: this.#state.me, upTo: theirs.timestamp }
    this.#marks.set(peer, theirs.timestamp)
    this.#dispatch({ type: 'read', frame })
    this.#tabs.tell({ type: 'read', frame })
    if (this.#timers.has(`mark:${peer}`)) return
    this.#sendMark(peer)
    const later = () => {
      if (this.#marks.has(peer)) this.#sendMark(peer)
    }
    this.#after(`mark:${peer}`, MARK_EVERY_MS, later)
  }

  /** Says that the user is typing. Call it as often as they do. */
  typing(peer: string): void {
    const now = Date.now()
    if (this.#state.rooms[peer]?.last == null || now - (this.#typed.get(peer) ?? 0) < TYPING_EVERY_MS) return
    if (this.#transport.send({ action: 'typing', receiverEmail: peer })) this.#typed.set(peer, now)
  }

  /** Ends everything but what is queued. */
  close(): void {
    this.#closed = true
    this.#stopListening()
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#uploader?.keepOnly(new Set())
    this.#sender?.stop()
    this.#transport.close()
    this.#tabs.close()
    this.#listeners.clear()
    this.#incoming.clear()
  }

  #dispatch(event: ChatEvent): void {
    if (this.#closed) return
    const before = this.#state
    this.#state = reduce(before, event)
    if (this.#state === before) return
    if (this.#state.rooms !== before.rooms) this.#reloadForgotten(before)
    for (const listener of this.#listeners) listener()
  }

  /** Loads again what was loaded from a server that has begun anew since: only then the newest message moves back. */
  #reloadForgotten(before: ChatState): void {
    for (const [peer, room] of Object.entries(before.rooms)) {
      const now = this.#state.rooms[peer]
      if (now === undefined || now === room) continue
      const unloaded = room.anchor !== null && now.anchor === null
      const movedBack = room.last !== null && now.last !== room.last && (now.last?.seq ?? 0) <= room.last.seq
      if (!unloaded && !movedBack) continue
      this.#announced.delete(peer)
      this.#marks.delete(peer)
      if (unloaded) void this.#syncRoom(peer)
    }
  }

  async #prepare(): Promise<{ outbox: Outbox; sender: Sender }> {
    const outbox = this.#options.outbox ?? (await openOutbox())
    this.#lasts = outbox.lasts
    const uploader = new Uploader({
      outbox,
      rest: this.#rest,
      put: this.#options.put ?? browserPut,
      fetcher: this.#options.fetch ?? ((input, init) => fetch(input, init)),
      progress: (id, share) => this.#dispatch({ type: 'progress', id, share }),
    })
    this.#uploader = uploader
    const sender = new Sender({
      user: this.#options.me,
      outbox,
      tabs: this.#tabs,
      rest: this.#rest,
      uploader,
      transport: this.#transport,
      reauth: () => this.#extend(),
      acknowledged: (acknowledged) => this.#acknowledged(acknowledged),
      found: (message) => this.#message(message),
      forgotten: (peer) => this.#dispatch({ type: 'forgotten', peer }),
      waiting: (id, reason) => this.#dispatch({ type: 'waiting', id, reason }),
      changed: () => void this.#outboxChanged(),
    })
    this.#sender = sender
    if (this.#closed) sender.stop()
    await this.#loadOutbox(outbox)
    void sender.drain()
    return { outbox, sender }
  }

  async #keep(entry: Pending, bytes: Uint8Array<ArrayBuffer> | undefined): Promise<void> {
    const { outbox, sender } = await this.#ready
    try {
      await outbox.add(this.#options.me, entry, bytes)
    } catch (error) {
      if (!this.#adding.has(entry.id)) return
      // It stays in this page, to be tried again by hand. If it was kept unheard, another tab may have sent it by then.
      const reason = error instanceof Outdated ? 'outdated' : 'notKept'
      const failed: Pending = { ...entry, status: 'failed', reason, after: entry.after ?? EPOCH }
      this.#adding.set(entry.id, { entry: failed, bytes })
      this.#dispatch({ type: 'written', entry: failed })
      return
    }
    // Unless it was discarded meanwhile.
    if (!this.#adding.delete(entry.id)) await outbox.discard(entry.id)
    // What was read of the outbox meanwhile may be without it.
    void this.#outboxChanged()
    void sender.drain(entry.peer)
  }

  async #loadOutbox(outbox: Outbox): Promise<void> {
    const kept = await outbox.all(this.#options.me).catch(() => null)
    // Nobody knows. What is shown stays.
    if (kept === null) return
    const ids = new Set(kept.map(({ id }) => id))
    const adding = [...this.#adding.values()].map(({ entry }) => entry)
    this.#uploader?.keepOnly(ids)
    this.#dispatch({ type: 'outbox', pending: [...kept, ...adding.filter(({ id }) => !ids.has(id))] })
  }

  /** Shows what the outbox holds, and sends it: whichever tab wrote it may be offline, or closed. */
  async #takeUp(): Promise<void> {
    const { outbox, sender } = await this.#ready
    await this.#loadOutbox(outbox)
    await sender.drain()
  }

  async #outboxChanged(): Promise<void> {
    this.#tabs.tell({ type: 'outbox' })
    await this.#loadOutbox((await this.#ready).outbox)
  }

  #fromTab(message: TabMessage): void {
    if (message.type === 'sent')
      this.#stored(() => this.#dispatch({ type: 'sent', acknowledged: message.acknowledged }), message.acknowledged.entry.peer)
    else if (message.type === 'read') this.#dispatch({ type: 'read', frame: message.frame })
    else void this.#takeUp()
  }

  #acknowledged(acknowledged: Acknowledged): void {
    this.#stored(() => this.#dispatch({ type: 'sent', acknowledged }), acknowledged.entry.peer)
    this.#tabs.tell({ type: 'sent', acknowledged })
  }

  #message(message: MessageBody): void {
    const peer = peerOf(message.roomId, this.#state.me)
    if (peer === null) return
    this.#stored(() => this.#dispatch({ type: 'message', message }), peer)
    this.#announce(peer, [message])
  }

  /** Tells of messages that nobody was told of, in their order; one that another one overtook is not news any more. */
  #announce(peer: string, messages: readonly MessageBody[]): void {
    for (const message of messages) {
      if (message.seq <= (this.#announced.get(peer) ?? 0)) continue
      this.#announced.set(peer, message.seq)
      if (message.senderEmail !== peer) continue
      for (const listener of this.#incoming) listener(message)
    }
  }

  /** Looks for a hole after something was stored; and loads what could not be loaded before. */
  #stored(dispatch: () => void, peer: string): void {
    dispatch()
    if (this.#state.rooms[peer]?.status === 'failed') void this.#syncRoom(peer)
    const isTorn = (room: Room | undefined) => room !== undefined && room.anchor !== null && hasHole(room)
    if (!isTorn(this.#state.rooms[peer]) || this.#timers.has(`hole:${peer}`)) return
    this.#after(`hole:${peer}`, HOLE_PATIENCE_MS, () => {
      if (isTorn(this.#state.rooms[peer])) void this.#syncRoom(peer)
    })
  }

  #received(frame: ServerFrame): void {
    if (this.#state.connection === 'offline') this.#status('online')
    switch (frame.type) {
      case 'message':
        this.#message(frame)
        break
      case 'sent':
        this.#sender?.sent(frame)
        break
      case 'read':
        this.#read(frame)
        break
      case 'typing':
        this.#typing(frame)
        break
      case 'reauth':
        this.#reauth?.settle(true)
        // Nothing was pushed while the authentication had expired.
        void this.#sync()
        break
      case 'error':
        this.#refused(frame)
        break
      case 'pong':
    }
  }

  #typing(frame: TypingEventFrame): void {
    const peer = peerOf(frame.roomId, this.#state.me)
    if (peer === null || frame.senderEmail !== peer) return
    this.#dispatch({ type: 'typing', peer, typing: true })
    this.#after(`typing:${peer}`, TYPING_SHOWN_MS, () => this.#dispatch({ type: 'typing', peer, typing: false }))
  }

  #read(frame: ReadFrame): void {
    this.#dispatch({ type: 'read', frame })
    const peer = peerOf(frame.roomId, this.#state.me)
    if (peer === null || frame.readerEmail !== this.#state.me) return
    if (frame.upTo >= (this.#marks.get(peer) ?? '')) this.#marks.delete(peer)
    // Another device has read a part of what was only counted here.
    const room = this.#state.rooms[peer]
    if (room?.anchor === null && frame.upTo < (room.last?.timestamp ?? '')) void this.#refreshList()
  }

  #refused(error: ErrorBody): void {
    this.#sender?.refused(error)
    if (error.clientMessageId !== undefined) return
    if (error.code === 'authExpired') void this.#extend()
    else if (error.code === 'unknownConnection') this.#transport.renew()
    else if (error.code === 'unauthorized') this.#reauth?.settle(false)
  }

  #opened(): void {
    this.#wasOnline = true
    this.#status('online')
    for (const peer of this.#marks.keys()) this.#sendMark(peer)
    void this.#sync()
    this.#after('again', SYNC_AGAIN_MS, () => void this.#sync())
  }

  #disconnected(wasOpen: boolean): void {
    this.#reauth?.settle(false)
    this.#sender?.lost()
    if (this.#state.connection !== 'signedOut') this.#status(this.#offlineStatus())
    if (!wasOpen) void this.#probe()
  }

  #suspect(): void {
    if (this.#state.connection === 'online') this.#status('offline')
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
    await this.#refreshList()
    this.#probing = false
  }

  #status(status: ConnectionStatus): void {
    this.#dispatch({ type: 'connection', status })
  }

  #failed(error: unknown): void {
    if (!(error instanceof SignedOut) || this.#closed) return
    this.#status('signedOut')
    this.#transport.close()
    this.#sender?.stop()
  }

  #sendMark(peer: string): void {
    const upTo = this.#marks.get(peer)
    if (upTo !== undefined) this.#transport.send({ action: 'markRead', peerEmail: peer, upTo })
  }

  /** Sends a newer token; whether the server took it. */
  #extend(): Promise<boolean> {
    if (this.#reauth !== null) return this.#reauth.promise
    let settle = (_worked: boolean): void => {}
    const promise = new Promise<boolean>((resolve) => {
      const late = setTimeout(() => resolve(false), REAUTH_WITHIN_MS)
      settle = (worked) => {
        clearTimeout(late)
        resolve(worked)
      }
    }).finally(() => {
      this.#reauth = null
    })
    this.#reauth = { promise, settle }
    const { tokens } = this.#options
    tokens
      .get()
      .then((token) => tokens.renew(token))
      .then((token) => {
        if (!this.#transport.send({ action: 'reauth', token })) settle(false)
      })
      .catch((error: unknown) => {
        settle(false)
        this.#failed(error)
      })
    return promise
  }

  /** Loads the newest of the list; the addresses of all when it is as short as that. */
  async #refreshList(): Promise<ReadonlySet<string> | null> {
    try {
      const page = await this.#rest.conversations()
      this.#dispatch({ type: 'conversations', page, first: true })
      for (const { peerEmail, lastSeq } of page.conversations) {
        if (!this.#announced.has(peerEmail)) this.#announced.set(peerEmail, lastSeq)
      }
      return page.nextCursor === null ? new Set(page.conversations.map(({ peerEmail }) => peerEmail)) : null
    } catch (error) {
      this.#dispatch({ type: 'conversationsFailed', first: true })
      this.#failed(error)
      return null
    }
  }

  /**
   * Brings everything up to date: what is to be sent, the list, the conversation that is looked at, and those that the list shows to
   * be behind.
   */
  async #sync(): Promise<void> {
    void this.#takeUp()
    const active = this.#active
    const [listed] = await Promise.all([this.#refreshList(), active === null ? undefined : this.#syncRoom(active)])
    // The list lags a little, so what it lacks need not be gone: the conversation itself tells.
    const isDoubtful = (room: Room) => listed !== null && room.last !== null && !listed.has(room.peer)
    const behind = Object.values(this.#state.rooms).filter((room) => room.anchor !== null && (hasHole(room) || isDoubtful(room)))
    await Promise.all(behind.map(({ peer }) => this.#syncRoom(peer)))
  }

  /** Loads what is missing of a conversation, one sync at a time. */
  #syncRoom(peer: string): Promise<void> {
    const running = this.#syncs.get(peer)
    if (running !== undefined) {
      running.again = true
      return running.done
    }
    const sync = { again: false, done: Promise.resolve() }
    this.#syncs.set(peer, sync)
    sync.done = (async () => {
      try {
        do {
          sync.again = false
          await this.#catchUp(peer)
        } while (sync.again && !this.#closed)
      } catch (error) {
        this.#dispatch({ type: 'openFailed', peer })
        this.#failed(error)
      } finally {
        this.#syncs.delete(peer)
      }
    })()
    return sync.done
  }

  async #catchUp(peer: string): Promise<void> {
    this.#dispatch({ type: 'opening', peer })
    const room = this.#state.rooms[peer]
    let after = room === undefined ? null : syncFrom(room)
    for (let pages = 0; ; pages += 1) {
      if (after === null || pages === SYNC_PAGES_MAX) {
        const page = await this.#rest.history(peer)
        this.#dispatch({ type: 'page', peer, page, range: 'newest' })
        this.#announced.set(peer, Math.max(page.messages[0]?.seq ?? 0, this.#announced.get(peer) ?? 0))
        // It may be a moment old. What follows it is not.
        after = page.messages[0]?.timestamp ?? EPOCH
        pages = 0
      }
      const held = this.#state.rooms[peer]?.messages ?? []
      const page = await this.#rest.history(peer, { after })
      if (lacks(page, held, after)) {
        // Which loads it again.
        this.#dispatch({ type: 'forgotten', peer })
        return
      }
      this.#dispatch({ type: 'page', peer, page, range: 'after' })
      this.#announce(peer, page.messages)
      if (!page.hasMore || this.#closed) return
      after = page.nextAfter ?? page.messages.at(-1)?.timestamp ?? null
    }
  }

  #after(name: string, delayMs: number, run: () => void): void {
    clearTimeout(this.#timers.get(name))
    const fire = () => {
      this.#timers.delete(name)
      run()
    }
    this.#timers.set(name, setTimeout(fire, delayMs))
  }

  #listenToBrowser(): () => void {
    const stopTokens = this.#options.tokens.onRenewed?.((token) => {
      this.#transport.send({ action: 'reauth', token })
    })
    if (typeof window === 'undefined') return () => stopTokens?.()
    const controller = new AbortController()
    const { signal } = controller
    const back = () => {
      if (document.visibilityState !== 'visible') return
      this.#transport.check()
      if (!this.#timers.has('focus')) void this.#sync()
      this.#after('focus', MARK_EVERY_MS, () => {})
    }
    window.addEventListener('focus', back, { signal })
    document.addEventListener('visibilitychange', back, { signal })
    window.addEventListener('online', () => this.#transport.renew(), { signal })
    // "Offline" may be wrong, for a server on the same machine at least. It holds until a ping is answered.
    window.addEventListener('offline', () => this.#suspect(), { signal })
    // A page that comes out of the back/forward cache has dead sockets.
    window.addEventListener('pageshow', (event) => event.persisted && this.#transport.renew(), { signal })
    return () => {
      controller.abort()
      stopTokens?.()
    }
  }
}

/** A UUID, version 4. `crypto.randomUUID` is only there in secure contexts. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5')
}

/** Whether a page, which is strongly consistent, is without something that was held before it was asked for. */
function lacks(page: HistoryBody, held: readonly MessageBody[], after: string): boolean {
  const end = page.hasMore ? (page.messages.at(-1)?.timestamp ?? after) : null
  const found = new Set(page.messages.map(({ timestamp }) => timestamp))
  for (let index = held.length - 1; index >= 0; index -= 1) {
    const { timestamp } = held[index] as MessageBody
    if (timestamp <= after) return false
    if ((end === null || timestamp <= end) && !found.has(timestamp)) return true
  }
  return false
}
