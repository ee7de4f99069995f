// The base of an emoji: a browser shows it in colour by itself, or because what stands behind it asks for that. BEHIND is what may follow:
// the request for colour, a skin tone, the letters of a flag.
const COLOURED = '(?:\\p{Emoji_Presentation}|\\p{Extended_Pictographic}(?=[\\uFE0F\\p{Emoji_Modifier}]))'
const BEHIND = '[\\uFE0F\\p{Emoji_Modifier}\\u{E0020}-\\u{E007F}]*'
const JOINED = `(?:\\u200D\\p{Extended_Pictographic}${BEHIND})*`
const ONE = `(?:\\p{Regional_Indicator}{2}|[#*\\d]\\uFE0F\\u20E3|(?!\\p{Regional_Indicator})${COLOURED}${BEHIND}${JOINED})`
const FEW = new RegExp(`^${ONE}(?: ?${ONE}){0,2}$`, 'u')

/** Whether a text is one to three emoji, and nothing else. */
export const isFewEmoji = (text: string): boolean => text.length <= 120 && FEW.test(text)
