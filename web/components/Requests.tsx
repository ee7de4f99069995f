import { type ReactNode, useState } from 'react'
import { useTranslations } from 'use-intl'
import { ChevronIcon } from './consentIcons'

/** Requests of others: apart from the conversations, and shown when they are asked for. */
export default function Requests({ count, children }: { count: number; children: ReactNode }) {
  const t = useTranslations('list')
  const [isOpen, setOpen] = useState(false)
  return (
    <section data-requests aria-label={t('requests')} className="mb-1 border-line border-b">
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        className="flex min-h-11 w-full items-center gap-2 px-4 py-2 text-left font-medium text-sm outline-offset-[-2px] transition-colors hover:bg-hover"
      >
        <span className="flex-1">{t('requests')}</span>
        <span className="text-muted tabular-nums">{t('requestCount', { count })}</span>
        <ChevronIcon className={`size-4 text-muted ${isOpen ? 'rotate-180' : ''}`} />
      </button>
      {isOpen && (
        <>
          <p className="px-4 pb-2 text-muted text-xs">{t('requestsHint')}</p>
          {children}
        </>
      )}
    </section>
  )
}
