import { IMAGE_MAX_BYTES, IMAGE_MAX_PIXELS, IMAGE_MAX_SIDE } from './limits'
import type { ContentType } from './wire'

/** What is sent is at most this wide and high: enough for a full screen, and a fifth of what a camera makes. */
const SENT_MAX_SIDE_PX = 2_048
/** But of what is long, as a picture of a whole page, the shorter side stays this long: it is there to be read. */
const SENT_SHORT_SIDE_PX = 1_080
/** WebP cannot be longer, and Safari draws no more pixels than this. */
const SENT_LONGEST_PX = 16_383
const SENT_MAX_PIXELS = 16_000_000
/** What may be picked. A camera's largest files have about 40 MB; decoding more than this would use gigabytes. */
export const PICKED_MAX_BYTES = 64 * 1024 * 1024

/** Why a file cannot be sent as an image. */
export type ImageProblem =
  | 'imageType'
  | 'imageHeic'
  | 'imageBroken'
  | 'imageEmpty'
  | 'imageTooLarge'
  | 'imageSides'
  | 'imageAltered'

/** An image that is ready to be uploaded: re-encoded, so that it carries nothing but what can be seen. */
export interface ReadyImage {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly contentType: ContentType
  readonly width: number
  readonly height: number
}

/** Whether an image has sides that the server takes. */
export function checkSides({ width, height }: { width: number; height: number }): 'imageSides' | null {
  const fits = Math.min(width, height) >= 1 && Math.max(width, height) <= IMAGE_MAX_SIDE && width * height <= IMAGE_MAX_PIXELS
  return fits ? null : 'imageSides'
}

/** Whether decoding an image would take gigabytes. However long it is, it is sent smaller. */
export function checkPixels({ width, height }: { width: number; height: number }): 'imageSides' | null {
  return Math.min(width, height) >= 1 && width * height <= IMAGE_MAX_PIXELS ? null : 'imageSides'
}

/** The size in which an image is sent. */
export function sentSize({ width, height }: { width: number; height: number }): { width: number; height: number } {
  const [long, short] = [Math.max(width, height), Math.min(width, height)]
  const readable = Math.min(SENT_SHORT_SIDE_PX / short, SENT_LONGEST_PX / long, Math.sqrt(SENT_MAX_PIXELS / (width * height)))
  return scaled({ width, height }, Math.min(1, Math.max(SENT_MAX_SIDE_PX / long, readable)))
}

export function scaled({ width, height }: { width: number; height: number }, by: number): { width: number; height: number } {
  return { width: Math.max(1, Math.round(width * by)), height: Math.max(1, Math.round(height * by)) }
}

/** Whether an image may be announced. */
export function checkImage(image: ReadyImage, maxBytes = IMAGE_MAX_BYTES): ImageProblem | null {
  if (image.bytes.length === 0) return 'imageEmpty'
  return checkSides(image) ?? (image.bytes.length > maxBytes ? 'imageTooLarge' : null)
}
