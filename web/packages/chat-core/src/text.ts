// What the server refuses and nobody types on purpose: C0 controls but newline and tab, bidirectional overrides and isolates.
// They come along with text pasted from contacts and web pages.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters meant
const INVISIBLE = /[\u0000-\u0008\u000B-\u001F\u202A-\u202E\u2066-\u2069]/g
const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g

/** What is sent of what was typed: line ends as `\n`, without invisible characters, trimmed. */
export function cleanText(typed: string): string {
  return typed.replace(/\r\n?/g, '\n').replace(INVISIBLE, '').replace(LONE_SURROGATE, '\uFFFD').trim()
}

/**
 * The beginning of a text, of at most so many characters as the server counts them, which cuts nothing in two that a person takes for
 * one; of that alone, when it is longer.
 */
export function beginning(text: string, max: number): string {
  const longest = [...text.slice(0, 2 * max)].slice(0, max).join('')
  // An old browser knows characters only.
  if (longest.length === text.length || typeof Intl.Segmenter === 'undefined') return longest
  // What begins within may end beyond: the longest of them have some forty units.
  const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text.slice(0, longest.length + 64))
  let end = 0
  for (const { index } of segments) if (index <= longest.length) end = index
  return end === 0 ? longest : text.slice(0, end)
}
