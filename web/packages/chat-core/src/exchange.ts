import type { QueuedFrame } from './pending'
import type { Refusal } from './rest'
import type { Transport } from './transport'
import type { ErrorBody, SentFrame } from './wire'

/** What became of one attempt to send. `lost`: nobody knows. */
export type Attempt = { kind: 'sent'; sent: SentFrame } | { kind: 'refused'; error: Refusal } | { kind: 'lost' }

/**
 * How long the answer to a first attempt is waited for, to a second one, and to any later one. A frame or its answer may be lost on a
 * connection that lives, so the first ones are given up early: the same again harms nothing. The last is longer than API Gateway lets a
 * handler run (29 s): whoever answers later does not answer.
 */
const ANSWER_WITHIN_MS = [12_000, 20_000, 35_000] as const

/** Sends messages and changes over the socket, and finds the answer to each by its id. */
export class Exchange {
  readonly #answers = new Map<string, (attempt: Attempt) => void>()
  /** By message, how many attempts had no answer while the connection lived. */
  readonly #unanswered = new Map<string, number>()

  constructor(private readonly transport: Pick<Transport, 'send' | 'check'>) {}

  async send(frame: QueuedFrame): Promise<Attempt> {
    const id = frame.clientMessageId
    const answer = new Promise<Attempt>((resolve) => this.#answers.set(id, resolve))
    const tries = this.#unanswered.get(id) ?? 0
    this.#unanswered.delete(id)
    const late = setTimeout(
      () => {
        this.#unanswered.set(id, tries + 1)
        this.transport.check()
        this.#answers.get(id)?.({ kind: 'lost' })
      },
      ANSWER_WITHIN_MS[Math.min(tries, ANSWER_WITHIN_MS.length - 1)],
    )
    try {
      return this.transport.send(frame) ? await answer : { kind: 'lost' }
    } finally {
      clearTimeout(late)
      this.#answers.delete(id)
    }
  }

  sent(sent: SentFrame): void {
    this.#answers.get(sent.clientMessageId)?.({ kind: 'sent', sent })
  }

  refused(error: ErrorBody): void {
    if (error.clientMessageId !== undefined) this.#answers.get(error.clientMessageId)?.({ kind: 'refused', error })
  }

  /** Nothing that is on its way will be answered. */
  lost(): void {
    for (const answer of this.#answers.values()) answer({ kind: 'lost' })
  }

  /** Something on its way failed, and it is not said what: the same again harms nothing. */
  gatewayFailed(): void {
    const error = { code: 'unavailable', retryable: true } as const
    for (const answer of this.#answers.values()) answer({ kind: 'refused', error })
  }
}
