'use client'

import { useCallback } from 'react'
import { useTranslations } from 'use-intl'
import type { ErrorCode, KindName } from '@/lib/chat'

/** What a message is called that is more than text. */
export function useKindLabel(): (kind: KindName) => string | null {
  const t = useTranslations('list')
  return useCallback((kind) => (kind === 'text' ? null : t(kind)), [t])
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
] as const

export function reasonKey(code: ErrorCode | undefined): (typeof KNOWN_REASONS)[number] | 'other' {
  return KNOWN_REASONS.find((known) => known === code) ?? 'other'
}
