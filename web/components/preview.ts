'use client'

import {
  beginning,
  isKnown,
  type KindName,
  type MessageBody,
  type Pending,
  type PendingReason,
  PREVIEW_MAX_CHARS,
  type QuotedBody,
  type Room,
} from 'chat-core'
import { useCallback } from 'react'
import { useTranslations } from 'use-intl'

/** What a message says in a line: its kind, if it is more than text, and its words. Of a kind that is not known there are the words alone. */
export function usePreviewText(): (kind: KindName, words: string) => string {
  const t = useTranslations('list')
  return useCallback(
    (kind, words) => {
      if (!isKnown(kind) || kind === 'change') return words === '' ? t('unknown') : words
      if (kind === 'text') return words
      // The remark on a proposal is read with the proposal.
      return words === '' || kind === 'matchProposal' ? t(kind) : t('captioned', { kind: t(kind), text: words })
    },
    [t],
  )
}

/** The same of a message that is on its way. */
export function usePendingPreview(): (entry: Pending) => string {
  const preview = usePreviewText()
  return useCallback((entry) => preview(entry.kind, entry.text), [preview])
}

/** The same of a message that is replied to, in more than one line. */
export function useQuoteText(): (quoted: MessageBody | QuotedBody) => string {
  const preview = usePreviewText()
  return useCallback(
    (quoted) => preview(quoted.kind, 'message' in quoted ? begun(quoted.message) : begun(quoted.preview)),
    [preview],
  )
}

/** The beginning of a text. The server's own previews end there too, and do not say whether anything follows. */
function begun(text: string): string {
  const shown = beginning(text, PREVIEW_MAX_CHARS)
  return [...shown].length >= PREVIEW_MAX_CHARS || shown !== text ? `${shown}…` : text
}

/** Why a change of a message was refused, among the texts of `change`. */
export const changeReason = (reason: PendingReason | undefined) =>
  reason === 'notFound' || reason === 'notAccepted' || reason === 'notYours' || reason === 'notKept' || reason === 'outdated'
    ? reason
    : 'other'

/** What was not done, among the texts of `change`. */
export const NOT_DONE = { react: 'notReacted', edit: 'notEdited', delete: 'notDeleted' } as const

/** How an answer to a proposal is said, among the texts of `message`. */
export const ANSWERS = { accepted: 'answerAccepted', declined: 'answerDeclined', withdrawn: 'answerWithdrawn' } as const

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
