import { type KeyboardEvent, useMemo, useState } from 'react'
import { useTranslations } from 'use-intl'
import { Dialog } from './Dialog'
import { AT_HAND, EMOJI, type EmojiGroup, emojiOf, type NamedEmoji } from './emojiNames'

const GROUPS = Object.keys(EMOJI) as EmojiGroup[]
const ALL = GROUPS.map((group) => ({ group, emoji: emojiOf(group) }))
const FIRST = AT_HAND.map((emoji) => ({
  emoji,
  words: ALL.flatMap((one) => one.emoji).find((one) => one.emoji === emoji)?.words ?? '',
}))

/** All emoji that can be left on a message, by what they are of, and by what they are called in either language. */
export default function EmojiPicker({
  chosen,
  onPick,
  onClose,
}: {
  chosen: readonly string[]
  onPick(emoji: string): void
  onClose(): void
}) {
  const t = useTranslations('emoji')
  const [query, setQuery] = useState('')
  const wanted = query.trim().toLowerCase()
  const found = useMemo(() => {
    if (wanted === '') return null
    const all = ALL.flatMap(({ emoji }) => emoji)
    return all.filter(({ emoji, words }, index) => words.includes(wanted) && all.findIndex((one) => one.emoji === emoji) === index)
  }, [wanted])
  const pick = (emoji: string) => {
    onClose()
    onPick(emoji)
  }
  const grid = (emoji: readonly NamedEmoji[]) => <Grid emoji={emoji} chosen={chosen} onPick={pick} />
  return (
    <Dialog open onClose={onClose} title={t('title')} closeLabel={t('close')}>
      <input
        type="search"
        data-autofocus
        aria-label={t('search')}
        placeholder={t('search')}
        value={query}
        onChange={(event) => setQuery(event.target.value)}
        onKeyDown={(event) => {
          const first = found?.[0]
          if (event.key === 'Enter' && !event.nativeEvent.isComposing && first !== undefined) pick(first.emoji)
        }}
        className="field w-full bg-sunken"
      />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the buttons in it */}
      <div onKeyDown={move} className="-mx-2 mt-3 h-[min(22rem,50dvh)] overflow-y-auto overscroll-contain px-2">
        {found !== null && found.length === 0 && (
          <p role="status" className="py-6 text-center text-muted text-sm">
            {t('none')}
          </p>
        )}
        {found !== null && grid(found)}
        {found === null && <Group title={t('recent')}>{grid(FIRST)}</Group>}
        {found === null &&
          ALL.map(({ group, emoji }) => (
            <Group key={group} title={t(group)}>
              {grid(emoji)}
            </Group>
          ))}
      </div>
    </Dialog>
  )
}

function Group({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <section aria-label={title} className="mb-3">
      <h3 className="mb-1 font-medium text-muted text-xs">{title}</h3>
      {children}
    </section>
  )
}

function Grid({ emoji, chosen, onPick }: { emoji: readonly NamedEmoji[]; chosen: readonly string[]; onPick(emoji: string): void }) {
  return (
    <div className="grid grid-cols-[repeat(auto-fill,minmax(2.75rem,1fr))]">
      {emoji.map((one) => (
        <button
          key={one.emoji}
          type="button"
          data-emoji={one.emoji}
          aria-pressed={chosen.includes(one.emoji)}
          title={one.words}
          onClick={() => onPick(one.emoji)}
          className="grid aspect-square place-items-center rounded-xl text-2xl outline-offset-[-2px] hover:bg-hover aria-pressed:bg-selected"
        >
          {one.emoji}
        </button>
      ))}
    </div>
  )
}

/** Arrows lead from emoji to emoji; up and down by what stands above and below. */
function move(event: KeyboardEvent<HTMLDivElement>): void {
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>('button')]
  const at = all.indexOf(document.activeElement as HTMLElement)
  const from = all[at]?.getBoundingClientRect()
  if (from === undefined) return
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
  const isDown = event.key === 'ArrowDown'
  if (step === undefined && !isDown && event.key !== 'ArrowUp') return
  event.preventDefault()
  if (step !== undefined) {
    all[at + step]?.focus()
    return
  }
  const behind = isDown ? all.slice(at + 1) : all.slice(0, at).reverse()
  const boxes = behind.map((button) => ({ button, box: button.getBoundingClientRect() }))
  const line = boxes.find(({ box }) => (isDown ? box.top >= from.bottom - 1 : box.bottom <= from.top + 1))?.box.top
  const near = boxes
    .filter(({ box }) => box.top === line)
    .sort((a, b) => Math.abs(a.box.left - from.left) - Math.abs(b.box.left - from.left))
  near[0]?.button.focus()
}
