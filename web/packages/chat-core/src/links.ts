import { MESSAGE_TEXT_MAX_BYTES } from './limits'
import { safelyDecoded, shownHost } from './shownLink'

/** A piece of a message: plain, or a link that is safe to follow. `shown` is `text` made readable: it says where the link leads. */
export type TextPart = { kind: 'text'; text: string } | { kind: 'link'; text: string; shown: string; href: string }

// Where a link may begin: an address of the web, an address of mail, or a telephone number.
const BEGINNING =
  /\bhttps?:\/\/|(?<![\w.@/-])www\.(?=\w)|(?<![\w.+@:/-])[\w+-][\w.+-]{0,63}@(?=\w)|(?<![\w.,:@/()+-])(?:\+\d|0\d|1[568]\d|\(\d|[2-9]\d\d[-.] ?\d)/gi

/** Splits a message into text and links. Only the web, mail and numbers become links; everything else stays the text it is. */
export function splitLinks(text: string): TextPart[] {
  const parts: TextPart[] = []
  let from = 0
  for (const { 0: begun, index } of text.matchAll(BEGINNING)) {
    if (index < from) continue
    const found = linkAt(text, index, begun)
    if (found === null) continue
    if (index > from) parts.push({ kind: 'text', text: text.slice(from, index) })
    parts.push({ kind: 'link', ...found })
    from = index + found.text.length
  }
  if (from < text.length) parts.push({ kind: 'text', text: text.slice(from) })
  return parts
}

interface Link {
  readonly text: string
  readonly shown: string
  readonly href: string
}

function linkAt(text: string, index: number, begun: string): Link | null {
  if (begun.endsWith('@')) return mailAt(text, index, begun)
  const isWeb = begun.endsWith('//')
  return isWeb || /^www/i.test(begun) ? webAt(text, index, isWeb ? begun : '') : numberAt(text, index)
}

const MAIL_HOST = /(?:[a-z\d](?:[a-z\d-]*[a-z\d])?\.)+[a-z]{2,24}(?![a-z\d@_-])/iy

function mailAt(text: string, index: number, begun: string): Link | null {
  MAIL_HOST.lastIndex = index + begun.length
  const host = MAIL_HOST.exec(text)
  if (host === null) return null
  const mail = begun + host[0]
  return { text: mail, shown: mail, href: `mailto:${mail}` }
}

// Of Korea: a mobile or a fixed line, or one without an area; of North America; and of anywhere with its country.
const NUMBER =
  /(?:0\d{1,2}[-. ]?\d{3,4}[-. ]?\d{4}|1[568]\d\d-(?!1[5-9]|20)\d{4}|(?:\(\d{3}\) ?|[2-9]\d\d[-.])\d{3}[-.]\d{4}|\+\d{1,3}(?:[-. ]?\(?\d{1,4}\)?){2,5})(?![\d:/@-]|[.,]\d|[a-z])/iy

function numberAt(text: string, index: number): Link | null {
  NUMBER.lastIndex = index
  const number = NUMBER.exec(text)?.[0]
  if (number === undefined) return null
  const digits = number.replace(/\D/g, '')
  if (digits.length < 8 || digits.length > 15) return null
  return { text: number, shown: number, href: `tel:${number.startsWith('+') ? '+' : ''}${digits}` }
}

// Scripts whose words follow on a link without a space: `https://example.com에서`.
const JOINED = '\\p{sc=Hang}\\p{sc=Hani}\\p{sc=Hira}\\p{sc=Kana}\\p{sc=Thai}'
const HOST =
  /(?:[\p{L}\p{N}\p{M}](?:[\p{L}\p{N}\p{M}_-]*[\p{L}\p{N}\p{M}])?\.)*[\p{L}\p{N}\p{M}](?:[\p{L}\p{N}\p{M}_-]*[\p{L}\p{N}\p{M}])?/uy
const IPV6 = /\[[\da-f:.]+\]/iy
// The last label of a host, and one in the middle that is a last one more likely than not.
const WORDS_BEHIND = new RegExp(`(?<=\\.[a-z]{2,24})[${JOINED}].*$|(?<=\\.(?:com|net|org|kr|jp|cn|io))[${JOINED}].*$`, 'siu')
const WORDS_BEHIND_KOREA = /(?<=\.한국)\p{sc=Hang}.*$/su

/** A name has so many letters at most (RFC 1035), and fewer where they are not of ASCII. */
const HOST_MAX_CHARS = 253

/** Where a host ends. What follows on an ASCII one without a space, but in another script, are words. */
function hostAt(text: string, index: number): string | null {
  for (const pattern of [IPV6, HOST]) {
    pattern.lastIndex = index
    const found = pattern.exec(text)?.[0]
    if (found === undefined) continue
    const labels = found.split('.')
    for (let count = 2; count <= labels.length; count += 1) {
      const host = labels.slice(0, count).join('.')
      const isLast = count === labels.length
      const likely = isLast || /\.(?:com|net|org|kr|jp|cn|io)[^.]*$/i.test(host)
      const cut = host.replace(WORDS_BEHIND, '').replace(WORDS_BEHIND_KOREA, '')
      if (likely && cut.length < host.length) return host.slice(0, cut.length)
      if (host.length > HOST_MAX_CHARS) return null
    }
    return found
  }
  return null
}

function webAt(text: string, index: number, scheme: string): Link | null {
  const host = hostAt(text, index + scheme.length)
  if (host === null || (scheme === '' && !/\..+\./.test(host))) return null
  let end = index + scheme.length + host.length
  end += /^:\d{1,5}(?!\d)/.exec(text.slice(end, end + 7))?.[0].length ?? 0
  // `https://bank.example@evil.example` shows one host and opens another one.
  if (text[end] === '@' || (text[end] === ':' && /^:[^\s/?#]*@/.test(text.slice(end, end + 300)))) return null
  const behind = end
  if (/[/?#]/.test(text[end] ?? '')) end = endOfPath(text, end)
  const written = text.slice(index, end)
  const url = urlOf(scheme === '' ? `https://${written}` : written)
  if (url === null) return null
  const shown = scheme + shownHost(text.slice(index + scheme.length, behind), url) + safelyDecoded(text.slice(behind, end), url)
  return { text: written, shown, href: url.href }
}

function urlOf(written: string): URL | null {
  try {
    return new URL(written)
  } catch {
    return null
  }
}

// White space, quotes, marks of other scripts, and what cannot be seen end an address.
const ENDS = /[\s<>"'`{}|\\^\p{Cf}\p{Cc}\p{Pi}\p{Pf}、。・〃〈-】〔-〟！（），．：；？［］｛｝～…·]/u
const CLOSES: Record<string, string> = { ')': '(', ']': '[' }
const JOINED_LETTER = new RegExp(`[${JOINED}]`, 'u')
// What ends a sentence rather than an address.
const SENTENCE_END = /[.,;:!?~*'"]+$/

function endOfPath(text: string, from: number): number {
  const open: Record<string, number> = { '(': 0, '[': 0 }
  let isAscii = true
  let end = from
  // A character has a byte at least, so that no message has a longer path.
  for (const character of text.slice(from, from + MESSAGE_TEXT_MAX_BYTES)) {
    if (ENDS.test(character)) break
    if (character in open) open[character] = (open[character] ?? 0) + 1
    const opener = CLOSES[character]
    if (opener !== undefined) {
      // `https://ko.wikipedia.org/wiki/축구_(스포츠)` keeps the bracket that it opened.
      if (open[opener] === 0) break
      open[opener] = (open[opener] ?? 0) - 1
    }
    if (character > '\u007F') {
      if (isAscii && JOINED_LETTER.test(character) && isWord(text, from, end)) break
      isAscii = false
    }
    end += character.length
  }
  return end - (SENTENCE_END.exec(text.slice(from, end))?.[0].length ?? 0)
}

const PARTICLE = /^[에은는이가을를로으와과의도만부까께한랑처보라입예인네요]/

/**
 * Whether the letter at `end` begins a word of the sentence: nothing but ASCII came before it, directly a letter, a digit or a bracket.
 * A browser writes such a letter as `%EC`, but who types the name of an article types `/wiki/K리그`.
 */
function isWord(text: string, from: number, end: number): boolean {
  if (!/[a-z\d)\]]/i.test(text[end - 1] ?? '')) return false
  return !/\/wiki\/[^/]*$/.test(text.slice(from, end)) || PARTICLE.test(text.slice(end, end + 1))
}
