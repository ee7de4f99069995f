import { NOTE_MAX_BYTES, TEAM_NAME_MAX_BYTES, VENUE_MAX_BYTES } from './limits'
import { cleanText } from './text'
import { byteLength, checkText } from './textLimits'
import type { MessageBody, ProposalBody, Verdict } from './wire'

/** How a proposal stands. `past`: nobody answered, and the match has begun. */
export type ProposalState = 'open' | 'past' | Verdict

/** The answers in a conversation, by the timestamp of what they answer: the first one in its order counts. */
export function verdicts(messages: readonly MessageBody[]): ReadonlyMap<string, Verdict> {
  const found = new Map<string, Verdict>()
  for (const { proposalAnswer } of messages) {
    if (proposalAnswer !== undefined && !found.has(proposalAnswer.proposal))
      found.set(proposalAnswer.proposal, proposalAnswer.answer)
  }
  return found
}

export function proposalState(
  { matchAt }: Pick<ProposalBody, 'matchAt'>,
  verdict: Verdict | undefined,
  now: number,
): ProposalState {
  return verdict ?? (Date.parse(matchAt) <= now ? 'past' : 'open')
}

/** The answers that are somebody's to give. */
export function answersOf(state: ProposalState, mine: boolean): readonly Verdict[] {
  if (state !== 'open') return []
  return mine ? ['withdrawn'] : ['accepted', 'declined']
}

const MAX_BYTES = {
  teamName: TEAM_NAME_MAX_BYTES,
  opponentTeamName: TEAM_NAME_MAX_BYTES,
  place: VENUE_MAX_BYTES,
  note: NOTE_MAX_BYTES,
} as const

/** What is wrong with a part of a proposal. */
export type ProposalProblem = 'proposalEmpty' | 'proposalLong' | 'proposalPast'

/** What was entered, as it can be sent, and what is wrong with it. A remark may be empty. */
export function checkProposal(
  entered: { teamName: string; opponentTeamName: string; place: string; note: string; matchAt: number },
  now: number,
): { proposal: ProposalBody; problems: Partial<Record<keyof ProposalBody, ProposalProblem>> } {
  const problems: Partial<Record<keyof ProposalBody, ProposalProblem>> = {}
  const texts = { teamName: '', opponentTeamName: '', place: '', note: '' }
  for (const field of ['teamName', 'opponentTeamName', 'place', 'note'] as const) {
    const text = cleanText(entered[field])
    texts[field] = text
    if (byteLength(text) > MAX_BYTES[field]) problems[field] = 'proposalLong'
    else if (field !== 'note' && checkText(text) !== null) problems[field] = 'proposalEmpty'
  }
  const known = Number.isFinite(entered.matchAt)
  if (!known) problems.matchAt = 'proposalEmpty'
  else if (entered.matchAt <= now) problems.matchAt = 'proposalPast'
  const { note, ...words } = texts
  const matchAt = known ? new Date(entered.matchAt).toISOString() : ''
  return { proposal: { ...words, matchAt, ...(note === '' ? {} : { note }) }, problems }
}
