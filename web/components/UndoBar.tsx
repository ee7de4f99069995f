import { heldMs, type PendingChange } from 'chat-core'
import { useEffect, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { focusMessages } from './focus'

/** That something is about to be deleted, and how to keep it. It goes when it is too late. */
export function UndoBar({ peer }: { peer: string }) {
  const t = useTranslations('change')
  const client = useChatClient()
  const button = useRef<HTMLButtonElement>(null)
  const changes = useChat((state) => state.changes)
  const [, lookAgain] = useState(0)
  const held = changes.findLast((change: PendingChange) => change.peer === peer && heldMs(change, Date.now()) > 0)
  const until = held?.heldUntil ?? 0
  useEffect(() => {
    const timer = setTimeout(() => lookAgain(until), Math.max(0, until - Date.now()) + 1)
    return () => clearTimeout(timer)
  }, [until])
  useEffect(() => {
    if (until === 0) return
    // Another tab shows it too.
    if (!document.hasFocus()) return
    button.current?.focus()
    const { current: pressed } = button
    // It goes, and the focus must not go with it.
    return () => void (document.activeElement === pressed && focusMessages())
  }, [until])
  if (held === undefined) return null
  return (
    <div role="status" data-undo className="absolute inset-x-0 bottom-4 flex justify-center px-4 text-sm">
      <p className="flex items-center gap-3 rounded-full bg-text py-1 pr-1.5 pl-4 text-ground shadow-md">
        <span>{t('deleting')}</span>
        <button
          ref={button}
          type="button"
          onClick={() => void client.discard(held.id)}
          className="min-h-9 pointer-coarse:min-h-11 rounded-full px-3 font-semibold underline underline-offset-2 outline-ground"
        >
          {t('undo')}
        </button>
      </p>
    </div>
  )
}
