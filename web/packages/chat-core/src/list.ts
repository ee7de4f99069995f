import type { Announcements } from './announcements'
import { ROOMS_PAGE_MAX } from './limits'
import type { Rest } from './rest'
import { dayOf, listedConversations, type Room } from './state'
import type { Store } from './store'
import type { ConversationsBody } from './wire'

/** So many conversations of one day are loaded whole, even when they begin at the end of a page. */
const OF_ONE_DAY = 300
/** One page more shows that the day has ended. */
const PAGES_MAX = Math.ceil((ROOMS_PAGE_MAX - 1 + OF_ONE_DAY) / ROOMS_PAGE_MAX) + 1
/** A first screenful: with fewer, another page is worth waiting for. */
const SHOWN_MIN = 50
/** So many answers to proposals are looked up at a time: as many conversations as a screen shows. */
const ANSWERS_MAX = 10

/**
 * Loads the list of conversations. The server sorts by day, and within a day by nothing that means anything: only when all of a day is
 * loaded is it known which of its conversations are the newest. So pages are loaded until what is shown is whole.
 */
export class ListSync {
  /** The day of the newest message when the list was loaded last: what was active since then is of no earlier day. */
  #loadedOn: string | null = null
  /** The timestamps of answers that were looked up. */
  readonly #asked = new Set<string>()

  constructor(
    private readonly store: Store,
    private readonly rest: Pick<Rest, 'conversations' | 'history'>,
    private readonly announcements: Announcements,
    /** Hears of each request that failed. */
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Loads the newest part of the list; returns the addresses of all conversations when it is as short as that. */
  async refresh(): Promise<ReadonlySet<string> | null> {
    const askedAt = Date.now()
    try {
      const before = this.#loadedOn
      const page = await this.#load(undefined, (days) => {
        const last = oldest(days)
        return before === null ? days.filter((day) => day > last).length >= SHOWN_MIN : last < before
      })
      this.#loadedOn = daysOf(page).sort().at(-1) ?? before
      this.store.dispatch({ type: 'conversations', page, first: true, askedAt })
      for (const { peerEmail, lastSeq } of page.conversations) this.announcements.beginAt(peerEmail, lastSeq)
      void this.#lookUpAnswers()
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
    const askedAt = Date.now()
    try {
      const page = await this.#load(nextCursor, (days) => partialDay === null || oldest(days) < partialDay)
      this.store.dispatch({ type: 'conversations', page, first: false, askedAt })
      void this.#lookUpAnswers()
    } catch (error) {
      this.store.dispatch({ type: 'conversationsFailed', first: false })
      this.failed(error)
    }
  }

  /** The list tells that a proposal was answered, and not how. Of what is loaded it is known anyway. */
  async #lookUpAnswers(): Promise<void> {
    const isUnknown = ({ last, anchor }: Room) =>
      anchor === null && last?.kind === 'matchProposalAnswer' && last.verdict === undefined && !this.#asked.has(last.timestamp)
    const rooms = listedConversations(this.store.state).filter(isUnknown)
    for (const { peer, last } of rooms.slice(0, ANSWERS_MAX)) {
      if (this.store.closed || last === null) return
      this.#asked.add(last.timestamp)
      const page = await this.rest.history(peer, { limit: '1' }).catch(() => null)
      const [answer] = page?.messages ?? []
      if (answer === undefined) this.#asked.delete(last.timestamp)
      else this.store.dispatch({ type: 'answer', peer, message: answer })
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
