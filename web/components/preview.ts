'use client'

import { isKnown, type KindName, type Pending } from 'chat-core'
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

/** How an answer to a proposal is said, among the texts of `message`. */
export const ANSWERS = { accepted: 'answerAccepted', declined: 'answerDeclined', withdrawn: 'answerWithdrawn' } as const
