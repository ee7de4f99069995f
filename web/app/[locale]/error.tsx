'use client'

import { Problem } from '@/components/Problem'

/** A fault of the page itself. What was written is in the outbox, and not lost. */
export default function PageError() {
  return <Problem kind="page" onRetry={() => location.reload()} />
}
