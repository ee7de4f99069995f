import { useTranslations } from 'use-intl'

interface CounterProps {
  used: number
  max: number
  problem: string | undefined
  /** Whether what was pasted was too long to be taken as a whole. */
  wasCut: boolean
  onCut(): void
}

/** How much of the room is used, and what to do when it is not enough; `problem` is the id of what says so. */
export default function Counter({ used, max, problem, wasCut, onCut }: CounterProps) {
  const t = useTranslations('composer')
  const over = used - max
  return (
    <div className="mb-2 flex flex-wrap items-center gap-x-3 text-sm">
      {wasCut && (
        <p role="alert" className="w-full text-muted">
          {t('pasteCut')}
        </p>
      )}
      {over > 0 && problem !== undefined && (
        <p id={problem} role="alert" className="text-danger">
          {t('tooLong', { over })}
        </p>
      )}
      {over > 0 && (
        <button
          type="button"
          className="rounded px-1 pointer-coarse:min-h-11 font-medium text-accent-text underline underline-offset-2"
          onClick={onCut}
        >
          {t('cut')}
        </button>
      )}
      <span data-testid="bytes" className={`ml-auto tabular-nums ${over > 0 ? 'font-medium text-danger' : 'text-muted'}`}>
        {t('bytes', { used, max })}
      </span>
    </div>
  )
}
