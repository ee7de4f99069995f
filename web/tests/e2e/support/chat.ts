import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type BrowserContext, test as base, expect, type Locator, type Page } from '@playwright/test'

export { expect, type Page }

export const MINJI = 'minji@example.com'
export const JUNHO = 'junho@example.com'

const WEB = fileURLToPath(new URL('../../../out', import.meta.url))
const BINARY = process.env.CHAT_LOCAL ?? fileURLToPath(new URL('../../../../target/debug/chat-local', import.meta.url))

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A chat-local of one test's own. */
export class ChatServer {
  private child: ChildProcess | null = null
  /** Where it listens: `http://127.0.0.1:PORT`. */
  url = ''

  constructor(private readonly flags: readonly string[]) {}

  /** Starts it, a second time at the same address. */
  async start(): Promise<void> {
    const listen = this.url === '' ? '127.0.0.1:0' : new URL(this.url).host
    // The people of most tests know each other: a request takes no photos, and tells of neither typing nor reading.
    const open = this.flags.includes('--first-contact') ? [] : ['--first-contact', 'open']
    const web = this.flags.includes('--web') ? [] : ['--web', WEB]
    const child = spawn(BINARY, ['--listen', listen, ...web, ...open, ...this.flags], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    running.add(child)
    this.child = child
    this.url = await new Promise<string>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`chat-local ended with ${code}`)))
      child.stdout?.on('data', (data) => {
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(String(data))
        if (found !== null) resolve(found[0])
      })
    })
  }

  async stop(): Promise<void> {
    const child = this.child
    this.child = null
    if (child === null || child.exitCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
    running.delete(child)
  }
}

/** What a browser says about a server that is away on purpose. */
const NETWORK = /Failed to load resource|WebSocket connection to|net::ERR_|failed to load chunk/i

/** Opens a page of somebody, in a context; everything it complains of fails the test. */
export type Open = (context: BrowserContext, user: string, path?: string) => Promise<Page>

interface Fixtures {
  flags: string[]
  server: ChatServer
  open: Open
}

export const test = base.extend<Fixtures>({
  flags: [[], { option: true }],
  server: async ({ flags }, use) => {
    const server = new ChatServer(flags)
    await server.start()
    await use(server)
    await server.stop()
  },
  open: async ({ browser, server }, use) => {
    const complaints: string[] = []
    const contexts = new Set<BrowserContext>()
    await use(async (context, user, path = '/ko/chat/') => {
      contexts.add(context)
      const page = await context.newPage()
      watch(page, complaints)
      const url = new URL(path, server.url)
      url.searchParams.set('as', user)
      await page.goto(url.href)
      return page
    })
    // What is still asked for then ends with the server, which is no fault of the next test's. A page that stayed open would go on
    // connecting for as long as the browser lives, beside all later tests.
    for (const context of contexts) await context.unrouteAll({ behavior: 'ignoreErrors' })
    for (const context of browser.contexts()) await context.close()
    expect(complaints).toEqual([])
  },
})

export function watch(page: Page, complaints: string[]): void {
  const complain = (text: string) => {
    if (!NETWORK.test(text)) complaints.push(text)
  }
  page.on('pageerror', (error) => complain(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complain(message.text())
  })
}

/** The window with somebody, at hand for tests in Korean. */
interface Between {
  /** A frame of the page's. `answer` sends one back to it. */
  sent?(frame: Frame, answer: (frame: object) => void): boolean
  /** A frame of the server's. */
  received?(frame: Frame): boolean
}

// biome-ignore lint/suspicious/noExplicitAny: what a test looks at is there, or it fails
type Frame = Record<string, any>

/** Stands between a page and its server: of the frames only those pass for which `true` is returned. */
export async function between(where: BrowserContext | Page, { sent, received }: Between): Promise<void> {
  await where.routeWebSocket(/./, (socket) => {
    const server = socket.connectToServer()
    const answer = (frame: object) => socket.send(JSON.stringify(frame))
    if (sent !== undefined) socket.onMessage((data) => void (sent(JSON.parse(String(data)), answer) && server.send(data)))
    if (received !== undefined) server.onMessage((data) => void (received(JSON.parse(String(data))) && socket.send(data)))
  })
}

/** How the server refuses a message for good. */
export const refusal = (code: string, clientMessageId: string) => ({
  type: 'error',
  code,
  message: '',
  retryable: false,
  requestId: '',
  clientMessageId,
})

export class Conversation {
  readonly field: Locator
  readonly rows: Locator
  readonly scroller: Locator

