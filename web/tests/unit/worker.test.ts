import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const SOURCE = readFileSync(fileURLToPath(new URL('../../scripts/worker.js', import.meta.url)), 'utf8')
const ORIGIN = 'https://chat.example'
const FILES = { '/ko/chat/': 'sha256-page', '/_next/static/chunks/a.js': 'sha256-a' }

/** The caches of one browser. */
class Caches {
  readonly stored = new Map<string, Map<string, Response>>()

  async open(name: string) {
    const found = this.stored.get(name) ?? new Map<string, Response>()
    this.stored.set(name, found)
    return {
      match: async (path: string) => found.get(path)?.clone(),
      put: async (path: string, response: Response) => void found.set(path, response),
    }
  }
  async match(path: string) {
    return [...this.stored.values()]
      .find((one) => one.has(path))
      ?.get(path)
      ?.clone()
  }
  keys = async () => [...this.stored.keys()]
  delete = async (name: string) => this.stored.delete(name)
}

let caches: Caches
/** What the network answers; `null` is no network. */
let network: ((path: string) => Promise<Response> | Response) | null
let asked: string[]

beforeEach(() => {
  caches = new Caches()
  asked = []
  network = (path) => new Response(`${path} of the network`)
})
afterEach(() => vi.useRealTimers())

/** A worker of one build, driven by the test. */
function worker(version: string) {
  const listeners = new Map<string, (event: object) => void>()
  const fetcher = async (input: string | { url: string }) => {
    const path = new URL(typeof input === 'string' ? input : input.url, ORIGIN).pathname
    asked.push(path)
    if (network === null) throw new TypeError('no network')
    return network(path)
  }
  const listen = (name: string, listener: (event: object) => void) => listeners.set(name, listener)
  const RequestOfIt = class {
    readonly url: string
    constructor(path: string) {
      this.url = new URL(path, ORIGIN).href
    }
  }
  const run = new Function('VERSION', 'FILES', 'caches', 'fetch', 'location', 'addEventListener', 'Request', 'clients', SOURCE)
  const claimed = vi.fn()
  run(version, FILES, caches, fetcher, { origin: ORIGIN }, listen, RequestOfIt, { claim: claimed })
  const wait = async (name: string) => {
    let work: Promise<void> | undefined
    listeners.get(name)?.({ waitUntil: (promise: Promise<void>) => (work = promise) })
    await work
  }
  return {
    /** Takes over the pages that are open. */
    claimed,
    install: () => wait('install'),
    activate: () => wait('activate'),
    /** The text of its answer; nothing when the browser asks the network itself. */
    async answer(path: string, mode = 'cors', method = 'GET'): Promise<string | undefined> {
      let answer: Promise<Response> | undefined
      const request = { url: new URL(path, ORIGIN).href, mode, method }
      listeners.get('fetch')?.({ request, respondWith: (response: Promise<Response>) => (answer = response) })
      return answer && (await answer).text()
    },
  }
}

describe('the service worker', () => {
  test('has what the page needs where there is no network', async () => {
    const one = worker('1')
    await one.install()
    network = null
    for (const path of ['/ko/chat/', '/ko/chat/?with=junho%40example.com', '/ko/chat'])
      expect(await one.answer(path, 'navigate')).toBe('/ko/chat/ of the network')
    expect(await one.answer('/_next/static/chunks/a.js')).toBe('/_next/static/chunks/a.js of the network')
    expect(await one.answer('/config.json')).toBe('/config.json of the network')
    await expect(one.answer('/elsewhere/', 'navigate')).rejects.toThrow('no network')
  })

  test('shows the page of the network where there is one, with its own code', async () => {
    const one = worker('1')
    await one.install()
    network = (path) => new Response(`${path} of a later build`)
    expect(await one.answer('/ko/chat/', 'navigate')).toBe('/ko/chat/ of a later build')
    expect(await one.answer('/_next/static/chunks/b.js')).toBe('/_next/static/chunks/b.js of a later build')
    expect(await one.answer('/config.json')).toBe('/config.json of a later build')
  })

  test('shows the page that is here when the network is not well', async () => {
    const one = worker('1')
    await one.install()
    network = () => new Response('bad gateway', { status: 502 })
    expect(await one.answer('/ko/chat/', 'navigate')).toBe('/ko/chat/ of the network')
    vi.useFakeTimers()
    network = () => new Promise(() => {})
    const answer = one.answer('/ko/chat/', 'navigate')
    await vi.advanceTimersByTimeAsync(4_000)
    expect(await answer).toBe('/ko/chat/ of the network')
  })

  test('takes all of a build or nothing', async () => {
    network = (path) => new Response('', { status: path.endsWith('.js') ? 404 : 200 })
    await expect(worker('1').install()).rejects.toThrow('/_next/static/chunks/a.js: HTTP 404')
  })

  test('of a later build fetches what is new, and forgets the earlier one when it takes over', async () => {
    await worker('1').install()
    asked = []
    const two = worker('2')
    await two.install()
    // Its name says that it is the same.
    expect(asked).not.toContain('/_next/static/chunks/a.js')
    expect(asked).toContain('/ko/chat/')
    expect(await caches.keys()).toContain('chat-page-1')
    expect(two.claimed).not.toHaveBeenCalled()
    await two.activate()
    expect(two.claimed).toHaveBeenCalledOnce()
    expect((await caches.keys()).sort()).toEqual(['chat-config', 'chat-page-2'])
  })

  test('keeps out of everything else', async () => {
    const one = worker('1')
    await one.install()
    for (const path of ['/chat/conversations', '/chat/attachments/key', 'https://elsewhere.example/ko/chat/'])
      expect(await one.answer(path)).toBeUndefined()
    expect(await one.answer('/ko/chat/', 'cors', 'POST')).toBeUndefined()
  })
})
