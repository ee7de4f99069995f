import { useEffect } from 'react'
import { useChat } from '@/context/ChatSocketContext'
import { startWorker } from './notify'

/** Has the page kept in the browser, so that it opens offline, once there is nothing else to do: see scripts/worker.js. */
export function useWorker(): void {
  const ready = useChat(
    ({ connection, list, rooms }) =>
      connection === 'online' && list.status === 'ready' && Object.values(rooms).every(({ status }) => status !== 'loading'),
  )
  useEffect(() => {
    if (!ready || process.env.NODE_ENV !== 'production') return
    const timer = setTimeout(() => void startWorker().catch(() => {}), AFTER_MS)
    return () => clearTimeout(timer)
  }, [ready])
}

/** What is shown first may still be on its way. */
const AFTER_MS = 2_000
