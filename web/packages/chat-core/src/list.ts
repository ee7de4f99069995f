import type { Announcements } from './announcements'
import type { Rest } from './rest'
import type { Store } from './store'

/** Loads the list of conversations. */
export class ListSync {
  constructor(
    private readonly store: Store,
    private readonly rest: Pick<Rest, 'conversations'>,
    private readonly announcements: Announcements,
    /** Hears of each request that failed. */
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Loads the newest part of the list; returns the addresses of all conversations when it is as short as that. */
  async refresh(): Promise<ReadonlySet<string> | null> {
    try {
      const page = await this.rest.conversations()
      this.store.dispatch({ type: 'conversations', page, first: true })
      for (const { peerEmail, lastSeq } of page.conversations) this.announcements.beginAt(peerEmail, lastSeq)
      return page.nextCursor === null ? new Set(page.conversations.map(({ peerEmail }) => peerEmail)) : null
    } catch (error) {
      this.store.dispatch({ type: 'conversationsFailed', first: true })
      this.failed(error)
      return null
    }
  }

  /** Loads what follows in the list. */
  async more(): Promise<void> {
    const { nextCursor, more } = this.store.state.list
    if (nextCursor === null || more === 'loading') return
    this.store.dispatch({ type: 'conversationsLoading' })
    try {
      this.store.dispatch({ type: 'conversations', page: await this.rest.conversations(nextCursor), first: false })
    } catch (error) {
      this.store.dispatch({ type: 'conversationsFailed', first: false })
      this.failed(error)
    }
  }
}
