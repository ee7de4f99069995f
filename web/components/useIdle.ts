import Router from 'next/router'
import { useEffect } from 'react'
import { useChat } from '@/context/ChatSocketContext'
import type { Locale } from '@/lib/locale'
import { startWorker } from './notify'
import { fetchParts } from './OnDemand'
import { useLocale } from './useLocale'

/** What is shown first may still be on its way. */
const AFTER_MS = 2_000

/**
 * Gets ready for a time without a network, once there is nothing else to do: fetches the other page and what is loaded on demand, such as
 * the settings, which hold the way to sign out, and has all of it kept in the browser, so that it opens there (see scripts/worker.js).
 */
export function useIdle(): void {
  const ready = useChat(
    ({ connection, list, rooms }) =>
      connection === 'online' && list.status === 'ready' && Object.values(rooms).every(({ status }) => status !== 'loading'),
  )
  const locale = useLocale()
  useEffect(() => {
    if (!ready) return
    const timer = setTimeout(() => whenIdle(() => void prepare(locale).catch(() => {})), AFTER_MS)
    return () => clearTimeout(timer)
  }, [ready, locale])
}

/** Not every browser tells when it has nothing to do. */
const whenIdle = (run: () => void): unknown => (typeof requestIdleCallback === 'undefined' ? run() : requestIdleCallback(run))

async function prepare(locale: Locale): Promise<void> {
  await fetchParts()
  for (const page of ['chat', 'teams']) await Router.prefetch(`/${locale}/${page}/`)
  // For tests that have to know.
  document.documentElement.dataset.prepared = ''
  if (process.env.NODE_ENV === 'production') await startWorker()
}
