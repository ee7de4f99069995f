'use client'

import { useTranslations } from 'use-intl'
import { Button } from './Button'
import { AlertIcon } from './icons'

/** The page cannot go on, and what helps. */
export function Problem({ kind, onRetry }: { kind: 'config' | 'page' | 'part'; onRetry(): void }) {
  const t = useTranslations('error')
  return (
    <main className="grid min-h-dvh place-items-center px-6">
      <div role="alert" className="max-w-sm text-center">
        <AlertIcon className="mx-auto mb-3 size-8 text-muted" />
        <h1 className="mb-1 text-lg font-semibold">{t(kind)}</h1>
        <p className="mb-5 text-muted">{t(`${kind}Hint`)}</p>
        <Button look="primary" onClick={onRetry}>
          {t('retry')}
        </Button>
      </div>
    </main>
  )
}
