import type { Rest } from './rest'

/** A URL is asked for anew this long before it expires. */
const SPARE_MS = 30_000

/** Remembers where images can be seen, as long as that is true. */
export class ImageUrls {
  readonly #known = new Map<string, { url: Promise<string>; until: number }>()

  constructor(
    private readonly rest: Pick<Rest, 'attachment'>,
    /** Hears of each request that failed. */
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Where an image can be seen, for some minutes. `fresh` asks again although it was asked before. */
  urlOf(key: string, fresh: boolean): Promise<string> {
    const known = this.#known.get(key)
    if (known !== undefined && !fresh && known.until > Date.now()) return known.url
    const asked = this.rest.attachment(key)
    const found = { url: asked.then(({ url }) => url), until: Number.POSITIVE_INFINITY }
    this.#known.set(key, found)
    asked.then(
      ({ expiresAt }) => {
        found.until = Date.parse(expiresAt) - SPARE_MS
      },
      (error: unknown) => {
        this.#known.delete(key)
        this.failed(error)
      },
    )
    return found.url
  }
}
