import type { MessageBody, QuotedBody } from 'chat-core'
import { useTranslations } from 'use-intl'
import { useChat } from '@/context/ChatSocketContext'
import { nameOf } from './people'
import { useQuoteText } from './quoteText'

export type Quoted = MessageBody | QuotedBody

/** What a message replies to, as it is by now. It leads there: see MessageTools.tsx. */
export default function Quote({ at, quoted, inset }: { at: string; quoted: Quoted | null; inset: boolean }) {
  const t = useTranslations('message')
  const me = useChat((state) => state.me)
  const text = useQuoteText()
  const name = quoted === null ? null : quoted.senderEmail === me ? t('mine') : nameOf(quoted.senderEmail)
  const words = quoted === null ? t('quoteUnknown') : text(quoted)
  return (
    <button
      type="button"
      data-quote={at}
      aria-label={t('quote', { name: name ?? '', text: words })}
      className={`mb-1 block rounded-lg border-current/40 border-l-3 bg-current/6 px-2.5 py-1 pointer-coarse:min-h-11 text-left text-sm leading-snug hover:bg-current/12 ${inset ? 'm-2 w-0 min-w-[calc(100%-1rem)]' : 'w-full'}`}
    >
      {name !== null && <span className="block truncate font-medium">{name}</span>}
      <span className="line-clamp-2 opacity-85">
        <bdi>{words}</bdi>
      </span>
    </button>
  )
}
