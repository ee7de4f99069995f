'use client'

import { ChatClient, type ChatState } from 'chat-core'
import { createContext, type ReactNode, use, useLayoutEffect, useState, useSyncExternalStore } from 'react'
import type { Session } from '@/lib/auth/session'
import type { AppConfig } from '@/lib/config'

const Context = createContext<ChatClient | null>(null)

/** Provides one chat, with one socket, to all components below. */
export function ChatSocketProvider({ config, session, children }: { config: AppConfig; session: Session; children: ReactNode }) {
  const [client, setClient] = useState<ChatClient | null>(null)

  useLayoutEffect(() => {
    const { wsUrl, restUrl } = config
    const made = new ChatClient({ me: session.email, wsUrl, restUrl, tokens: session.tokens })
    setClient(made)
    return () => made.close()
  }, [config, session])

  return client === null ? null : <Context value={client}>{children}</Context>
}

/** Provides a chat that was made elsewhere, for tests and for pages that keep their own. */
export function ChatClientProvider({ client, children }: { client: ChatClient; children: ReactNode }) {
  return <Context value={client}>{children}</Context>
}

export function useChatClient(): ChatClient {
  const client = use(Context)
  if (client === null) throw new Error('useChatClient is used outside of ChatSocketProvider')
  return client
}

/** A part of the state. `select` has to give the same object for the same state. */
export function useChat<T>(select: (state: ChatState) => T): T {
  const client = useChatClient()
  const get = () => select(client.state)
  return useSyncExternalStore((listener) => client.subscribe(listener), get, get)
}
