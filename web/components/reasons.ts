import type { PendingReason, Room } from 'chat-core'

/** Why a change of a message was refused, among the texts of `change`. */
export const changeReason = (reason: PendingReason | undefined) =>
  reason === 'notFound' || reason === 'notAccepted' || reason === 'notYours' || reason === 'notKept' || reason === 'outdated'
    ? reason
    : 'other'

/** What was not done, among the texts of `change`. */
export const NOT_DONE = { react: 'notReacted', edit: 'notEdited', delete: 'notDeleted' } as const

/** Among the texts of `reason`, what is said of each; a code that comes new has words before this compiles. */
const REASONS = {
  badRequest: 'badRequest',
  idReused: 'badRequest',
  notFound: 'badRequest',
  unauthorized: 'authExpired',
  authExpired: 'authExpired',
  unknownConnection: 'unknownConnection',
  suspended: 'suspended',
  notYours: 'notYours',
  rateLimited: 'rateLimited',
  resyncNeeded: 'resyncNeeded',
  unavailable: 'unavailable',
  internal: 'internal',
  unanswered: 'unanswered',
  messageTooLong: 'messageTooLong',
  messageEmpty: 'messageEmpty',
  invalidEmail: 'invalidEmail',
  selfChat: 'selfChat',
  notKept: 'notKept',
  outdated: 'outdated',
  cleared: 'cleared',
  attachmentMissing: 'attachmentMissing',
  attachmentRejected: 'attachmentRejected',
  proposalState: 'proposalState',
  notAccepted: 'notAccepted',
  imageLost: 'imageLost',
} as const satisfies Record<PendingReason, string>

/** `request`: whose request the conversation is. */
export function reasonKey(
  code: PendingReason | undefined,
  request: Room['request'] | undefined,
): (typeof REASONS)[PendingReason] | 'refused' | 'other' {
  // Who blocks does not say so.
  if (code === 'notAccepted' && request !== 'outgoing') return 'refused'
  // A newer server may have codes that this page does not know.
  return (code !== undefined && REASONS[code]) || 'other'
}
