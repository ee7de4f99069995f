import { answersOf, type ProposalBody, type ProposalState, type Verdict } from 'chat-core'
import { useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChatClient } from '@/context/ChatSocketContext'
import { formatMatch } from '@/lib/format'
import { Button } from './Button'
import { MatchIcon } from './conversationIcons'
import { focusConversation } from './focus'
import { useLocale } from './useLocale'

const CHIPS: Record<ProposalState, string> = {
  open: 'bg-selected text-accent-text',
  accepted: 'bg-accent text-on-accent',
  declined: 'bg-sunken text-muted',
  withdrawn: 'bg-sunken text-muted',
  past: 'bg-sunken text-muted',
}
const ACTIONS = { accepted: 'accept', declined: 'decline', withdrawn: 'withdraw' } as const

/** A proposal, how it stands, and what its reader can do about it. */
export function ProposalCard({
  proposal,
  state,
  mine,
  at,
  peer,
  answering,
}: {
  proposal: ProposalBody
  state: ProposalState
  mine: boolean
  /** The timestamp of its message; `null` before it is stored. */
  at: string | null
  peer: string
  /** An answer that is on its way. */
  answering: Verdict | null
}) {
  const t = useTranslations('proposal')
  const locale = useLocale()
  const client = useChatClient()
  // The buttons stay disabled until the answer is among the pending messages.
  const [pressed, setPressed] = useState(false)
  const { teamName, opponentTeamName, matchAt, place, note } = proposal
  const actions = at === null ? [] : answersOf(state, mine)
  const answer = async (verdict: Verdict) => {
    if (at === null) return
    setPressed(true)
    focusConversation()
    await client.answer(peer, at, verdict).finally(() => setPressed(false))
  }
  return (
    <div className="w-72 max-w-full py-1" data-proposal={state}>
      <p className="mb-2 flex flex-wrap items-center gap-1.5 font-medium text-sm">
        <MatchIcon className="size-4.5" />
        <span className="mr-auto whitespace-nowrap">{t('title')}</span>
        <span className={`whitespace-nowrap rounded-full px-2 py-0.5 text-xs ${CHIPS[state]}`}>{t(state)}</span>
      </p>
      <p className="font-semibold">
        <bdi>{teamName}</bdi> {t('against')} <bdi>{opponentTeamName}</bdi>
      </p>
      <dl className="mt-1.5 grid grid-cols-[auto_1fr] gap-x-3 gap-y-0.5 text-sm">
        <dt className="opacity-75">{t('when')}</dt>
        <dd>
          <time dateTime={matchAt}>{formatMatch(locale, Date.parse(matchAt))}</time>
        </dd>
        <dt className="opacity-75">{t('where')}</dt>
        <dd dir="auto">{place}</dd>
      </dl>
      {note !== undefined && (
        <p dir="auto" className="message-text mt-2 text-sm">
          {note}
        </p>
      )}
      {actions.length > 0 && (
        <div className="mt-3 flex gap-2">
          {actions.map((verdict) => (
            <Button
              key={verdict}
              look={verdict === 'accepted' ? 'primary' : 'quiet'}
              className="min-h-9 flex-1 px-3 text-sm"
              disabled={pressed || answering !== null}
              onClick={() => void answer(verdict)}
            >
              {t(ACTIONS[verdict])}
            </Button>
          ))}
        </div>
      )}
    </div>
  )
}
