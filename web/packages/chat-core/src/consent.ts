import { peerOf } from './address'
import type { Decision } from './state'
import type { Store } from './store'
import type { Timers } from './timers'
import type { Transport } from './transport'
import type { ClearedFrame, ClearFrame, ConsentChangedFrame, ErrorBody, ErrorCode, ReportedFrame, ReportFrame } from './wire'

/** A decision or a report is kept by the server, or refused for good. */
export type Decided = 'done' | ErrorCode

type Ask =
  | { readonly action: Decision; readonly peerEmail: string }
  | ({ readonly action: 'report' } & ReportFrame)
  | ({ readonly action: 'clear' } & ClearFrame)

/** Longer than API Gateway lets a handler run (29 s): whoever answers later does not answer. */
const ANSWER_WITHIN_MS = 35_000
const WAIT_MIN_MS = 1_000
const WAIT_MAX_MS = 30_000
const TIMER = 'consent'

/**
 * Tells the server what the user decides about somebody, until it answers. A refusal does not name what it refuses, so one decision is
 * under way at a time. Each may be repeated: the same again changes nothing.
 */
export class Consent {
  readonly #asked: { readonly ask: Ask; readonly settle: (decided: Decided) => void; tries: number }[] = []

  constructor(
    private readonly store: Store,
    private readonly transport: Pick<Transport, 'send' | 'check'>,
    private readonly timers: Timers,
  ) {}

  /** Decides about somebody. What is shown changes when the server says so: until then nothing is promised. */
  async decide(action: Decision, peer: string): Promise<Decided> {
    this.store.dispatch({ type: 'deciding', peer, decision: action })
    const decided = await this.#ask({ action, peerEmail: peer })
    this.store.dispatch({ type: 'deciding', peer, decision: null })
    return decided
  }

  /** Shows messages of a conversation to whoever runs the chat. */
  report(report: ReportFrame): Promise<Decided> {
    return this.#ask({ action: 'report', ...report })
  }

  /** Clears all that is known of a conversation, for the user alone. */
  async clear(peer: string): Promise<Decided> {
    const upTo = this.store.room(peer)?.last?.timestamp
    return upTo === undefined ? 'done' : this.#ask({ action: 'clear', peerEmail: peer, upTo })
  }

  /** There is a new connection. */
  opened(): void {
    this.#send()
  }

  /** A decision of this user was kept, on this connection or on another one. */
  heard(decision: Decision, { roomId }: ConsentChangedFrame): void {
    const peer = peerOf(roomId, this.store.me)
    if (peer === null) return
    this.store.dispatch({ type: 'decided', peer, decision, at: Date.now() })
    this.#answered(decision, peer)
  }

  reported({ peerEmail }: ReportedFrame): void {
    this.#answered('report', peerEmail)
  }

  /** The user has cleared a conversation, on this connection or on another one. */
  cleared({ roomId, upTo }: ClearedFrame): void {
    const peer = peerOf(roomId, this.store.me)
    if (peer === null) return
    this.store.dispatch({ type: 'cleared', peer, upTo })
    const ask = this.#asked[0]?.ask
    if (ask?.action === 'clear' && ask.upTo <= upTo) this.#answered('clear', peer)
  }

  /** Something was refused that has no name of its own. */
  refused({ code, retryable }: Pick<ErrorBody, 'code' | 'retryable'>): void {
    const [first] = this.#asked
    if (first === undefined || !this.timers.has(TIMER)) return
    if (!retryable) {
      this.#done(code)
      return
    }
    const longest = Math.min(WAIT_MIN_MS * 2 ** first.tries, WAIT_MAX_MS)
    first.tries += 1
    this.timers.set(TIMER, longest * (0.5 + Math.random() / 2), () => this.#send())
  }

  #ask(ask: Ask): Promise<Decided> {
    return new Promise((settle) => {
      this.#asked.push({ ask, settle, tries: 0 })
      if (this.#asked.length === 1) this.#send()
    })
  }

  #answered(action: Ask['action'], peer: string): void {
    const [first] = this.#asked
    if (first?.ask.action === action && first.ask.peerEmail === peer) this.#done('done')
  }

  #done(decided: Decided): void {
    this.#asked.shift()?.settle(decided)
    this.#send()
  }

  /** Sends the first of what was asked. Without a connection it waits for one. */
  #send(): void {
    this.timers.stop(TIMER)
    const [first] = this.#asked
    if (first === undefined || !this.transport.send(first.ask)) return
    this.timers.set(TIMER, ANSWER_WITHIN_MS, () => {
      this.transport.check()
      this.#send()
    })
  }
}
