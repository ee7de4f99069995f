// Letters that look like no others: of ASCII, and whole Hangul syllables. Not single jamo: `ㅣ` and `l` are one to the eye.
const PLAIN_HOST = /^[!-~가-힣]*$/

/** A host as it is shown: one that could be mistaken for another one in Punycode, as `xn--pple-43d.com`, and a plain one in letters. */
export function shownHost(written: string, url: URL): string {
  if (!PLAIN_HOST.test(written)) return url.host
  if (!/(?:^|\.)xn--/i.test(written)) return written
  const labels = written.split('.').map((label) => (/^xn--/i.test(label) ? (fromPunycode(label.slice(4)) ?? label) : label))
  const letters = labels.join('.')
  // Each label of one script: ASCII among Hangul could be the end of another host.
  const isPlain = labels.every((label) => /^[!-~]*$/.test(label) || /^[가-힣\d-]*(?::\d+)?$/.test(label))
  return isPlain && hostOf(letters) === url.host ? letters : written
}

function hostOf(letters: string): string | null {
  try {
    return new URL(`https://${letters}`).host
  } catch {
    return null
  }
}

const ENCODED = /(?:%[\da-f]{2})+/gi
// Letters, digits and the marks on them. What is ASCII was encoded for a reason.
const READABLE = /[^\p{ASCII}\P{L}]|[^\p{ASCII}\P{N}]|(?<=\P{ASCII})\p{M}/gu
// Scripts that are written from right to left turn around what stands beside them.
const RIGHT_TO_LEFT = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFF\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u

/** The rest of an address as it is shown: `/wiki/%EC%B6%95%EA%B5%AC` as `/wiki/축구`, but encoded where letters would turn it around. */
export function safelyDecoded(rest: string, url: URL): string {
  if (RIGHT_TO_LEFT.test(rest)) return url.href.slice(url.origin.length)
  return rest.replace(ENCODED, (encoded) => {
    const letters = decoded(encoded)
    return letters !== null && letters.replace(READABLE, '') === '' && !RIGHT_TO_LEFT.test(letters) ? letters : encoded
  })
}

function decoded(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return null
  }
}

/** Decodes a label (RFC 3492); `null` if it is none. */
function fromPunycode(label: string): string | null {
  const hyphen = label.lastIndexOf('-')
  const output = [...label.slice(0, Math.max(hyphen, 0))]
  let at = hyphen + 1
  let point = 128
  let bias = 72
  for (let index = 0; at < label.length; index += 1) {
    const before = index
    let weight = 1
    for (let k = 36; ; k += 36) {
      const digit = digitOf(label.charCodeAt(at))
      at += 1
      if (digit === null) return null
      index += digit * weight
      const threshold = Math.min(Math.max(k - bias, 1), 26)
      if (digit < threshold) break
      weight *= 36 - threshold
    }
    const length = output.length + 1
    bias = adapted(index - before, length, before === 0)
    point += Math.floor(index / length)
    index %= length
    if (point > 0x10ffff) return null
    output.splice(index, 0, String.fromCodePoint(point))
  }
  return output.join('')
}

function digitOf(code: number): number | null {
  if (code >= 48 && code < 58) return code - 22
  const letter = (code | 32) - 97
  return letter >= 0 && letter < 26 ? letter : null
}

function adapted(change: number, length: number, isFirst: boolean): number {
  let delta = Math.floor(change / (isFirst ? 700 : 2))
  delta += Math.floor(delta / length)
  let k = 0
  for (; delta > 455; k += 36) delta = Math.floor(delta / 35)
  return k + Math.floor((36 * delta) / (delta + 38))
}
