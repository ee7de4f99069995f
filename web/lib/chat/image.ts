import type { ContentType } from './wire'

/** The server's limits (`IMAGE_MAX_BYTES`, `IMAGE_MAX_SIDE`, `IMAGE_MAX_PIXELS` and `AltText` in chat-domain). */
export const IMAGE_MAX_BYTES = 10 * 1024 * 1024
export const IMAGE_MAX_SIDE_PX = 16_384
export const IMAGE_MAX_PX = 64 * 1024 * 1024
export const ALT_MAX_BYTES = 1_000
/** What is sent is at most this wide and high: enough for a full screen, and a fifth of what a camera makes. */
export const SENT_MAX_SIDE_PX = 2_048
/** What may be picked. A camera's largest files have about 40 MB; decoding more than this would use gigabytes. */
export const PICKED_MAX_BYTES = 64 * 1024 * 1024

/** Why a file cannot be sent as an image. */
export type ImageProblem = 'imageType' | 'imageHeic' | 'imageBroken' | 'imageEmpty' | 'imageTooLarge' | 'imageSides'

/** What a file is, by its first bytes; its name and its announced type say nothing. */
export type FileType = ContentType | 'heic' | 'other'

/** An image that is ready to be uploaded: re-encoded, so that it carries nothing but what can be seen. */
export interface ReadyImage {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly contentType: ContentType
  readonly width: number
  readonly height: number
}

/** How many of a file's first bytes `fileType` needs. */
export const SIGNATURE_BYTES = 16
const HEIC_BRANDS = ['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'mif1', 'msf1']

export function fileType(bytes: Uint8Array): FileType {
  const latin = String.fromCharCode(...bytes.subarray(0, SIGNATURE_BYTES))
  if (latin.startsWith('\u00FF\u00D8\u00FF')) return 'image/jpeg'
  if (latin.startsWith('\u0089PNG\r\n\u001A\n')) return 'image/png'
  if (latin.startsWith('RIFF') && latin.slice(8, 12) === 'WEBP') return 'image/webp'
  if (/^GIF8[79]a/.test(latin)) return 'image/gif'
  if (latin.slice(4, 8) === 'ftyp' && HEIC_BRANDS.includes(latin.slice(8, 12))) return 'heic'
  return 'other'
}

/** The largest size of the same shape that fits into `maxWidth` by `maxHeight`, and is no larger than it was. */
export function fitInside(
  size: { width: number; height: number },
  maxWidth: number,
  maxHeight: number,
): { width: number; height: number } {
  const scale = Math.min(1, maxWidth / size.width, maxHeight / size.height)
  return { width: Math.max(1, Math.round(size.width * scale)), height: Math.max(1, Math.round(size.height * scale)) }
}

/** What a GIF says of its size; it is not re-encoded, which would stop its motion. */
export function gifSize(bytes: Uint8Array): { width: number; height: number } | null {
  if (bytes.length < 13) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return { width: view.getUint16(6, true), height: view.getUint16(8, true) }
}

/**
 * A GIF without what cannot be seen: comments, and extensions of applications (XMP may name a place) but for the one that says how
 * often it repeats. `null` when it is not well-formed.
 */
export function plainGif(bytes: Uint8Array): Uint8Array<ArrayBuffer> | null {
  const kept: Uint8Array[] = []
  const colours = (packed: number) => ((packed & 0x80) === 0 ? 0 : 3 * 2 ** ((packed & 7) + 1))
  const byte = (index: number) => bytes[index] ?? -1
  const endOfBlocks = (from: number): number => {
    let at = from
    while (byte(at) > 0) at += 1 + byte(at)
    return byte(at) === 0 ? at + 1 : Number.POSITIVE_INFINITY
  }
  let at = 13 + colours(byte(10))
  if (gifSize(bytes) === null || at >= bytes.length) return null
  kept.push(bytes.subarray(0, at))
  for (;;) {
    const from = at
    const [introducer, label] = [byte(at), byte(at + 1)]
    if (introducer === 0x3b) break
    if (introducer === 0x2c) at = endOfBlocks(at + 11 + colours(byte(at + 9)))
    else if (introducer === 0x21) at = endOfBlocks(at + 2)
    else return null
    if (at > bytes.length) return null
    const application = label === 0xff ? String.fromCharCode(...bytes.subarray(from + 3, from + 14)) : ''
    const invisible = introducer === 0x21 && (label === 0xfe || (label === 0xff && application !== 'NETSCAPE2.0'))
    if (!invisible) kept.push(bytes.subarray(from, at))
  }
  kept.push(Uint8Array.of(0x3b))
  const plain = new Uint8Array(kept.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const part of kept) {
    plain.set(part, offset)
    offset += part.length
  }
  return plain
}

/** Whether an image may be announced. */
export function checkImage({ bytes, width, height }: ReadyImage, maxBytes = IMAGE_MAX_BYTES): ImageProblem | null {
  if (bytes.length === 0) return 'imageEmpty'
  if (Math.min(width, height) < 1 || Math.max(width, height) > IMAGE_MAX_SIDE_PX || width * height > IMAGE_MAX_PX)
    return 'imageSides'
  return bytes.length > maxBytes ? 'imageTooLarge' : null
}
