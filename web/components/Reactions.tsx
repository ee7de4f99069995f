import { type MessageBody, REACTIONS_MAX } from 'chat-core'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { nameOf } from './people'

/** The emoji that somebody leaves once they have pressed one. Of more than can be left the first one goes. */
export const toggled = (emoji: readonly string[], pressed: string): readonly string[] =>
  emoji.includes(pressed) ? emoji.filter((one) => one !== pressed) : [...emoji, pressed].slice(-REACTIONS_MAX)

/** What was left on a message, below it. A press leaves the same, or takes one's own back. */
export default function Reactions({ message, peer, fixed }: { message: MessageBody; peer: string; fixed: boolean }) {
  const t = useTranslations('message')
  const client = useChatClient()
  const me = useChat((state) => state.me)
  const { reactions = {}, timestamp } = message
  const own = reactions[me] ?? []
  const all = [...new Set(Object.values(reactions).flat())]
  const namesOf = (emoji: string) =>
    Object.keys(reactions)
      .filter((who) => reactions[who]?.includes(emoji))
      .map((who) => (who === me ? t('mine') : nameOf(who)))
      .join(', ')
  return (
    <fieldset aria-label={t('reactions')} data-reactions className="mt-1 mb-0.5 flex flex-wrap gap-1">
      {all.map((emoji) => (
        <button
          key={emoji}
          type="button"
          aria-pressed={own.includes(emoji)}
          aria-label={t('reactionBy', { emoji, names: namesOf(emoji) })}
          title={namesOf(emoji)}
          disabled={fixed}
          onClick={() => void client.react(peer, { timestamp }, toggled(own, emoji))}
          className="reaction"
        >
          <span>{emoji}</span>
          {Object.values(reactions).filter((left) => left.includes(emoji)).length > 1 && <span>2</span>}
        </button>
      ))}
    </fieldset>
  )
}
