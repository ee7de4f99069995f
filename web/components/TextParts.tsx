import { splitLinks, type TextPart } from 'chat-core'
import { Fragment } from 'react'

/** Of a longer address the middle is not shown, but never a part of its host. */
const ADDRESS_CHARACTERS = 64
const ADDRESS_BEGINNING = 40
const ADDRESS_END = 16

/** A text with its links. */
export default function TextParts({ text }: { text: string }) {
  return splitLinks(text).map((part, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text never change
    <Fragment key={index}>{part.kind === 'text' ? part.text : <Link {...part} />}</Fragment>
  ))
}

/** The middle of a long address is there, to be copied and to be read out, but takes no room. */
function Link({ text, shown, href }: Extract<TextPart, { kind: 'link' }>) {
  const isWeb = href.startsWith('http')
  const behindHost = isWeb ? /^(?:\w+:\/\/)?[^/?#]*/.exec(shown)?.[0].length : shown.length
  const begins = Math.max(behindHost ?? 0, ADDRESS_BEGINNING)
  const ends = shown.length - ADDRESS_END
  const isCut = shown.length > ADDRESS_CHARACTERS && ends > begins
  return (
    <a
      href={href}
      title={shown === text && !isCut ? undefined : href}
      // From left to right, whatever the text around it is.
      dir="ltr"
      {...(isWeb && { target: '_blank', rel: 'noopener noreferrer nofollow' })}
      // A number is read as one.
      className={`underline decoration-1 underline-offset-2 ${href.startsWith('tel:') ? 'whitespace-nowrap' : ''}`}
    >
      {isCut ? (
        <>
          <span>{shown.slice(0, begins)}</span>
          <span className="not-shown">{shown.slice(begins, ends)}</span>
          <span>{shown.slice(ends)}</span>
        </>
      ) : (
        shown
      )}
    </a>
  )
}
