import type { PendingChange } from 'chat-core'
import { useTranslations } from 'use-intl'
import { useChatClient } from '@/context/ChatSocketContext'
import { Action } from './Action'
import { changeReason, NOT_DONE } from './reasons'

/** Changes of a message that were refused, and what can be done. What was wanted is said, so that no words are lost. */
export default function ChangeTrouble({ refused }: { refused: readonly PendingChange[] }) {
  const t = useTranslations('change')
  const m = useTranslations('message')
  const client = useChatClient()
  return refused.map((change) => (
    <div key={change.id} data-refused={change.kind} className="mt-1 flex flex-wrap items-center justify-end gap-x-1 text-xs">
      <span className="text-danger">
        {t(NOT_DONE[change.kind])}: {t(changeReason(change.reason))}
      </span>
      {change.kind === 'edit' && (
        <span className="min-w-0 truncate text-muted">
          “<bdi>{change.text}</bdi>”
        </span>
      )}
      <span className="-mr-1.5 flex">
        {change.reason !== 'notFound' && change.reason !== 'notYours' && (
          <Action strong onClick={() => void client.retry(change.id)}>
            {m('retry')}
          </Action>
        )}
        <Action onClick={() => void client.discard(change.id)}>{t('dismiss')}</Action>
      </span>
    </div>
  ))
}
