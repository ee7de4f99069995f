import type { ChatClient } from 'chat-core'
import Router from 'next/router'
import { useEffect } from 'react'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import type { Locale } from '@/lib/locale'
import { startWorker } from './notify'
import { fetchParts } from './OnDemand'
import { useLocale } from './useLocale'

/** How long nothing has happened by then: nobody has typed, and nothing was sent or came. What is shown first may still be on its way. */
const QUIET_MS = 2_000
/** Where something happens all the time, it is done all the same. */
const WITHIN_MS = 30_000

/**
 * Gets ready for a time without a network, once there is nothing else to do, since messages are up to twice as late meanwhile: fetches the other page and what is loaded on demand, such as
 * the settings, which hold the way to sign out, and has all of it kept in the browser, so that it opens there (see scripts/worker.js).
 */
export function useIdle(): void {
  const ready = useChat(
    ({ connection, list, rooms }) =>
      connection === 'online' && list.status === 'ready' && Object.values(rooms).every(({ status }) => status !== 'loading'),
  )
  const client = useChatClient()
  const locale = useLocale()
  useEffect(() => {
    if (!ready) return
    return onQuiet(client, () => whenIdle(() => void prepare(locale).catch(() => {})))
  }, [ready, client, locale])
}

/** Calls `run` once, when it is quiet; returns what calls it off. */
export function onQuiet(client: Pick<ChatClient, 'subscribe'>, run: () => void): () => void {
  const latest = Date.now() + WITHIN_MS
  let timer: ReturnType<typeof setTimeout> | undefined
  const wait = () => {
    clearTimeout(timer)
    timer = setTimeout(
      () => {
        stop()
        run()
      },
      Math.min(QUIET_MS, Math.max(0, latest - Date.now())),
    )
  }
  const unsubscribe = client.subscribe(wait)
  document.addEventListener('keydown', wait)
  const stop = () => {
    clearTimeout(timer)
    unsubscribe()
    document.removeEventListener('keydown', wait)
  }
  wait()
  return stop
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
