import { useTranslations } from 'use-intl'
import { Dialog } from './Dialog'
import { PlainText } from './PlainText'

/** The whole of a long message. */
export default function FullText({ text, onClose }: { text: string; onClose(): void }) {
  const t = useTranslations('message')
  const e = useTranslations('error')
  return (
    <Dialog open onClose={onClose} title={t('wholeTitle')} closeLabel={e('close')}>
      <section
        aria-label={t('wholeTitle')}
        data-autofocus
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
        tabIndex={0}
        className="-mx-2 max-h-[70dvh] overflow-y-auto overscroll-contain px-2 outline-offset-[-2px]"
      >
        <PlainText text={text} />
      </section>
    </Dialog>
  )
}
