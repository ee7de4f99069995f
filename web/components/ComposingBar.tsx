import { useTranslations } from 'use-intl'
import { useChat } from '@/context/ChatSocketContext'
import { IconButton } from './Button'
import type { Composing } from './composing'
import { CloseIcon } from './icons'
import { EditIcon, ReplyIcon } from './messageIcons'
import { nameOf } from './people'
import { useQuoteText } from './quoteText'

/** Above the field: what is replied to, or that a message is edited, and the way out of it. */
export default function ComposingBar({ composing, onCancel }: { composing: Composing; onCancel(): void }) {
  const t = useTranslations('composer')
  const m = useTranslations('message')
  const me = useChat((state) => state.me)
  const quote = useQuoteText()
  const isReply = composing.kind === 'reply'
  const Icon = isReply ? ReplyIcon : EditIcon
  const name = isReply && composing.to.senderEmail !== me ? nameOf(composing.to.senderEmail) : m('mine')
  const words = isReply ? quote(composing.to) : composing.text
  return (
    <section
      data-composing={composing.kind}
      aria-label={t(isReply ? 'replying' : 'editing', { name })}
      className="mb-1 flex items-center gap-3 rounded-2xl border border-line bg-surface py-1 pr-1 pl-3 shadow-sm"
    >
      <Icon className="size-5 text-accent-text" />
      <div className="min-w-0 flex-1 border-accent-line border-l-2 pl-2.5 text-sm leading-snug">
        <p className="truncate font-medium text-accent-text">{t(isReply ? 'replying' : 'editing', { name })}</p>
        <p className="truncate text-muted">
          <bdi>{words}</bdi>
        </p>
      </div>
      <IconButton label={t('cancel')} onClick={onCancel} className="size-9 pointer-coarse:size-11">
        <CloseIcon className="size-4.5" />
      </IconButton>
    </section>
  )
}
