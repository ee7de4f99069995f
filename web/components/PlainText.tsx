import { isFewEmoji } from 'chat-core'
import { OnDemand, Part } from './OnDemand'

const textParts = new Part(() => import('./TextParts'))
/** Without any of these there is no link in a text. Most messages have none, and the code that finds them is not small. */
const MAYBE_LINKS = /:\/\/|www\.|@|\d{3}/i

/** A text as it was written. Markup, writing direction and stacked marks in it have no effect outside of it. */
export function PlainText({ text, className = '' }: { text: string; className?: string }) {
  const look = isFewEmoji(text) ? 'py-0.5 text-4xl leading-tight' : className
  return (
    <p dir="auto" className={`message-text ${look}`}>
      {MAYBE_LINKS.test(text) ? (
        <OnDemand part={textParts} props={{ text }} waiting={<span>{text}</span>} failed={() => <span>{text}</span>} />
      ) : (
        text
      )}
    </p>
  )
}
