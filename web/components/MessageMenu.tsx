import { useTranslations } from 'use-intl'
import { formatExact } from '@/lib/format'
import { Menu } from './Menu'
import type { MessageFacts } from './messageActions'
import { ReactionRow } from './ReactionRow'
import { useLocale } from './useLocale'

/** What can be done with a message, and its times. */
export function MessageMenu({
  near,
  actions,
  title,
  reacting,
  sentAt,
  read,
  isShort,
  onClose,
}: MessageFacts & { near: Element /** Whether only emoji are wanted. */; isShort: boolean; onClose(): void }) {
  const t = useTranslations('message')
  const locale = useLocale()
  const items = actions.map(({ label, ...action }) => ({ ...action, words: t(label) }))
  const lead = (close: () => void) => reacting && <ReactionRow reacting={reacting} close={close} />
  if (isShort) return <Menu title={t('react')} items={[]} near={near} lead={lead} onClose={onClose} />
  return (
    <Menu title={title} items={items} near={near} lead={lead} onClose={onClose}>
      <dl className="mt-1 grid gap-1 border-line border-t px-3 py-2.5 text-muted text-xs">
        <Fact name={t('sentAt')}>{sentAt === null ? t('notStored') : formatExact(locale, sentAt)}</Fact>
        {read !== null && (
          <Fact name={t('readAt')}>
            {!read.isRead ? t('notRead') : read.at === null ? t('readUnknown') : formatExact(locale, read.at)}
          </Fact>
        )}
      </dl>
    </Menu>
  )
}

function Fact({ name, children }: { name: string; children: string }) {
  return (
    <div className="flex gap-2">
      <dt className="shrink-0">{name}</dt>
      <dd className="ml-auto text-right text-text tabular-nums">{children}</dd>
    </div>
  )
}
