import { NOTE_MAX_BYTES, TEAM_NAME_MAX_BYTES, VENUE_MAX_BYTES } from './limits'
import { cleanText } from './text'
import { byteLength, checkText } from './textLimits'
import type { ProposalBody } from './wire'

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
