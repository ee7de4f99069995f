'use client'

import { useEffect } from 'react'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { Button } from './Button'
import { ConversationList } from './ConversationList'
import { AlertIcon, ChatIcon } from './icons'
import { OnDemand, Part } from './OnDemand'
import { MessagesSkeleton } from './Skeleton'
import { usePeer } from './usePeer'

const OPEN = 'conversation-open'

// The list is what shows first. Pointing at a conversation fetches the code of its window.
const conversationWindow = new Part(() => import('./ConversationWindow'))

/** The list on the left, the conversation on the right; on a phone one of the two. */
export function ChatPage() {
  const t = useTranslations('new')
  const client = useChatClient()
  const { peer, problem } = usePeer(useChat((state) => state.me))

  useEffect(() => {
    if (peer !== null) client.open(peer)
    // The menu of a phone makes room for a conversation.
    document.documentElement.classList.toggle(OPEN, peer !== null)
    return () => {
      client.leave()
      document.documentElement.classList.remove(OPEN)
    }
  }, [client, peer])

  return (
    <main className="flex h-full">
      <div
        className={`min-w-0 border-line bg-surface flex-col md:flex md:w-84 md:shrink-0 md:border-r ${peer === null ? 'flex flex-1 md:flex-none' : 'hidden'}`}
      >
        {problem !== null && (
          <p role="alert" className="flex gap-2 bg-warn px-4 py-3 text-on-warn text-sm">
            <AlertIcon className="mt-px size-4.5 shrink-0" />
            {t(problem)}
          </p>
        )}
        <ConversationList peer={peer} onPoint={conversationWindow.preload} />
      </div>
      <div className={`min-w-0 flex-1 md:flex ${peer === null ? 'hidden' : 'flex'}`}>
        {peer === null ? (
          <Nothing />
        ) : (
          <OnDemand
            key={peer}
            part={conversationWindow}
            props={{ peer }}
            waiting={<MessagesSkeleton />}
            failed={(retry) => <WindowNotLoaded onRetry={retry} />}
          />
        )}
      </div>
    </main>
  )
}

function Nothing() {
  const t = useTranslations('window')
  return (
    <div className="grid flex-1 place-items-center p-8 text-center">
      <div>
        <ChatIcon className="mx-auto mb-3 size-10 text-faint" />
        <p className="font-medium">{t('choose')}</p>
        <p className="mt-1 text-muted text-sm">{t('chooseHint')}</p>
      </div>
    </div>
  )
}

function WindowNotLoaded({ onRetry }: { onRetry(): void }) {
  const t = useTranslations('window')
  return (
    <div role="alert" className="grid flex-1 place-items-center p-8 text-center">
      <div>
        <AlertIcon className="mx-auto mb-3 size-8 text-faint" />
        <p className="mb-4 font-medium">{t('notLoaded')}</p>
        <Button onClick={onRetry}>{t('retry')}</Button>
      </div>
    </div>
  )
}
