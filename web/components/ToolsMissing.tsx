import { useEffect, useRef } from 'react'
import { useChat } from '@/context/ChatSocketContext'
import { NotLoaded } from './NotLoaded'

/** The tools for messages did not come. Whoever asks for them is told so. */
export function ToolsMissing({ asked, onRetry, onDismiss }: { asked: Event | null; onRetry(): void; onDismiss(): void }) {
  const isOnline = useChat((state) => state.connection === 'online')
  const wasOnline = useRef(isOnline)
  useEffect(() => {
    if (isOnline && !wasOnline.current) onRetry()
    wasOnline.current = isOnline
  }, [isOnline, onRetry])
  // A finger may only scroll.
  if (asked === null || asked.type === 'touchstart') return null
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys pressed in the dialog are not those of the window that it is in
    <div role="presentation" onKeyDown={(event) => event.stopPropagation()}>
      <NotLoaded onRetry={onRetry} onClose={onDismiss} />
    </div>
  )
}
