import type { Tokens } from './rest'
import type { Transport } from './transport'

const ANSWER_WITHIN_MS = 10_000

/** Extends the authentication of the open connection by a newer token. */
export class Reauth {
  #running: { promise: Promise<boolean>; settle: (worked: boolean) => void } | null = null

  constructor(
    private readonly tokens: Tokens,
    private readonly transport: Pick<Transport, 'send'>,
    /** Hears why there is no newer token. */
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Sends a newer token; resolves with whether the server took it. */
  extend(): Promise<boolean> {
    if (this.#running !== null) return this.#running.promise
    let settle = (_worked: boolean): void => {}
    const promise = new Promise<boolean>((resolve) => {
      const late = setTimeout(() => resolve(false), ANSWER_WITHIN_MS)
      settle = (worked) => {
        clearTimeout(late)
        resolve(worked)
      }
    }).finally(() => {
      this.#running = null
    })
    this.#running = { promise, settle }
    this.tokens
      .get()
      .then((token) => this.tokens.renew(token))
      .then((token) => {
        if (!this.send(token)) settle(false)
      })
      .catch((error: unknown) => {
        settle(false)
        this.failed(error)
      })
    return promise
  }

  /** Sends a token that came by itself; whether it left. */
  send(token: string): boolean {
    return this.transport.send({ action: 'reauth', token })
  }

  /** The server has answered, or will not. */
  settle(worked: boolean): void {
    this.#running?.settle(worked)
  }
}
