import { render } from '@testing-library/react'
import { ChatClient, MemoryOutbox, NoTabs, type Outbox } from 'chat-core'
import { type FakeLink, FakeServer, MINJI } from 'chat-core/testing'
import type { ReactNode } from 'react'
import { IntlProvider } from 'use-intl'
import { onTestFinished } from 'vitest'
import { ChatClientProvider } from '@/context/ChatSocketContext'
import type { Locale } from '@/lib/locale'
import { compiledMessages } from '@/lib/messages'

/** An outbox of a browser that keeps it. */
class KeptOutbox extends MemoryOutbox {
  override readonly lasts = true
}

/** A page of Minji with a chat of its own, whose server answers when the test says so. */
export function renderChat(
  children: ReactNode,
  locale: Locale = 'ko',
  server = new FakeServer(),
  outbox: Outbox = new KeptOutbox(),
) {
  let link: FakeLink | undefined
  /** Requests wait for this. */
  let release = (): void => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const answer = server.fetcher(MINJI)
  const client = new ChatClient({
    me: MINJI,
    wsUrl: 'ws://chat.example/prod',
    restUrl: 'http://chat.example',
    tokens: { get: async () => 'token', renew: async () => 'newer' },
    outbox,
    tabs: () => new NoTabs(),
    fetch: async (input, init) => {
      await gate
      return answer(input, init)
    },
    put: server.put,
    transport: (listener) => {
      link = server.connect(MINJI, listener)
      return link
    },
  })
  // What it watches ends with the test's window.
  onTestFinished(() => client.close())
  const view = render(
    <IntlProvider locale={locale} messages={compiledMessages(locale)} timeZone="UTC">
      <ChatClientProvider client={client}>{children}</ChatClientProvider>
    </IntlProvider>,
  )
  return { ...view, client, server, release, link: link as FakeLink }
}
