import { checkImage, checkPixels, type ImageProblem, type ReadyImage, scaled, sentSize } from './image'
import { type FileType, plainGif, type Size, sizeOf } from './imageFile'
import type { ContentType } from './wire'

export type Shrunk = ReadyImage | { readonly problem: ImageProblem }

/** What is asked of the worker. */
export interface ShrinkRequest {
  readonly file: Blob
  readonly type: FileType
  readonly maxBytes: number
}

/** What can be drawn, and how large it is. */
export interface Decoded extends Size {
  readonly source: CanvasImageSource
  close(): void
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
  if (stored !== null && checkPixels(stored) !== null) return { problem: 'imageSides' }
  const plain = stored !== null && type === 'image/gif' ? plainGif(bytes) : null
  // Not re-encoded, which would stop its motion.
  if (stored !== null && plain !== null) {
    const image: ReadyImage = { bytes: plain, contentType: 'image/gif', ...stored }
    const problem = checkImage(image, maxBytes)
    if (problem !== 'imageSides') return problem === null ? image : { problem }
  }
  try {
    const bitmap = await createImageBitmap(file)
    return await encode({ source: bitmap, width: bitmap.width, height: bitmap.height, close: () => bitmap.close() }, type, maxBytes)
  } catch {
    return { problem: NOT_DECODED[type] ?? 'imageBroken' }
  }
}

// Not every browser knows these.
const NOT_DECODED: Partial<Record<FileType, ImageProblem>> = { heic: 'imageHeic', avif: 'imageType' }

/** Draws what was decoded, smaller until it fits. */
export async function encode(decoded: Decoded, type: FileType, maxBytes: number): Promise<Shrunk> {
  try {
    // What some files hold is known only now.
    if (checkPixels(decoded) !== null) return { problem: 'imageSides' }
    if (await isAltered()) return { problem: 'imageAltered' }
    // What may be transparent, or is drawn rather than taken, is bad at being a JPEG.
    const lossy = type === 'image/jpeg' || type === 'heic'
    let size = sentSize(decoded)
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const blob = await draw(decoded.source, size, lossy ? 'image/jpeg' : 'image/webp', lossy ? JPEG_QUALITY : WEBP_QUALITY)
      const bytes = new Uint8Array(await blob.arrayBuffer())
      // A browser that cannot write WebP writes PNG, and says so.
      const image: ReadyImage = { bytes, contentType: blob.type as ContentType, ...size }
      const problem = checkImage(image, maxBytes)
      if (problem === null) return image
      if (problem !== 'imageTooLarge') return { problem }
      size = scaled(size, Math.SQRT1_2)
    }
    return { problem: 'imageTooLarge' }
  } finally {
    decoded.close()
  }
}

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D
const PATTERN_PX = 8

/** Whether the browser gives back other pixels than were drawn, as some do against being recognised: stripes would be sent. */
async function isAltered(): Promise<boolean> {
  const [, context] = canvasOf({ width: PATTERN_PX, height: PATTERN_PX })
  const wanted: number[] = []
  for (let y = 0; y < PATTERN_PX; y += 1) {
    for (let x = 0; x < PATTERN_PX; x += 1) {
      const [red, green, blue] = [x * 32, y * 32, (x ^ y) * 32]
      context.fillStyle = `rgb(${red} ${green} ${blue})`
      context.fillRect(x, y, 1, 1)
      wanted.push(red, green, blue, 255)
    }
  }
  const { data } = context.getImageData(0, 0, PATTERN_PX, PATTERN_PX)
  // A profile of colours moves them a little; what alters them on purpose may, too, but is seen by nobody then.
  return wanted.some((value, index) => Math.abs(value - (data[index] ?? 0)) > 16)
}

async function draw(source: CanvasImageSource, size: Size, type: ContentType, quality: number): Promise<Blob> {
  const [canvas, context] = canvasOf(size)
  if (type === 'image/jpeg') {
    // It has no transparency: what is transparent would be black.
    context.fillStyle = '#fff'
    context.fillRect(0, 0, size.width, size.height)
  }
  context.imageSmoothingQuality = 'high'
  context.drawImage(source, 0, 0, size.width, size.height)
  // Firefox's canvases have a `toBlob` off the page, too, which calls nobody back.
  if ('convertToBlob' in canvas) return canvas.convertToBlob({ type, quality })
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob === null ? reject(new Error('the image could not be encoded')) : resolve(blob)), type, quality),
  )
}

function canvasOf({ width, height }: Size): [HTMLCanvasElement | OffscreenCanvas, Context] {
  const isOffscreen = typeof OffscreenCanvas !== 'undefined'
  const canvas = isOffscreen ? new OffscreenCanvas(width, height) : document.createElement('canvas')
  if (!isOffscreen) Object.assign(canvas, { width, height })
  const context = canvas.getContext('2d') as Context | null
  if (context === null) throw new Error('there is no canvas')
  return [canvas, context]
}
