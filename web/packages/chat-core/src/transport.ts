import { SUBPROTOCOL } from './limits'
import type { Tokens } from './rest'
import type { ClientFrame, ServerFrame } from './wire'

/** What the transport tells. */
export interface TransportListener {
  opened(): void
  /** `wasOpen` is false when the connection was refused: perhaps the token is no good. */
  closed(wasOpen: boolean): void
  frame(frame: ServerFrame): void
  /** The gateway itself said that something failed; it does not say what. */
  gatewayFailed(): void
}

/** The socket, as the rest of the core sees it. */
export interface Transport {
  readonly isOpen: boolean
  /** Whether the frame left; it is never queued here, the outbox is elsewhere. */
  send(frame: ClientFrame): boolean
  /** Connects anew, at once. */
  renew(): void
  /** Finds out soon whether the connection still works, and connects anew if not; at once when it is down. */
  check(): void
  close(): void
}

/** API Gateway cuts a connection after 10 minutes without a message, and a tab in the background may be a minute late. */
const PING_EVERY_MS = 530_000
/** API Gateway cuts every connection after 2 hours; so many clients do not all come back at once. */
const RENEW_AFTER_MS = 105 * 60_000
const RENEW_SPREAD_MS = 10 * 60_000
/** An answer to a ping takes longer only when the connection is dead: the handler has a deadline, and it is warm. */
const ANSWER_WITHIN_MS = 10_000
/** What was sent is answered sooner, if the connection works. Together with a ping, a dead one is found out within 20 seconds of its next use. */
const DOUBT_AFTER_MS = 9_000
const CONNECT_WITHIN_MS = 15_000
const DELAY_MIN_MS = 500
const DELAY_SPREAD_MS = 1_000
const DELAY_MAX_MS = 15_000
const DELAY_GROWTH = 1.6
/** A connection that lasts so long was a good one: when it breaks, the delays begin anew. */
const GOOD_AFTER_MS = 5_000

interface Socket extends Pick<EventTarget, 'addEventListener'> {
  readonly readyState: number
  send(data: string): void
  close(): void
}

/** A WebSocket that keeps itself alive: pings, planned reconnects, and reconnects with growing, spread delays. */
export class SocketTransport implements Transport {
  /** The one that is open, or opens. */
  #socket: Socket | null = null
  /** Ends what listens to it, and what waits for its token. */
  #attempt = new AbortController()
  #wasOpen = false
  #tries = 0
  #renewal: ReturnType<typeof setTimeout> | undefined
  #answer: ReturnType<typeof setTimeout> | undefined
  /** Until the next attempt; `null` while there is one. */
  #retry: ReturnType<typeof setTimeout> | null = null
  #doubt: ReturnType<typeof setTimeout> | undefined
  #pingedQuietly = false
  readonly #pings: ReturnType<typeof setInterval>

  constructor(
    private readonly url: string,
    private readonly tokens: Tokens,
    private readonly listener: TransportListener,
    private readonly make: (url: string, protocols: string[]) => Socket = (url, protocols) => new WebSocket(url, protocols),
  ) {
    this.#pings = setInterval(() => this.#keepAlive(), PING_EVERY_MS)
    this.#connect()
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === 1
  }

  send(frame: ClientFrame): boolean {
    if (!this.isOpen) return false
    this.#socket?.send(JSON.stringify(frame))
    if (frame.action !== 'ping' && frame.action !== 'typing') {
      this.#doubt ??= setTimeout(() => this.check(), DOUBT_AFTER_MS)
    }
    return true
  }

  renew(): void {
    this.#disconnect()
    this.#tries = 0
    this.#connect()
  }

  check(): void {
    if (this.#retry !== null) this.renew()
    else if (this.isOpen && this.#answer === undefined && this.send({ action: 'ping' })) {
      this.#answer = setTimeout(() => this.renew(), ANSWER_WITHIN_MS)
    }
  }

  close(): void {
    clearInterval(this.#pings)
    this.#disconnect()
  }

  /** Half of the pings are not answered, which costs less. The other half tell somebody who only looks on that nothing comes any more. */
  #keepAlive(): void {
    this.#pingedQuietly = this.isOpen && !this.#pingedQuietly
    if (this.#pingedQuietly) this.send({ action: 'ping', quiet: true })
    else this.check()
  }

  #connect(): void {
    this.#attempt = new AbortController()
    void this.#open(this.#attempt.signal)
  }

  async #open(signal: AbortSignal): Promise<void> {
    const failed = () => {
      if (!signal.aborted) this.#failed()
    }
    try {
      // A token is a subprotocol: it would end up in logs as part of the URL.
      const protocols = [SUBPROTOCOL, await this.tokens.get()]
      if (signal.aborted) return
      const socket = this.make(this.url, protocols)
      this.#socket = socket
      const late = setTimeout(failed, CONNECT_WITHIN_MS)
      signal.addEventListener('abort', () => clearTimeout(late))
      const opened = () => {
        clearTimeout(late)
        this.#opened(signal)
      }
      socket.addEventListener('open', opened, { signal })
      socket.addEventListener('message', (event) => this.#heard((event as MessageEvent).data), { signal })
      // Both may be told of one failure.
      for (const kind of ['close', 'error']) socket.addEventListener(kind, failed, { signal })
    } catch {
      failed()
    }
  }

  #opened(signal: AbortSignal): void {
    this.#wasOpen = true
    this.#renewal = setTimeout(() => this.renew(), RENEW_AFTER_MS + Math.random() * RENEW_SPREAD_MS)
    const good = setTimeout(() => {
      this.#tries = 0
    }, GOOD_AFTER_MS)
    signal.addEventListener('abort', () => clearTimeout(good))
    this.listener.opened()
  }

  #failed(): void {
    this.#drop()
    const delay = (DELAY_MIN_MS + Math.random() * DELAY_SPREAD_MS) * DELAY_GROWTH ** this.#tries
    this.#tries += 1
    this.#retry = setTimeout(
      () => {
        this.#retry = null
        this.#connect()
      },
      Math.min(delay, DELAY_MAX_MS),
    )
    this.#closed()
  }

  #disconnect(): void {
    this.#drop()
    if (this.#wasOpen) this.#closed()
  }

  /** Nothing is heard of the connection any more, nor waited for. */
  #drop(): void {
    this.#attempt.abort()
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#retry = null
    this.#socket?.close()
    this.#socket = null
  }

  #closed(): void {
    const wasOpen = this.#wasOpen
    this.#wasOpen = false
    clearTimeout(this.#renewal)
    this.#answered()
    this.listener.closed(wasOpen)
  }

  #answered(): void {
    clearTimeout(this.#answer)
    clearTimeout(this.#doubt)
    this.#answer = undefined
    this.#doubt = undefined
  }

  #heard(data: unknown): void {
    this.#answered()
    const frame = parse(data)
    if (frame === null) return
    if ('type' in frame) this.listener.frame(frame as ServerFrame)
    // `{"message": "Internal server error", "connectionId", "requestId"}`, in API Gateway's own words.
    else if ('message' in frame) this.listener.gatewayFailed()
  }
}

function parse(data: unknown): object | null {
  try {
    const value: unknown = JSON.parse(String(data))
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}
