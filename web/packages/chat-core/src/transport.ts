import ReconnectingWebSocket from 'partysocket/ws'
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

/** API Gateway cuts a connection after 10 minutes without a message. */
const PING_EVERY_MS = 5 * 60_000
/** API Gateway cuts every connection after 2 hours; so many clients do not all come back at once. */
const RENEW_AFTER_MS = 105 * 60_000
const RENEW_SPREAD_MS = 10 * 60_000
/** An answer to a ping takes longer only when the connection is dead: the handler has a deadline, and it is warm. */
const ANSWER_WITHIN_MS = 10_000
const CONNECT_WITHIN_MS = 15_000
const DELAY_MIN_MS = 500
const DELAY_SPREAD_MS = 1_000
const DELAY_MAX_MS = 15_000

/** A WebSocket that keeps itself alive: pings, planned reconnects, and reconnects with growing, spread delays. */
export class SocketTransport implements Transport {
  #socket: ReconnectingWebSocket | null = null
  #wasOpen = false
  #renewal: ReturnType<typeof setTimeout> | undefined
  #answer: ReturnType<typeof setTimeout> | undefined
  readonly #pings: ReturnType<typeof setInterval>

  constructor(
    private readonly url: string,
    private readonly tokens: Tokens,
    private readonly listener: TransportListener,
    private readonly WebSocket?: unknown,
  ) {
    this.#pings = setInterval(() => this.check(), PING_EVERY_MS)
    this.#connect()
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === ReconnectingWebSocket.OPEN
  }

  send(frame: ClientFrame): boolean {
    return this.#socket?.send(JSON.stringify(frame)) ?? false
  }

  // A new object rather than its `reconnect()`, which would first wait out the delay it is in.
  renew(): void {
    this.#disconnect()
    this.#connect()
  }

  check(): void {
    // Closed: it waits for its next attempt.
    if (this.#socket?.readyState === ReconnectingWebSocket.CLOSED) this.renew()
    else if (this.isOpen && this.#answer === undefined && this.send({ action: 'ping' })) {
      this.#answer = setTimeout(() => this.renew(), ANSWER_WITHIN_MS)
    }
  }

  close(): void {
    clearInterval(this.#pings)
    this.#disconnect()
  }

  #connect(): void {
    // A token is a subprotocol: it would end up in logs as part of the URL.
    const protocols = async () => [SUBPROTOCOL, await this.tokens.get()]
    const socket = new ReconnectingWebSocket(this.url, protocols, {
      maxEnqueuedMessages: 0,
      connectionTimeout: CONNECT_WITHIN_MS,
      minReconnectionDelay: DELAY_MIN_MS + Math.random() * DELAY_SPREAD_MS,
      maxReconnectionDelay: DELAY_MAX_MS,
      reconnectionDelayGrowFactor: 1.6,
      ...(this.WebSocket === undefined ? {} : { WebSocket: this.WebSocket }),
    })
    this.#socket = socket
    socket.onopen = () => {
      this.#wasOpen = true
      this.#renewal = setTimeout(() => this.renew(), RENEW_AFTER_MS + Math.random() * RENEW_SPREAD_MS)
      this.listener.opened()
    }
    socket.onmessage = ({ data }) => {
      this.#answered()
      this.#received(data)
    }
    socket.onclose = () => this.#closed()
    socket.onerror = () => this.#closed()
  }

  #disconnect(): void {
    const socket = this.#socket
    this.#socket = null
    if (socket !== null) {
      socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null
      socket.close()
    }
    if (this.#wasOpen) this.#closed()
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
    this.#answer = undefined
  }

  #received(data: unknown): void {
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
