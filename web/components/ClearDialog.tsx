import { useEffect, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { Button } from './Button'
import { Dialog } from './Dialog'
import { focusConversation } from './focus'
import { nameOf } from './people'

/** Asks whether a conversation is meant to be cleared for oneself. */
export default function ClearDialog({ peer, onClose }: { peer: string; onClose(): void }) {
  const t = useTranslations('clear')
  const client = useChatClient()
  const isOnline = useChat((state) => state.connection === 'online')
  const [state, setState] = useState<'idle' | 'clearing' | 'failed'>('idle')
  const isDone = useRef(false)
  // The dialog has to be gone first: while it is open, nothing else can take the focus.
  useEffect(() => () => void (isDone.current && focusConversation()), [])
  const clear = async () => {
    if (state === 'clearing') return
    setState('clearing')
    if ((await client.clear(peer)) !== 'done') return setState('failed')
    isDone.current = true
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={t('title', { name: nameOf(peer) })} closeLabel={t('cancel')}>
      <p className="mb-5 text-muted text-sm">{t('hint', { name: nameOf(peer) })}</p>
      <p role="status" className="mb-4 text-sm empty:hidden">
        {state === 'failed' ? t('failed') : state === 'clearing' && !isOnline ? t('waiting') : ''}
      </p>
      <div className="flex justify-end gap-2">
        <Button data-autofocus onClick={onClose}>
          {t('cancel')}
        </Button>
        <Button look="danger" aria-disabled={state === 'clearing'} onClick={() => void clear()}>
          {t('clear')}
        </Button>
      </div>
    </Dialog>
  )
}
