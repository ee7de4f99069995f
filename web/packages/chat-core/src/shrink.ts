import { fitInside } from './fitInside'
import { checkImage, checkSides, type ImageProblem, type ReadyImage, SENT_MAX_SIDE_PX } from './image'
import { type FileType, plainGif, type Size, sizeOf } from './imageFile'
import type { ContentType } from './wire'

export type Shrunk = ReadyImage | { readonly problem: ImageProblem }

/** What is asked of the worker. */
export interface ShrinkRequest {
  readonly file: Blob
  readonly type: FileType
  readonly maxBytes: number
}

const JPEG_QUALITY = 0.85
const WEBP_QUALITY = 0.9
/** Each attempt at a size that fits has half the area of the one before. */
const ATTEMPTS = 5

/** Makes a file of a known type into an image that can be sent. */
export async function shrink({ file, type, maxBytes }: ShrinkRequest): Promise<Shrunk> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  const stored = sizeOf(bytes, type)
  // Before anything is decoded: a few bytes can ask for gigabytes of pixels.
  if (stored !== null && checkSides(stored) !== null) return { problem: 'imageSides' }
  if (stored === null && type !== 'heic') return { problem: 'imageBroken' }
  if (stored !== null && type === 'image/gif') return stripGif(bytes, stored, maxBytes)
  let bitmap: ImageBitmap
  try {
    bitmap = await createImageBitmap(file)
  } catch {
    return { problem: type === 'heic' ? 'imageHeic' : 'imageBroken' }
  }
  try {
    // What a HEIC is, is known only now.
    if (checkSides(bitmap) !== null) return { problem: 'imageSides' }
    // What may be transparent, or is drawn rather than taken, is bad at being a JPEG.
    const lossy = type === 'image/jpeg' || type === 'heic'
    let longest = SENT_MAX_SIDE_PX
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const size = fitInside(bitmap, longest, longest)
      const blob = await draw(bitmap, size, lossy ? 'image/jpeg' : 'image/webp', lossy ? JPEG_QUALITY : WEBP_QUALITY)
      const bytes = new Uint8Array(await blob.arrayBuffer())
      // A browser that cannot write WebP writes PNG, and says so.
      const image: ReadyImage = { bytes, contentType: blob.type as ContentType, ...size }
      const problem = checkImage(image, maxBytes)
      if (problem === null) return image
      if (problem !== 'imageTooLarge') return { problem }
      longest = Math.round(Math.max(size.width, size.height) * Math.SQRT1_2)
    }
    return { problem: 'imageTooLarge' }
  } finally {
    bitmap.close()
  }
}

/** Not re-encoded, which would stop its motion. */
function stripGif(bytes: Uint8Array, size: Size, maxBytes: number): Shrunk {
  const plain = plainGif(bytes)
  if (plain === null) return { problem: 'imageBroken' }
  const image: ReadyImage = { bytes: plain, contentType: 'image/gif', ...size }
  const problem = checkImage(image, maxBytes)
  return problem === null ? image : { problem }
}

async function draw(
  bitmap: ImageBitmap,
  { width, height }: { width: number; height: number },
  type: ContentType,
  quality: number,
): Promise<Blob> {
  if (typeof OffscreenCanvas !== 'undefined') {
    const canvas = new OffscreenCanvas(width, height)
    paint(canvas.getContext('2d'), bitmap, width, height)
    return canvas.convertToBlob({ type, quality })
  }
  const canvas = document.createElement('canvas')
  Object.assign(canvas, { width, height })
  paint(canvas.getContext('2d'), bitmap, width, height)
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob === null ? reject(new Error('the image could not be encoded')) : resolve(blob)), type, quality),
  )
}

function paint(
  context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null,
  bitmap: ImageBitmap,
  width: number,
  height: number,
): void {
  if (context === null) throw new Error('there is no canvas')
  context.imageSmoothingQuality = 'high'
  context.drawImage(bitmap, 0, 0, width, height)
}
