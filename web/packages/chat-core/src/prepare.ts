import { PICKED_MAX_BYTES } from './image'
import { fileType, SIGNATURE_BYTES } from './imageFile'
import { type Decoded, encode, type ShrinkRequest, type Shrunk, shrink } from './shrink'

/**
 * Makes a picked file into an image that can be sent: small enough, upright, and without anything that a camera or a program has put
 * beside the pixels, above all not where it was taken.
 */
export async function prepareImage(file: Blob, maxBytes: number, signal: AbortSignal): Promise<Shrunk> {
  if (file.size === 0) return { problem: 'imageEmpty' }
  if (file.size > PICKED_MAX_BYTES) return { problem: 'imageTooLarge' }
  const type = fileType(new Uint8Array(await file.slice(0, SIGNATURE_BYTES).arrayBuffer()))
  if (type === 'other') return { problem: 'imageType' }
  const request: ShrinkRequest = { file, type, maxBytes }
  const shrunk = await shrinkAside(request, signal)
  if (!('problem' in shrunk) || shrunk.problem !== 'imageBroken') return shrunk
  // A browser shows files that lack their end, or something in between. Decoding for a canvas it is strict.
  const decoded = await decodeAsShown(file)
  signal.throwIfAborted()
  return decoded === null ? shrunk : encode(decoded, type, maxBytes)
}

async function decodeAsShown(file: Blob): Promise<Decoded | null> {
  const source = new Image()
  const url = URL.createObjectURL(file)
  const close = () => URL.revokeObjectURL(url)
  const isLoaded = await new Promise<boolean>((resolve) => {
    source.onload = () => resolve(true)
    source.onerror = () => resolve(false)
    source.src = url
  })
  const { naturalWidth: width, naturalHeight: height } = source
  if (isLoaded && width > 0 && height > 0) return { source, width, height, close }
  close()
  return null
}

/** Off the page's thread, wherever the browser can. */
async function shrinkAside(request: ShrinkRequest, signal: AbortSignal): Promise<Shrunk> {
  const worker = startWorker()
  if (worker === null) return shrink(request)
  return new Promise((resolve, reject) => {
    const end = () => {
      worker.terminate()
      signal.removeEventListener('abort', aborted)
    }
    const aborted = () => {
      end()
      reject(signal.reason)
    }
    signal.addEventListener('abort', aborted)
    worker.onmessage = ({ data }: MessageEvent<Shrunk>) => {
      end()
      resolve(data)
    }
    // Its code did not come.
    worker.onerror = () => {
      end()
      resolve(shrink(request))
    }
    worker.postMessage(request)
  })
}

function startWorker(): Worker | null {
  if (typeof Worker === 'undefined' || typeof OffscreenCanvas === 'undefined') return null
  return new Worker(new URL('./shrink.worker.ts', import.meta.url))
}
