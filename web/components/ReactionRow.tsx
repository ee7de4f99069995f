import { useTranslations } from 'use-intl'
import { MoreIcon } from './conversationIcons'
import { AT_HAND } from './emojiNames'
import type { Reacting } from './messageActions'

/** On the narrowest phone, seven of 44 px are as wide as the screen. */
const BUTTON = 'grid h-12 place-items-center rounded-xl outline-offset-[-2px] hover:bg-hover md:size-9.5'

/** A few emoji to leave on a message, and the way to all of them. */
export function ReactionRow({ reacting, close }: { reacting: Reacting; close(): void }) {
  const t = useTranslations('message')
  const after = (run: () => void) => () => {
    // First: while the menu is open nothing else can take the focus.
    close()
    run()
  }
  return (
    <fieldset
      data-lead
      aria-label={t('react')}
      className="flex justify-between max-md:-mx-1 max-md:grid max-md:min-w-0 max-md:grid-cols-7"
    >
      {AT_HAND.map((emoji) => (
        <button
          key={emoji}
          type="button"
          role="menuitemcheckbox"
          aria-checked={reacting.own.includes(emoji)}
          aria-label={t('reactWith', { emoji })}
          onClick={after(() => reacting.press(emoji))}
          className={`${BUTTON} text-2xl aria-checked:bg-selected`}
        >
          {emoji}
        </button>
      ))}
      <button
        type="button"
        role="menuitem"
        aria-label={t('reactAll')}
        title={t('reactAll')}
        onClick={after(() => reacting.showAll())}
        className={`${BUTTON} text-muted`}
      >
        <MoreIcon className="size-5" />
      </button>
    </fieldset>
  )
}
