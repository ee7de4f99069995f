import { IMAGE_MAX_BYTES, IMAGE_MAX_PIXELS, IMAGE_MAX_SIDE } from './limits'
import type { ContentType } from './wire'

/** What is sent is at most this wide and high: enough for a full screen, and a fifth of what a camera makes. */
export const SENT_MAX_SIDE_PX = 2_048
/** What may be picked. A camera's largest files have about 40 MB; decoding more than this would use gigabytes. */
export const PICKED_MAX_BYTES = 64 * 1024 * 1024

/** Why a file cannot be sent as an image. */
export type ImageProblem = 'imageType' | 'imageHeic' | 'imageBroken' | 'imageEmpty' | 'imageTooLarge' | 'imageSides'

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

/** Whether an image may be announced. */
export function checkImage(image: ReadyImage, maxBytes = IMAGE_MAX_BYTES): ImageProblem | null {
  if (image.bytes.length === 0) return 'imageEmpty'
  return checkSides(image) ?? (image.bytes.length > maxBytes ? 'imageTooLarge' : null)
}
