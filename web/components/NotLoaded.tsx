import { useTranslations } from 'use-intl'
import { Button } from './Button'
import { Dialog } from './Dialog'

/** The code of a dialog did not come. */
export function NotLoaded({ onRetry, onClose }: { onRetry(): void; onClose(): void }) {
  const t = useTranslations('error')
  return (
    <Dialog open onClose={onClose} title={t('part')} closeLabel={t('close')}>
      <p role="alert" className="mb-5 text-muted">
        {t('partHint')}
      </p>
      <Button look="primary" className="w-full" data-autofocus onClick={onRetry}>
        {t('retry')}
      </Button>
    </Dialog>
  )
}