  constructor(readonly page: Page) {
    this.field = page.locator('textarea')
    this.scroller = page.getByRole('region', { name: '메시지', exact: true })
    this.rows = this.scroller.locator('li[data-index]')
  }

  async open(peer: string): Promise<this> {
    await this.page.locator(`button[data-peer="${peer}"]`).click()
    await expect(this.field).toBeVisible()
    return this
  }

  async send(text: string): Promise<void> {
    await this.field.fill(text)
    await this.field.press('Enter')
  }

  text(text: string): Locator {
    return this.rows.filter({ hasText: text })
  }

  /** What the messages on screen say, in order. */
  async texts(): Promise<string[]> {
    return this.scroller.locator('li[data-index] .message-text').allInnerTexts()
  }

  /** All that was sent is kept as messages: until then it is kept as a draft. */
  async kept(): Promise<void> {
    const drafts = () => this.page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes('draft')))
    await expect.poll(drafts).toEqual([])
  }

  /** How the newest message of one's own is: sending, sent, read, failed. */
  status(text: string): Locator {
    return this.text(text).locator('[data-status]')
  }
}

/** Opens somebody's page at a conversation. */
export async function conversation(open: Open, context: BrowserContext, user: string, peer: string): Promise<Conversation> {
  const page = await open(context, user, `/ko/chat/?with=${encodeURIComponent(peer)}`)
  const found = new Conversation(page)
  await expect(found.field).toBeVisible()
  await online(page)
  return found
}

/** The page is connected and has nothing to say about it. */
export async function online(page: Page): Promise<void> {
  await expect(page.locator('html[data-connection="online"]')).toBeAttached()
}

/** The page has all of its code, and does without a network from now on. */
export async function prepared(page: Page): Promise<void> {
  await expect(page.locator('html[data-prepared]')).toBeAttached()
}

/** Pages that always have something else to do, and so fetch nothing before it is asked for. */
export async function neverIdle(where: BrowserContext): Promise<void> {
  await where.addInitScript(() => {
    window.requestIdleCallback = () => 0
  })
}

/** Writes many messages: odd ones by `user`, even ones by `peer`, `atOnce` on their way. Returns when all are stored. */
export async function writeMany(
  page: Page,
  user: string,
  peer: string,
  count: number,
  text = 'message',
  atOnce = 1,
): Promise<void> {
  await page.evaluate(
    async ([user, peer, count, text, atOnce]) => {
      const { wsUrl, auth } = await (await fetch('/config.json')).json()
      const connect = async (email: string): Promise<WebSocket> => {
        const { accessToken } = await (await fetch(auth.loginUrl, { method: 'POST', body: JSON.stringify({ email }) })).json()
        const socket = new WebSocket(wsUrl, ['chat.v1', accessToken])
        await new Promise((resolve) => socket.addEventListener('open', resolve))
        return socket
      }
      const sockets = [await connect(user), await connect(peer)] as const
      await new Promise<void>((resolve, reject) => {
        let next = 0
        let stored = 0
        const send = () => {
          if (next === count) return
          const own = next % 2 === 0
          next += 1
          const [socket, receiverEmail] = own ? [sockets[0], peer] : [sockets[1], user]
          socket.send(
            JSON.stringify({
              action: 'sendMessage',
              receiverEmail,
              message: `${text} ${next}`,
              clientMessageId: crypto.randomUUID(),
            }),
          )
        }
        for (const socket of sockets) {
          socket.addEventListener('close', () => reject(new Error('the server closed the connection')))
          socket.addEventListener('message', ({ data }) => {
            const frame = JSON.parse(data)
            if (frame.type === 'sent') {
              stored += 1
              if (stored === count) {
                for (const one of sockets) one.close()
                resolve()
              }
              send()
            }
            if (frame.type === 'error') reject(new Error(data))
          })
        }
        for (let index = 0; index < atOnce; index += 1) send()
      })
    },
    [user, peer, count, text, atOnce] as const,
  )
}

/** Proposes a match to Junho's team, on the page of teams. */
export async function propose(page: Page, place: string): Promise<void> {
  await page.getByRole('button', { name: '경기 제안하기' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByLabel('우리 팀')).toHaveValue('한강 FC')
  await dialog.getByLabel('장소').fill(place)
  await dialog.getByRole('button', { name: '제안 보내기' }).click()
  await expect(page).toHaveURL(/\/ko\/chat\/\?with=junho%40example\.com/)
}
