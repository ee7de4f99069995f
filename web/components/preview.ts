'use client'

import { useCallback } from 'react'
import { useTranslations } from 'use-intl'
import type { KindName } from '@/lib/chat'

/** What a message is called that is more than text. */
export function useKindLabel(): (kind: KindName) => string | null {
  const t = useTranslations('list')
  return useCallback((kind) => (kind === 'text' ? null : t(kind)), [t])
}
