import type { MessageFrame } from './pending'
import type { Refusal } from './rest'
import type { Transport } from './transport'
import type { ErrorBody, SentFrame } from './wire'

/** What became of one attempt to send. `lost`: nobody knows. */
export type Attempt = { kind: 'sent'; sent: SentFrame } | { kind: 'refused'; error: Refusal } | { kind: 'lost' }

/** Longer than API Gateway lets a handler run (29 s): whoever answers later does not answer. */
const ANSWER_WITHIN_MS = 35_000

/** Sends messages over the socket, and finds the answer to each by its id. */
export class Exchange {
  readonly #answers = new Map<string, (attempt: Attempt) => void>()

  constructor(private readonly transport: Pick<Transport, 'send' | 'check'>) {}

  async send(frame: MessageFrame): Promise<Attempt> {
    const id = frame.clientMessageId
    const answer = new Promise<Attempt>((resolve) => this.#answers.set(id, resolve))
    const late = setTimeout(() => {
      this.transport.check()
      this.#answers.get(id)?.({ kind: 'lost' })
    }, ANSWER_WITHIN_MS)
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
