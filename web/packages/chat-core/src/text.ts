// What the server refuses and nobody types on purpose: C0 controls but newline and tab, bidirectional overrides and isolates.
// They come along with text pasted from contacts and web pages.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters meant
const INVISIBLE = /[\u0000-\u0008\u000B-\u001F\u202A-\u202E\u2066-\u2069]/g
const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g

/** What is sent of what was typed: line ends as `\n`, without invisible characters, trimmed. */
export function cleanText(typed: string): string {
  return typed.replace(/\r\n?/g, '\n').replace(INVISIBLE, '').replace(LONE_SURROGATE, '\uFFFD').trim()
}
