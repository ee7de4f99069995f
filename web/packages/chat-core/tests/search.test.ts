import { ChatError, type MessageBody, type SearchBody } from 'chat-core'
import { placesOf, Search } from 'chat-core/search'
import { message } from 'chat-core/testing'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

describe('what is looked for is found', () => {
  const found = (text: string, words: string): string[] => placesOf(text, words).map(([from, to]) => text.slice(from, to))

  test.each([
    ['in any case', 'Meet at the PITCH', 'pitch', ['PITCH']],
    ['with or without white space in it', '한강 공원 에서', '한강공원', ['한강 공원']],
    ['where the words have more of it', '한강공원에서', '한강 공원', ['한강공원']],
    ['by the beginning of its last syllable', '축구공', '축ㄱ', ['축구']],
    ['without the final of its last syllable', '축하', '추', ['축']],
    ['more than once', '축구 축구', '축구', ['축구', '축구']],
    ['taken apart as a Mac has it', '축구'.normalize('NFD'), '축구', ['축구'.normalize('NFD')]],
    ['by words that are taken apart', '축구', '축구'.normalize('NFD'), ['축구']],
    ['without marks', 'Café', 'cafe', ['Café']],
    ['by the first letter of a syllable', '서울 한강', 'ㅎ', ['한']],
    ['with another form of a letter', 'ΟΔΟΣ, Straße', 'οδος', ['ΟΔΟΣ']],
    ['in letters of full width', 'ＡＢＣ', 'abc', ['ＡＢＣ']],
    ['beside emoji', '👍🏽 좋아요 👍🏽', '좋아', ['좋아']],
    ['not by another syllable', '아니', '안', []],
    ['not by nothing', 'text', '  ', []],
  ])('%s', (_, text, words, places) => {
    expect(found(text, words)).toEqual(places)
  })

  test('wherever the words were cut out of the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.nat(), fc.nat(), (text, a, b) => {
        const characters = [...text]
        const [from, to] = [a % characters.length, b % (characters.length + 1)].sort((one, other) => one - other)
        const words = characters.slice(from, to).join('')
        const places = placesOf(text, words)
        if (words.trim() !== '') expect(places.length).toBeGreaterThan(0)
        for (const [begins, ends] of places) expect(begins < ends && ends <= text.length).toBe(true)
        for (const [index, [begins]] of places.entries()) expect(begins).toBeGreaterThanOrEqual(places[index - 1]?.[1] ?? 0)
      }),
    )
  })
})

describe('a search', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  const hit = (seq: number): MessageBody => message(seq)
  const body = (hits: number[], to: number | null): SearchBody => ({
    hits: hits.map(hit),
    searchedTo: hit(to ?? 1).timestamp,
    more: to !== null,
  })

  function made(answer: (words: string, before: string | undefined) => SearchBody | Promise<SearchBody>) {
    const asked: [string, string | undefined, AbortSignal][] = []
    const search = new Search(
      async (words, before, signal) => {
        asked.push([words, before, signal])
        return answer(words, before)
      },
      () => {},
    )
    return { search, asked }
  }
  const later = () => vi.advanceTimersByTimeAsync(1_000)

  test('begins once the words are typed, and asks for none of those before', async () => {
    const { search, asked } = made(() => body([3], null))
    for (const words of ['축', '축ㄱ', '축구 ']) search.find(words)
    expect(search.state).toMatchObject({ words: '축구', status: 'searching', hits: [] })
    await later()
    expect(asked.map(([words]) => words)).toEqual(['축구'])
    expect(search.state).toMatchObject({ status: 'done', searchedTo: hit(1).timestamp, hits: [{ seq: 3 }] })
  })

  test('goes on by itself while it has found little, and no further than anybody waits', async () => {
    let to = 10_000
    const { search, asked } = made(() => {
      to -= 1_000
      return body([], to)
    })
    search.find('word')
    await later()
    expect(asked.map(([, before]) => before)).toEqual([undefined, ...[9_000, 8_000, 7_000, 6_000].map((seq) => hit(seq).timestamp)])
    expect(search.state).toMatchObject({ status: 'more', searchedTo: hit(5_000).timestamp, hits: [] })
    search.further()
    await later()
    expect(asked[5]?.[1]).toBe(hit(5_000).timestamp)
    expect(asked).toHaveLength(10)
    // Whoever does not ask for more is asked for nothing.
    await later()
    expect(asked).toHaveLength(10)
  })

  test('stops where there is enough to look at, and adds what is found further back', async () => {
    const many = Array.from({ length: 20 }, (_, index) => 90 - index)
    const { search, asked } = made((_, before) => (before === undefined ? body(many, 70) : body([5], null)))
    search.find('word')
    await later()
    expect(asked).toHaveLength(1)
    expect(search.state.status).toBe('more')
    search.further()
    await later()
    expect(search.state.hits.map(({ seq }) => seq)).toEqual([...many, 5])
    expect(search.state.status).toBe('done')
  })

  test('that failed says why, keeps what it has, and goes on where it was', async () => {
    let isLimited = true
    const { search, asked } = made((_, before) => {
      if (before === undefined) return body([9], 8)
      if (isLimited) throw new ChatError('rateLimited', true, '')
      return body([2], null)
    })
    search.find('word')
    await later()
    expect(search.state).toMatchObject({ status: 'failed', code: 'rateLimited', hits: [{ seq: 9 }] })
    isLimited = false
    search.further()
    await later()
    expect(asked.at(-1)?.[1]).toBe(hit(8).timestamp)
    expect(search.state).toMatchObject({ status: 'done', code: null, hits: [{ seq: 9 }, { seq: 2 }] })
  })

  test('for other words gives up the one before, whatever that answers later', async () => {
    const waiting: ((found: SearchBody) => void)[] = []
    const { search, asked } = made((words) => (words === 'old' ? new Promise((resolve) => waiting.push(resolve)) : body([2], null)))
    search.find('old')
    await later()
    search.find('new')
    expect(asked[0]?.[2].aborted).toBe(true)
    await later()
    waiting[0]?.(body([7], null))
    await later()
    expect(search.state).toMatchObject({ words: 'new', hits: [{ seq: 2 }] })
    search.find(' ')
    expect(search.state.status).toBe('idle')
  })

  test('ends where a server comes no further', async () => {
    const { search, asked } = made(() => body([], 50))
    search.find('word')
    await later()
    expect(asked).toHaveLength(2)
    expect(search.state.status).toBe('done')
  })
})
