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
