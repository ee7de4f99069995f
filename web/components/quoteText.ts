import { beginning, type MessageBody, PREVIEW_MAX_CHARS, type QuotedBody } from 'chat-core'
import { useCallback } from 'react'
import { usePreviewText } from './preview'

/** What a message says that is replied to, in more than one line. */
export function useQuoteText(): (quoted: MessageBody | QuotedBody) => string {
  const preview = usePreviewText()
  return useCallback(
    (quoted) => preview(quoted.kind, 'message' in quoted ? begun(quoted.message) : begun(quoted.preview)),
    [preview],
  )
}

/** The beginning of a text. The server's own previews end there too, and do not say whether anything follows. */
function begun(text: string): string {
  const shown = beginning(text, PREVIEW_MAX_CHARS)
  return [...shown].length >= PREVIEW_MAX_CHARS || shown !== text ? `${shown}…` : text
}
