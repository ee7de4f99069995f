'use client'

import type { KindName, Pending, PendingReason } from 'chat-core'
import { useCallback } from 'react'
import { useTranslations } from 'use-intl'

/** What a message says in a line: its kind, if it is more than text, and its words. */
export function usePreviewText(): (kind: KindName, words: string) => string {
  const t = useTranslations('list')
  return useCallback(
    (kind, words) => {
      if (kind === 'text') return words
      return kind === 'image' && words !== '' ? t('captioned', { kind: t(kind), text: words }) : t(kind)
    },
    [t],
  )
}

/** The same of a message that is on its way. */
export function usePendingPreview(): (entry: Pending) => string {
  const preview = usePreviewText()
  return useCallback((entry) => preview(entry.kind, entry.text), [preview])
}

const KNOWN_REASONS = [
  'rateLimited',
  'unavailable',
  'authExpired',
  'unknownConnection',
  'resyncNeeded',
  'messageTooLong',
  'messageEmpty',
  'invalidEmail',
  'selfChat',
  'internal',
  'notKept',
  'outdated',
  'attachmentMissing',
  'attachmentRejected',
  'proposalState',
  'imageLost',
  'unanswered',
] as const

export function reasonKey(code: PendingReason | undefined): (typeof KNOWN_REASONS)[number] | 'other' {
  return KNOWN_REASONS.find((known) => known === code) ?? 'other'
}
