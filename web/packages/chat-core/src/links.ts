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
