import type { ContentType } from './wire'

/** What a file is, by its first bytes; its name and its announced type say nothing. */
export type FileType = ContentType | 'avif' | 'heic' | 'other'

/** How many of a file's first bytes `fileType` needs: an AVIF may say what it is behind other brands. */
export const SIGNATURE_BYTES = 64
const BRANDS = { avif: ['avif', 'avis'], heic: ['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'mif1', 'msf1'] } as const

export function fileType(bytes: Uint8Array): FileType {
  const latin = String.fromCharCode(...bytes.subarray(0, SIGNATURE_BYTES))
  if (latin.startsWith('\u00FF\u00D8\u00FF')) return 'image/jpeg'
  if (latin.startsWith('\u0089PNG\r\n\u001A\n')) return 'image/png'
  if (latin.startsWith('RIFF') && latin.slice(8, 12) === 'WEBP') return 'image/webp'
  if (/^GIF8[79]a/.test(latin)) return 'image/gif'
  return latin.slice(4, 8) === 'ftyp' ? typeOfBrands(latin) : 'other'
}

/** The brand of a file comes first, then its version, then what else it can be read as. */
function typeOfBrands(latin: string): FileType {
  const brands = [latin.slice(8, 12)]
  for (let at = 16; at < Math.min(latin.charCodeAt(3), latin.length); at += 4) brands.push(latin.slice(at, at + 4))
  const isOne = (known: readonly string[]) => brands.some((brand) => known.includes(brand))
  if (isOne(BRANDS.avif)) return 'avif'
  return isOne(BRANDS.heic) ? 'heic' : 'other'
}

export interface Size {
  readonly width: number
  readonly height: number
}

/**
 * What an image's file says of its size in pixels, lying as it is stored, before anything of it is decoded. `null` when it does not
 * say, as an AVIF and a HEIC never do here.
 */
export function sizeOf(bytes: Uint8Array, type: FileType): Size | null {
  try {
    return SIZES[type]?.(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)) ?? null
  } catch (error) {
    // It ends before it says.
    if (error instanceof RangeError) return null
    throw error
  }
}

const IHDR = 0x49484452

const SIZES: Partial<Record<FileType, (file: DataView) => Size | null>> = {
  'image/gif': (file) => ({ width: file.getUint16(6, true), height: file.getUint16(8, true) }),
  'image/png': (file) => (file.getUint32(12) === IHDR ? { width: file.getUint32(16), height: file.getUint32(20) } : null),
  'image/jpeg': sizeOfJpeg,
  'image/webp': sizeOfWebp,
}

function sizeOfJpeg(file: DataView): Size | null {
  let at = 2
  for (;;) {
    const marker = file.getUint8(at + 1)
    if (file.getUint8(at) !== 0xff || marker === 0xff) at += 1
    else if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xd8)) at += 2
    else if (marker === 0xd9 || marker === 0xda) return null
    // A frame's header: any of this range but tables (C4, CC) and a reserved one (C8).
    else if (marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc)
      return { height: file.getUint16(at + 5), width: file.getUint16(at + 7) }
    else at += 2 + file.getUint16(at + 2)
  }
}

function sizeOfWebp(file: DataView): Size | null {
  const u24 = (at: number) => file.getUint16(at, true) + 65_536 * file.getUint8(at + 2)
  switch (file.getUint32(12)) {
    case 0x56503820: // 'VP8 '
      return { width: file.getUint16(26, true) & 0x3fff, height: file.getUint16(28, true) & 0x3fff }
    case 0x5650384c: {
      // 'VP8L': two times 14 bits, less one each.
      const sides = file.getUint32(21, true)
      return { width: (sides & 0x3fff) + 1, height: ((sides >>> 14) & 0x3fff) + 1 }
    }
    case 0x56503858: // 'VP8X'
      return { width: u24(24) + 1, height: u24(27) + 1 }
    default:
      return null
  }
}

const REPEATS = 'NETSCAPE2.0'

/**
 * A GIF without what cannot be seen: comments, and extensions of applications (XMP may name a place) but for the one that says how
 * often it repeats. `null` when it is not well-formed, or is what the server refuses: without a picture, or with one that lies
 * outside of the screen.
 */
export function plainGif(bytes: Uint8Array): Uint8Array<ArrayBuffer> | null {
  // What is kept moves to the front: a file may have millions of blocks, too many to have something made of each.
  const plain = bytes.slice()
  let kept = 0
  const keep = (from: number, to: number) => {
    if (kept !== from) plain.copyWithin(kept, from, to)
    kept += to - from
  }
  const colours = (packed: number) => ((packed & 0x80) === 0 ? 0 : 3 * 2 ** ((packed & 7) + 1))
  const byte = (index: number) => bytes[index] ?? -1
  const endOfBlocks = (from: number): number => {
    let at = from
    while (byte(at) > 0) at += 1 + byte(at)
    return byte(at) === 0 ? at + 1 : Number.POSITIVE_INFINITY
  }
  const word = (index: number) => byte(index) + 256 * byte(index + 1)
  const isInside = (x: number, y: number, width: number, height: number) => x + width <= word(6) && y + height <= word(8)
  let at = 13 + colours(byte(10))
  let hasPicture = false
  if (at >= bytes.length) return null
  keep(0, at)
  for (;;) {
    const from = at
    const introducer = byte(at)
    if (introducer === 0x3b) break
    if (introducer === 0x2c) {
      const pixels = at + 10 + colours(byte(at + 9))
      if (!isInside(word(at + 1), word(at + 3), word(at + 5), word(at + 7))) return null
      // How many bits a colour has, before the first block.
      if (byte(pixels) < 2 || byte(pixels) > 8 || byte(pixels + 1) < 1) return null
      at = endOfBlocks(pixels + 1)
      hasPicture = true
    } else if (introducer === 0x21) at = endOfBlocks(at + 2)
    else return null
    if (at > bytes.length) return null
    const label = introducer === 0x21 ? byte(from + 1) : 0
    const repeats = () => [...REPEATS].every((character, index) => byte(from + 3 + index) === character.charCodeAt(0))
    if (label !== 0xfe && (label !== 0xff || repeats())) keep(from, at)
  }
  if (!hasPicture) return null
  // Where it ends there is at least the end.
  plain[kept] = 0x3b
  return plain.slice(0, kept + 1)
}
