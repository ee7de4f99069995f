import { answersOf, type ProposalBody, type ProposalState, type Verdict } from 'chat-core'
import { useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChatClient } from '@/context/ChatSocketContext'
import { formatMatch } from '@/lib/formatWords'
import { Button } from './Button'
import { focusConversation } from './focus'
import { Icon } from './icons'
import { useLocale } from './useLocale'

const CHIPS: Record<ProposalState, string> = {
  open: 'bg-selected text-accent-text',
  accepted: 'bg-accent text-on-accent',
  declined: 'bg-sunken text-muted',
  withdrawn: 'bg-sunken text-muted',
  past: 'bg-sunken text-muted',
}
const ACTIONS = { accepted: 'accept', declined: 'decline', withdrawn: 'withdraw' } as const

interface ProposalCardProps {
  proposal: ProposalBody
  state: ProposalState
  mine: boolean
  /** The timestamp of its message; `null` before it is stored. */
  at: string | null
  peer: string
  /** An answer that is on its way. */
  answering: Verdict | null
  /** Whether there may be an answer that is not loaded: then nothing is said of how it stands. */
  unsure?: boolean
}

/** A proposal, how it stands, and what its reader can do about it. */
export default function ProposalCard({ proposal, state, mine, at, peer, answering, unsure = false }: ProposalCardProps) {
  const t = useTranslations('proposal')
  const locale = useLocale()
  const { teamName, opponentTeamName, matchAt, place, note } = proposal
  // Nothing comes of it any more: it is not to be seen first.
  const isClosed = !unsure && state !== 'open' && state !== 'accepted'
  return (
    <div className={`w-72 max-w-full py-1 ${isClosed ? 'text-sm' : ''}`} data-proposal={state}>
      <p className="mb-2 flex flex-wrap items-center gap-1.5 font-medium text-sm">
        {!isClosed && (
          <Icon className="size-4.5">
            <rect x="3.5" y="5" width="17" height="15.500" rx="3" />
            <path d="M3.500 10h17M8 3v4M16 3v4M9 14.800l2.200 2.200 4-4" />
          </Icon>
        )}
        <span className="mr-auto whitespace-nowrap">{t('title')}</span>
        {!unsure && <span className={`whitespace-nowrap rounded-full px-2 py-0.5 text-xs ${CHIPS[state]}`}>{t(state)}</span>}
      </p>
      <p className={isClosed ? '' : 'font-semibold'}>
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
      {at !== null && !unsure && <Answers at={at} peer={peer} verdicts={answersOf(state, mine)} isAnswering={answering !== null} />}
    </div>
  )
}

interface AnswersProps extends Pick<ProposalCardProps, 'peer'> {
  at: string
  verdicts: readonly Verdict[]
  isAnswering: boolean
}

/** What its reader can say. */
function Answers({ at, peer, verdicts, isAnswering }: AnswersProps) {
  const t = useTranslations('proposal')
  const client = useChatClient()
  // The buttons stay disabled until the answer is among the pending messages.
  const [pressed, setPressed] = useState(false)
  const answer = async (verdict: Verdict) => {
    setPressed(true)
    focusConversation()
    const said = { proposal: at, answer: verdict }
    await client.queue(peer, { kind: 'matchProposalAnswer', text: '', answer: said }).finally(() => setPressed(false))
  }
  if (verdicts.length === 0) return null
  return (
    <div className="mt-3 flex gap-2">
      {verdicts.map((verdict) => (
        <Button
          key={verdict}
          look={verdict === 'accepted' ? 'primary' : 'quiet'}
          className="min-h-9 flex-1 px-3 text-sm"
          disabled={pressed || isAnswering}
          onClick={() => void answer(verdict)}
        >
          {t(ACTIONS[verdict])}
        </Button>
      ))}
    </div>
  )
}
