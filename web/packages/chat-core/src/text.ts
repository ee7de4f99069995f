/** Why a text cannot be sent. */
export type TextProblem = 'messageEmpty' | 'messageInvisible' | 'messageTooLong'

/** The server's limit (`MESSAGE_TEXT_MAX_BYTES` in chat-domain); `config.json` may name another one. */
export const MESSAGE_MAX_BYTES = 8_192

// What the server refuses and nobody types on purpose: C0 controls but newline and tab, bidirectional overrides and isolates.
// They come along with text pasted from contacts and web pages.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters meant
const INVISIBLE = /[\u0000-\u0008\u000B-\u001F\u202A-\u202E\u2066-\u2069]/g
const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g
const encoder = new TextEncoder()

/** What is sent of what was typed: line ends as `\n`, without invisible characters, trimmed. */
export function cleanText(typed: string): string {
  return typed.replace(/\r\n?/g, '\n').replace(INVISIBLE, '').replace(LONE_SURROGATE, '\uFFFD').trim()
}

/** Its length as the server counts it. */
export function byteLength(text: string): number {
  return encoder.encode(text).length
}

// White space, joiners, variation selectors and fillers (the server takes them, for they belong into emoji and scripts), and Braille's
// blank. A text of nothing else looks like none.
const BLANK = /^[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cf}\u2800]*$/u

/** Whether a cleaned text can be sent. */
export function checkText(text: string, maxBytes: number = MESSAGE_MAX_BYTES): TextProblem | null {
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

/** A piece of a message: plain, or a link that is safe to follow. */
export type TextPart = { kind: 'text'; text: string } | { kind: 'link'; text: string; href: string }

const LINK = /\bhttps?:\/\/[^\s<>"'`{}|\\^]+/gi
// What ends a sentence, or closes a bracket that the link did not open.
const TRAILING = /[.,;:!?…。、·~)\]'"」』》]+$/u

/** Splits a message into text and links. Only `http` and `https` become links; everything else stays the text it is. */
export function splitLinks(text: string): TextPart[] {
  const parts: TextPart[] = []
  let from = 0
  for (const match of text.matchAll(LINK)) {
    const shown = withoutTrailing(match[0])
    const url = safeUrl(shown)
    if (url === null) continue
    if (match.index > from) parts.push({ kind: 'text', text: text.slice(from, match.index) })
    parts.push({ kind: 'link', text: withPlainHost(shown, url), href: url.href })
    from = match.index + shown.length
  }
  if (from < text.length) parts.push({ kind: 'text', text: text.slice(from) })
  return parts
}

function withoutTrailing(link: string): string {
  const trailing = TRAILING.exec(link)?.[0] ?? ''
  let kept = link.slice(0, link.length - trailing.length)
  // `https://ko.wikipedia.org/wiki/축구_(스포츠)` keeps the bracket it opened.
  for (const character of trailing) {
    const opened = kept.split('(').length > kept.split(')').length
    if (character !== ')' || !opened) break
    kept += character
  }
  return kept
}

// Letters that look like no others: of ASCII, and whole Hangul syllables. Not single jamo: `ㅣ` and `l` are one to the eye.
const PLAIN_HOST = /^[!-~가-힣]*$/

/** Shows where a link leads: a host that could be mistaken for another one in Punycode, as `https://xn--pple-43d.com`. */
function withPlainHost(link: string, url: URL): string {
  const [, scheme = '', host = '', rest = ''] = /^(\w+:\/\/)([^/?#]*)(.*)$/s.exec(link) ?? []
  return PLAIN_HOST.test(host) ? link : `${scheme}${url.host}${rest}`
}

function safeUrl(link: string): URL | null {
  try {
    const url = new URL(link)
    const web = url.protocol === 'http:' || url.protocol === 'https:'
    // `https://bank.example@evil.example` shows one host and opens another one.
    return web && !/^\w+:\/\/[^/?#]*@/.test(link) ? url : null
  } catch {
    return null
  }
}
