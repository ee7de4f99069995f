import { MESSAGE_TEXT_MAX_BYTES } from './limits'

/** Why a text cannot be sent. */
export type TextProblem = 'messageEmpty' | 'messageInvisible' | 'messageTooLong'

const encoder = new TextEncoder()

/** Its length as the server counts it. */
export function byteLength(text: string): number {
  return encoder.encode(text).length
}

// White space, joiners, variation selectors and fillers (the server takes them, for they belong into emoji and scripts), and Braille's
// blank. A text of nothing else looks like none.
const BLANK = /^[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cf}\u2800]*$/u

/** Whether a cleaned text can be sent. `config.json` may allow another length. */
export function checkText(text: string, maxBytes: number = MESSAGE_TEXT_MAX_BYTES): TextProblem | null {
  if (text === '') return 'messageEmpty'
  if (BLANK.test(text)) return 'messageInvisible'
  return byteLength(text) > maxBytes ? 'messageTooLong' : null
}

/**
 * The longest beginning of `text` that has at most `maxBytes` and cuts no character in two, as a person sees characters; but one that
 * alone is longer, such as a letter under a thousand marks, is cut between its code points.
 */
export function fitBytes(text: string, maxBytes: number): string {
  if (byteLength(text) <= maxBytes) return text
  let left = maxBytes
  let kept = ''
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)) {
    const bytes = byteLength(segment)
    if (bytes > maxBytes) return kept + codePoints(segment, left)
    if (bytes > left) return kept
    left -= bytes
    kept += segment
  }
  return kept
}

function codePoints(text: string, maxBytes: number): string {
  let left = maxBytes
  let kept = ''
  for (const point of text) {
    left -= byteLength(point)
    if (left < 0) break
    kept += point
  }
  return kept
}
