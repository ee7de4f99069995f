import type { Outbox } from './outbox'
import type { PendingImage, PendingWithImage } from './pending'
import { ChatError, type Refusal, type Rest, refusalOf } from './rest'
import type { HeaderBody } from './wire'

/** What became of one `PUT`. `lost`: perhaps it arrived, perhaps not. */
export type PutOutcome = 'done' | 'there' | 'refused' | 'lost' | 'aborted'

/** Puts bytes where an answer of `POST /chat/uploads` says. */
export type Put = (
  grant: { readonly url: string; readonly headers: readonly HeaderBody[] },
  bytes: Uint8Array<ArrayBuffer>,
  progress: (share: number) => void,
  signal: AbortSignal,
) => Promise<PutOutcome>

/** With nothing happening for so long, it is lost. A whole upload may take longer. */
const STALLED_AFTER_MS = 30_000

/** A `PUT` of a browser. `fetch` tells nothing of its progress. */
export const browserPut: Put = (grant, bytes, progress, signal) =>
  new Promise((resolve) => {
    const request = new XMLHttpRequest()
    let stalled: ReturnType<typeof setTimeout>
    const end = (outcome: PutOutcome) => {
      clearTimeout(stalled)
      signal.removeEventListener('abort', abort)
      resolve(outcome)
    }
    const abort = () => {
      end('aborted')
      request.abort()
    }
    const moving = () => {
      clearTimeout(stalled)
      stalled = setTimeout(() => {
        end('lost')
        request.abort()
      }, STALLED_AFTER_MS)
    }
    request.open('PUT', grant.url)
    for (const { name, value } of grant.headers) request.setRequestHeader(name, value)
    request.upload.onprogress = ({ loaded, total }) => {
      moving()
      progress(total > 0 ? loaded / total : 0)
    }
    request.onload = () => end(outcomeOf(request.status))
    request.onerror = () => end('lost')
    signal.addEventListener('abort', abort)
    if (signal.aborted) return abort()
    moving()
    request.send(bytes)
  })

function outcomeOf(status: number): PutOutcome {
  if (status >= 200 && status < 300) return 'done'
  // `If-None-Match: *`: an earlier attempt has arrived.
  if (status === 412) return 'there'
  // S3 and a full disk ask to come again later; a conflict is two attempts at once.
  if (status >= 500 || status === 408 || status === 409 || status === 429) return 'lost'
  return 'refused'
}

/** How long to wait for word of whether something is there. */
const LOOKED_FOR_MS = 20_000

/** What became of an upload. `gone`: the message was discarded meanwhile. `lost`: this device no longer has the bytes. */
export type UploadOutcome =
  | { kind: 'uploaded'; image: PendingImage }
  | { kind: 'refused'; error: Refusal }
  | { kind: 'gone' | 'lost' }

export interface UploaderContext {
  readonly outbox: Pick<Outbox, 'bytes' | 'update'>
  readonly rest: Pick<Rest, 'upload' | 'attachment'>
  readonly put: Put
  readonly fetcher: typeof fetch
  /** How much has left; `null` when nothing is on its way. */
  progress(id: string, share: number | null): void
}

type Granted = NonNullable<PendingImage['upload']>

/**
 * Brings images to where a message can name them, each once: where its bytes go is kept before they leave, what arrived unheard is
 * found there by the next attempt, and only what certainly is not there is uploaded anew.
 */
export class Uploader {
  readonly #running = new Map<string, AbortController>()
  /** URLs that were refused although nothing was there. */
  readonly #refused = new Map<string, number>()

  constructor(private readonly context: UploaderContext) {}

  /** Makes an image of a message that is in the outbox ready to be named; by one tab at a time. */
  async upload(entry: PendingWithImage): Promise<UploadOutcome> {
    const controller = new AbortController()
    this.#running.set(entry.id, controller)
    try {
      // Whoever stops it waits for no answer.
      return await Promise.race([this.#upload(entry, controller.signal), aborted(controller.signal)])
    } catch (error) {
      return { kind: 'refused', error: refusalOf(error) }
    } finally {
      this.#running.delete(entry.id)
      this.context.progress(entry.id, null)
    }
  }

  cancel(id: string): void {
    this.#running.get(id)?.abort()
  }

  /** Cancels what is not among these. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const [id, controller] of this.#running) if (!ids.has(id)) controller.abort()
  }

  async #upload(entry: PendingWithImage, signal: AbortSignal): Promise<UploadOutcome> {
    const { id, peer, image } = entry
    let { upload } = image
    if (upload !== undefined && Date.parse(upload.expiresAt) <= Date.now()) {
      if (await this.#isThere(upload.key)) return this.#uploaded(id, image, upload)
      upload = undefined
    }
    const bytes = await this.context.outbox.bytes(id)
    if (bytes === undefined) return { kind: 'lost' }
    if (upload === undefined) {
      const { contentType, size, width, height } = image
      upload = await this.context.rest.upload({ with: peer, contentType, size, width, height })
      if (signal.aborted || !(await this.context.outbox.update(id, { image: { ...image, upload } }))) return { kind: 'gone' }
    }
    this.context.progress(id, 0)
    const outcome = await this.context.put(upload, bytes, (share) => this.context.progress(id, share), signal)
    if (outcome === 'aborted') return { kind: 'gone' }
    if (outcome === 'lost') return { kind: 'refused', error: { code: 'unavailable', retryable: true } }
    if (outcome !== 'refused' || (await this.#isThere(upload.key))) return this.#uploaded(id, image, upload)
    // The clocks may disagree about whether the URL had expired.
    const refusals = (this.#refused.get(id) ?? 0) + 1
    this.#refused.set(id, refusals)
    await this.context.outbox.update(id, { image: { ...image, upload: undefined } })
    const again = refusals === 1
    return { kind: 'refused', error: { code: again ? 'unavailable' : 'attachmentRejected', retryable: again } }
  }

  async #uploaded(id: string, image: PendingImage, upload: Granted): Promise<UploadOutcome> {
    this.#refused.delete(id)
    const there = { ...image, upload, uploaded: true }
    return (await this.context.outbox.update(id, { image: there })) ? { kind: 'uploaded', image: there } : { kind: 'gone' }
  }

  /** The server gives a URL without looking; what is behind it, only the place itself can tell. */
  async #isThere(key: string): Promise<boolean> {
    const { url } = await this.context.rest.attachment(key)
    const { ok, status, body } = await this.context.fetcher(url, { cache: 'no-store', signal: AbortSignal.timeout(LOOKED_FOR_MS) })
    // The status was all; a `HEAD` would need a URL of its own.
    await body?.cancel()
    if (ok) return true
    // S3 may refuse to say that nothing is there.
    if (status === 404 || status === 403) return false
    throw new ChatError('unavailable', true, `HTTP ${status}`)
  }
}

function aborted(signal: AbortSignal): Promise<{ kind: 'gone' }> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve({ kind: 'gone' })))
}
