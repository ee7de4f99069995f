import type { Announcements } from './announcements'
import type { Rest } from './rest'
import { dayOf } from './state'
import type { Store } from './store'
import type { ConversationsBody } from './wire'

/** The server's pages have 100 conversations: so many are enough for 300 of one day, behind 99 of later days. */
const PAGES_MAX = 5
/** A first screenful: with fewer, another page is worth waiting for. */
const SHOWN_MIN = 50

/**
 * Loads the list of conversations. The server sorts by day, and within a day by nothing that means anything: only when all of a day is
 * loaded is it known which of its conversations are the newest. So pages are loaded until what is shown is whole.
 */
export class ListSync {
  /** The day of the newest message when the list was loaded last: what was active since then is of no earlier day. */
  #loadedOn: string | null = null

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
      const before = this.#loadedOn
      const page = await this.#load(undefined, (days) => {
        const last = oldest(days)
        return before === null ? days.filter((day) => day > last).length >= SHOWN_MIN : last < before
      })
      this.#loadedOn = daysOf(page).sort().at(-1) ?? before
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
    const { nextCursor, more, partialDay } = this.store.state.list
    if (nextCursor === null || more === 'loading') return
    this.store.dispatch({ type: 'conversationsLoading' })
    try {
      const page = await this.#load(nextCursor, (days) => partialDay === null || oldest(days) < partialDay)
      this.store.dispatch({ type: 'conversations', page, first: false })
    } catch (error) {
      this.store.dispatch({ type: 'conversationsFailed', first: false })
      this.failed(error)
    }
  }

  /** Pages from a cursor on, as one: until the days of their conversations are enough, or there are no more. */
  async #load(cursor: string | undefined, isEnough: (days: readonly string[]) => boolean): Promise<ConversationsBody> {
    let page = await this.rest.conversations(cursor)
    for (let pages = 1; pages < PAGES_MAX && page.nextCursor !== null && !isEnough(daysOf(page)); pages += 1) {
      const next = await this.rest.conversations(page.nextCursor)
      page = { ...page, conversations: [...page.conversations, ...next.conversations], nextCursor: next.nextCursor }
    }
    return page
  }
}

const daysOf = ({ conversations }: ConversationsBody): string[] => conversations.map(({ lastTimestamp }) => dayOf(lastTimestamp))

/** Of no days, a later one than any: more has to be loaded. */
const oldest = (days: readonly string[]): string => [...days].sort()[0] ?? '9999-12-31'
