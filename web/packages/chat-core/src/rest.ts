import { ROUTES } from './routes'
import type {
  AttachmentUrlBody,
  BlockedBody,
  ConversationsBody,
  ErrorBody,
  ErrorCode,
  HistoryBody,
  ProposalRequestBody,
  SearchBody,
  SentFrame,
  UploadBody,
  UploadRequestBody,
} from './wire'

/** Where access tokens come from. */
export interface Tokens {
  /** The current one. Rejects with {@link SignedOut} when there is none. */
  get(): Promise<string>
  /** A newer one than `refused`, which the server did not accept. Rejects with {@link SignedOut} when only the user can help. */
  renew(refused: string): Promise<string>
  /** Tells of tokens that came by themselves, such as those of a silent renewal. */
  onRenewed?(listener: (token: string) => void): () => void
}

/** The session has ended; signing in again starts a new one. */
export class SignedOut extends Error {
  override name = 'SignedOut'
}

/** A request was refused or failed. */
export class ChatError extends Error {
  override name = 'ChatError'

  constructor(
    readonly code: ErrorCode,
    readonly retryable: boolean,
    message: string,
  ) {
    super(message)
  }
}

/** What the server said no with, as far as it matters to whoever sends. */
export type Refusal = Pick<ErrorBody, 'code' | 'retryable'>

/** Whatever failed without the server's word is worth another attempt. */
export function refusalOf(error: unknown): Refusal {
  return error instanceof ChatError ? error : { code: 'unavailable', retryable: true }
}

const REQUEST_TIMEOUT_MS = 20_000

/** The REST half of the chat. */
export class Rest {
  constructor(
    private readonly baseUrl: string,
    private readonly tokens: Tokens,
    private readonly fetcher: typeof fetch = (input, init) => fetch(input, init),
  ) {}

  conversations(cursor?: string): Promise<ConversationsBody> {
    return this.#ask(page(ROUTES.conversations, cursor))
  }

  /** Whom the user blocks, a page of their conversations at a time. */
  blocked(cursor?: string): Promise<BlockedBody> {
    return this.#ask(page(ROUTES.blocked, cursor))
  }

  /**
   * A page of history: the newest, the one before `before`, the one that `around` is in, or, strongly consistent and oldest first, the
   * one after `after`.
   */
  history(peer: string, range: { before?: string; after?: string; around?: string; limit?: string } = {}): Promise<HistoryBody> {
    return this.#ask(`${ROUTES.history}?${new URLSearchParams({ with: peer, ...range })}`)
  }

  /** What is found of `words` in a conversation, from `before` back as far as the server looks at a time. */
  search(peer: string, words: string, before?: string, signal?: AbortSignal): Promise<SearchBody> {
    const query = new URLSearchParams({ with: peer, q: words, ...(before === undefined ? {} : { before }) })
    return this.#ask(`${ROUTES.search}?${query}`, undefined, signal)
  }

  /** Where to put an image. */
  upload(request: UploadRequestBody): Promise<UploadBody> {
    return this.#ask(ROUTES.requestUpload, request)
  }

  /** Where to see an image, for some minutes. */
  attachment(key: string): Promise<AttachmentUrlBody> {
    return this.#ask(ROUTES.openAttachment.replace('{key}', encodeURIComponent(key)))
  }

  propose(request: ProposalRequestBody): Promise<SentFrame> {
    return this.#ask(ROUTES.proposeMatch, request)
  }

  /** A `GET`, or a `POST` of what is given. */
  async #ask<T>(path: string, body?: object, signal?: AbortSignal): Promise<T> {
    const url = `${this.baseUrl}${path}`
    const token = await this.tokens.get()
    let response = await this.#fetch(url, token, body, signal)
    if (response.status === 401) response = await this.#fetch(url, await this.tokens.renew(token), body, signal)
    if (response.status === 401) throw new SignedOut('the server accepts no token')
    if (!response.ok) throw await errorOf(response)
    return (await response.json()) as T
  }

  async #fetch(url: string, token: string, body?: object, signal?: AbortSignal): Promise<Response> {
    const limit = AbortSignal.timeout(REQUEST_TIMEOUT_MS)
    try {
      return await this.fetcher(url, {
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
        headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        // In an older browser nobody waits for what was given up, but it is not taken back.
        signal: signal !== undefined && 'any' in AbortSignal ? AbortSignal.any([signal, limit]) : limit,
      })
    } catch (cause) {
      throw new ChatError('unavailable', true, `${new URL(url).pathname}: ${String(cause)}`)
    }
  }
}

const page = (path: string, cursor?: string): string => (cursor === undefined ? path : `${path}?${new URLSearchParams({ cursor })}`)

async function errorOf(response: Response): Promise<ChatError> {
  const body = (await response.json().catch(() => null)) as Partial<ErrorBody> | null
  if (typeof body?.code === 'string') return new ChatError(body.code, body.retryable === true, body.message ?? body.code)
  // What the gateway refuses itself has no code.
  return new ChatError(response.status === 429 ? 'rateLimited' : 'unavailable', true, `HTTP ${response.status}`)
}
