import { useTranslations } from 'use-intl'
import { Dialog } from './Dialog'

const isApple = () => /Mac|iPhone|iPad/.test(navigator.platform)

/** The keys that can be pressed, and what they do. */
export default function Shortcuts({ onClose }: { onClose(): void }) {
  const t = useTranslations('shortcuts')
  const command = isApple() ? '⌘' : 'Ctrl'
  const rows = [
    ['find', [command, 'K']],
    ['search', [command, 'F']],
    ['edit', ['↑']],
    ['newest', ['Shift', '↑']],
    ['move', ['↑', '↓']],
    ['menu', ['Enter']],
    ['reply', ['R']],
    ['change', ['E']],
    ['remove', ['Delete']],
    ['copy', [command, 'C']],
    ['all', [command, 'A']],
    ['leave', ['Esc']],
    ['send', ['Enter']],
    ['line', ['Shift', 'Enter']],
    ['sheet', ['?']],
  ] as const
  return (
    <Dialog open onClose={onClose} title={t('title')} closeLabel={t('close')}>
      <dl className="grid gap-1">
        {rows.map(([what, keys]) => (
          <div key={what} className="flex items-center gap-3 py-1">
            <dt className="flex-1 text-sm">{t(what)}</dt>
            <dd className="flex shrink-0 gap-1">
              {keys.map((key) => (
                <kbd
                  key={key}
                  className="min-w-7 rounded-md border border-line bg-sunken px-1.5 py-0.5 text-center font-sans text-xs"
                >
                  {key}
                </kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
