import { useTranslations } from 'use-intl'
import { Action } from './Action'

/** The code of something within the page did not come. */
export function PartMissing({ onRetry, className = 'py-2 text-center text-sm' }: { onRetry(): void; className?: string }) {
  const t = useTranslations('error')
  return (
    <p role="alert" className={className}>
      {t('part')}{' '}
      <Action strong onClick={onRetry}>
        {t('retry')}
      </Action>
    </p>
  )
}
