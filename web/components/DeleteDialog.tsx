import { useTranslations } from 'use-intl'
import { Button } from './Button'
import { Dialog } from './Dialog'

/** Asks whether a message is meant to be deleted for both. */
export default function DeleteDialog({ words, onDelete, onClose }: { words: string; onDelete(): void; onClose(): void }) {
  const t = useTranslations('change')
  return (
    <Dialog open onClose={onClose} title={t('deleteTitle')} closeLabel={t('cancel')}>
      <p className="mb-3 line-clamp-3 break-words rounded-xl bg-sunken px-3 py-2 text-sm">
        <bdi>{words}</bdi>
      </p>
      <p className="mb-5 text-muted text-sm">{t('deleteHint')}</p>
      <div className="flex justify-end gap-2">
        <Button data-autofocus onClick={onClose}>
          {t('cancel')}
        </Button>
        <Button
          look="danger"
          onClick={() => {
            onClose()
            onDelete()
          }}
        >
          {t('delete')}
        </Button>
      </div>
    </Dialog>
  )
}
