import type { PendingWithImage } from './pending'
import { refusalOf } from './rest'
import type { Put, Uploader, UploaderContext, UploadOutcome } from './upload'

/** What uploads images. Its code comes with the first one: most visits upload nothing. */
export class LateUploader {
  #found: Uploader | null = null

  constructor(private readonly context: Omit<UploaderContext, 'put'> & { readonly put: Put | undefined }) {}

  async upload(entry: PendingWithImage): Promise<UploadOutcome> {
    try {
      const { browserPut, Uploader } = await import('./upload')
      this.#found ??= new Uploader({ ...this.context, put: this.context.put ?? browserPut })
    } catch (error) {
      return { kind: 'refused', error: refusalOf(error) }
    }
    return this.#found.upload(entry)
  }

  cancel(id: string): void {
    this.#found?.cancel(id)
  }

  keepOnly(ids: ReadonlySet<string>): void {
    this.#found?.keepOnly(ids)
  }
}
