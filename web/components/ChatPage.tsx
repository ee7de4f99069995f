'use client'

import { useLayoutEffect } from 'react'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { Boundary } from './Boundary'
import { Button } from './Button'
import { ConversationList } from './ConversationList'
import { AlertIcon } from './icons'
import { OnDemand, Part } from './OnDemand'
import { MessagesSkeleton } from './Skeleton'
import { parameter, usePeer } from './usePeer'

const OPEN = 'conversation-open'

// The list is what shows first. Pointing at a conversation fetches the code of its window, and so does an address that names one.
const conversationWindow = new Part(() => import('./ConversationWindow'))
if (typeof window !== 'undefined' && parameter('with') !== null) conversationWindow.preload()

/** The list on the left, the conversation on the right; on a phone one of the two. */
export function ChatPage() {
  const t = useTranslations('new')
  const client = useChatClient()
  const { peer, problem } = usePeer(useChat((state) => state.me))

  // Before the browser lays out what is shown meanwhile, which takes a slow phone as long as asking does.
  useLayoutEffect(() => {
    if (peer !== null) client.open(peer)
    return () => client.leave()
  }, [client, peer])
  // The menu of a phone makes room for a conversation, and is not seen before.
  useLayoutEffect(() => {
    document.documentElement.classList.toggle(OPEN, peer !== null)
    return () => document.documentElement.classList.remove(OPEN)
  }, [peer])

  const windowFailed = (retry: () => void) => <NotShown what="window" onRetry={retry} />

  return (
    <main className="flex h-full">
      <div
        className={`min-w-0 border-line bg-surface flex-col md:flex md:w-84 md:shrink-0 md:border-r xl:w-96 2xl:w-104 ${peer === null ? 'flex flex-1 md:flex-none' : 'hidden'}`}
      >
        {problem !== null && (
          <p role="alert" className="flex gap-2 bg-warn px-4 py-3 text-on-warn text-sm">
            <AlertIcon className="mt-px size-4.5 shrink-0" />
            <span>{t(problem)}</span>
          </p>
        )}
        <Boundary failed={(retry) => <NotShown what="list" onRetry={retry} />}>
          <ConversationList peer={peer} onPoint={conversationWindow.preload} />
        </Boundary>
      </div>
      <div className={`min-w-0 flex-1 md:flex ${peer === null ? 'hidden' : 'flex'}`}>
        {peer === null ? (
          <Nothing />
        ) : (
          <Boundary key={peer} failed={windowFailed}>
            <OnDemand part={conversationWindow} props={{ peer }} waiting={<MessagesSkeleton />} failed={windowFailed} />
          </Boundary>
        )}
      </div>
    </main>
  )
}

function Nothing() {
  const t = useTranslations('window')
  return (
    <div className="patterned grid flex-1 place-items-center p-8 text-center">
      <div>
        <img src="/empty.svg" alt="" width={240} height={160} className="mx-auto mb-6" />
        <p className="font-semibold text-lg">{t('choose')}</p>
        <p className="mt-1 text-muted text-sm">{t('chooseHint')}</p>
      </div>
    </div>
  )
}

function NotShown({ what, onRetry }: { what: 'list' | 'window'; onRetry(): void }) {
  const t = useTranslations(what)
  return (
    <div role="alert" className="grid flex-1 place-items-center p-8 text-center">
      <div>
        <AlertIcon className="mx-auto mb-3 size-8 text-faint" />
        <p className="mb-4 font-medium">{t(what === 'list' ? 'failed' : 'notLoaded')}</p>
        <Button onClick={onRetry}>{t('retry')}</Button>
      </div>
    </div>
  )
}
