import { isPostponable, type Pending } from 'chat-core'
import { useEffect, useState } from 'react'
import { useChat } from '@/context/ChatSocketContext'

/** An upload that takes no longer holds nothing up worth a word. */
const PATIENCE_MS = 10_000

/** Whether what was written after a photo waits for it, and has for long. */
export function useHeldUp(entry: Pending): boolean {
  const since = useChat((state) => waitingSince(entry, state.pending))
  const [isLong, setIsLong] = useState(false)
  useEffect(() => {
    setIsLong(false)
    if (since === null) return
    const timer = setTimeout(() => setIsLong(true), since + PATIENCE_MS - Date.now())
    return () => clearTimeout(timer)
  }, [since])
  return isLong
}

/** Since when something else waits behind a photo that is the first to be sent; `null` when nothing does. */
function waitingSince(photo: Pending, pending: readonly Pending[]): number | null {
  const queued = pending.filter(({ peer, status }) => peer === photo.peer && status === 'queued')
  if (queued[0]?.id !== photo.id || !isPostponable(photo)) return null
  return queued.find((entry) => !isPostponable(entry))?.createdAt ?? null
}
