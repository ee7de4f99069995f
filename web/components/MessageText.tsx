import { useTranslations } from 'use-intl'
import { Part } from './OnDemand'
import { useOverlay } from './Overlay'
import { PlainText } from './PlainText'

/** A text that takes more than a screen shows its beginning; the rest is shown when it is asked for. */
const LONG_CHARACTERS = 2_000
const LONG_LINES = 30

const fullText = new Part(() => import('./FullText'))

/** Whether no more is shown of a text than `line-clamp-20` lets through. */
export const isLong = (text: string): boolean =>
  text.length > LONG_CHARACTERS || text.split('\n', LONG_LINES + 1).length > LONG_LINES

/** The text of a message, or its beginning. */
export function MessageText({ text }: { text: string }) {
  const t = useTranslations('message')
  const show = useOverlay()
  if (!isLong(text)) return <PlainText text={text} />
  return (
    <>
      <PlainText text={text} className="line-clamp-20" />
      <button
        type="button"
        onClick={() => show(fullText, { text })}
        className="mt-1 -mb-1 min-h-9 w-full rounded-lg text-left font-medium text-accent-text text-sm hover:underline pointer-coarse:min-h-11"
      >
        {t('whole')}
      </button>
    </>
  )
}
