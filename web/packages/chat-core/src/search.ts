import { ChatError } from './rest'
import type { ErrorCode, MessageBody, SearchBody } from './wire'

/** How far a search has come. */
export interface SearchState {
  /** What is looked for; empty when nothing is. */
  readonly words: string
  /** What was found so far, the newest first. */
  readonly hits: readonly MessageBody[]
  /** The timestamp back to which all was looked through; `null` at first. */
  readonly searchedTo: string | null
  /** `more`: older messages were not looked through yet. */
  readonly status: 'idle' | 'searching' | 'more' | 'done' | 'failed'
  /** Why it failed. */
  readonly code: ErrorCode | null
}

type Ask = (words: string, before: string | undefined, signal: AbortSignal) => Promise<SearchBody>

const NOTHING: SearchState = { words: '', hits: [], searchedTo: null, status: 'idle', code: null }

/** Whoever types has not said yet what they look for. */
const TYPED_MS = 250
/** As many hits as a screen or two show: whoever wants more asks. */
const ENOUGH = 20
/** One request looks through up to 1,000 messages; with so many without a word nobody should wait longer before they are asked. */
const REQUESTS_MAX = 5

/** Looks through a conversation, from its newest message back, a part at a time. */
export class Search {
  state = NOTHING
  #timer: ReturnType<typeof setTimeout> | undefined
  #asking = new AbortController()

  constructor(
    private readonly ask: Ask,
    /** Hears of each change of the state. */
    private readonly changed: () => void,
  ) {}

  /** Looks for other words, once they have been typed. What was looked for before is given up. */
  find(typed: string): void {
    const words = typed.trim()
    if (words === this.state.words) return
    this.close()
    this.#set(words === '' ? NOTHING : { ...NOTHING, words, status: 'searching' })
    if (words !== '') this.#timer = setTimeout(() => void this.#run(), TYPED_MS)
  }

  /** Looks further back, or once more after a failure. */
  further(): void {
    if (this.state.status !== 'more' && this.state.status !== 'failed') return
    this.#set({ ...this.state, status: 'searching', code: null })
    void this.#run()
  }

  /** Gives up what is under way. */
  close(): void {
    clearTimeout(this.#timer)
    this.#asking.abort()
    this.#asking = new AbortController()
  }

  async #run(): Promise<void> {
    const { signal } = this.#asking
    const enough = this.state.hits.length + ENOUGH
    for (let requests = 1; ; requests += 1) {
      const { words, searchedTo, hits } = this.state
      try {
        const found = await this.ask(words, searchedTo ?? undefined, signal)
        if (signal.aborted) return
        const all = [...hits, ...found.hits]
        // A server that comes no further would be asked for ever.
        const isOver = !found.more || found.searchedTo === searchedTo
        const isEnough = all.length >= enough || requests === REQUESTS_MAX
        const status = isOver ? 'done' : isEnough ? 'more' : 'searching'
        this.#set({ ...this.state, hits: all, searchedTo: found.searchedTo, status })
        if (status !== 'searching') return
      } catch (error) {
        if (signal.aborted) return
        this.#set({ ...this.state, status: 'failed', code: error instanceof ChatError ? error.code : 'unavailable' })
        return
      }
    }
  }

  #set(state: SearchState): void {
    this.state = state
    this.changed()
  }
}

/** A text as it is compared, and of which part of it each unit is. */
interface Folded {
  readonly text: string
  readonly begins: readonly number[]
  readonly ends: readonly number[]
}

/** The letters that are compared: taken apart into what they are made of, without white space, in one case. chat-domain's `SearchQuery` does the same. */
function folded(text: string): Folded {
  const begins: number[] = []
  const ends: number[] = []
  let all = ''
  let at = 0
  for (const character of text) {
    const end = at + character.length
    // Some letters have two forms in lower case, and one in upper case.
    const parts = character.normalize('NFKD').replace(/\s/gu, '').toUpperCase().toLowerCase()
    all += parts
    for (let unit = 0; unit < parts.length; unit += 1) {
      begins.push(at)
      ends.push(end)
    }
    at = end
  }
  return { text: all, begins, ends }
}

/** What goes on with a letter: marks, and the vowels and finals of syllables that were taken apart. */
const GOES_ON = /[\p{M}\u1160-\u11FF]/u

/** Where some words are in a text, as the server finds them: from, to. They do not overlap. */
export function placesOf(text: string, words: string): [number, number][] {
  const wanted = folded(words).text
  const places: [number, number][] = []
  if (wanted === '') return places
  const { text: all, begins, ends } = folded(text)
  for (let from = all.indexOf(wanted); from >= 0; from = all.indexOf(wanted, from)) {
    const last = from + wanted.length - 1
    let end = ends[last] as number
    // The whole of a letter or a syllable of which only the beginning was asked for.
    while (end < text.length && GOES_ON.test(text[end] as string)) end += 1
    places.push([begins[from] as number, end])
    from = last + 1
    while (from < all.length && (begins[from] as number) < end) from += 1
  }
  return places
}
