// Measures the page in Chromium: measure.mjs URL. The URL is that of a chat-local that allows any rate. docs/performance.md has the
// results.
import { existsSync } from 'node:fs'
import { chromium } from '@playwright/test'

const url = process.argv[2] ?? 'http://127.0.0.1:8080'
// People who have never written to each other: a conversation that was used before opens where reading stopped.
const run = Date.now().toString(36)
const [MINJI, JUNHO, LEFT, RIGHT, LISTED] = ['minji', 'junho', 'left', 'right', 'listed'].map(
  (name) => `${name}-${run}@example.com`,
)
const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium'].find((path) => path && existsSync(path))
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })

async function open(user, path) {
  const page = await (await browser.newContext({ locale: 'ko-KR', viewport: { width: 1180, height: 760 } })).newPage()
  await page.goto(`${url}${path}${path.includes('?') ? '&' : '?'}as=${encodeURIComponent(user)}`)
  await page.locator('html[data-connection="online"]').waitFor({ state: 'attached' })
  return page
}

/** Writes `count` messages to each other, or all from `user`; `everyMs` apart, or as fast as 64 at once go. */
function write(page, user, peer, { count, everyMs = 0, both = true }) {
  return page.evaluate(
    async ([user, peer, count, everyMs, both]) => {
      const { wsUrl, auth } = await (await fetch('/config.json')).json()
      const connect = async (email) => {
        const { accessToken } = await (await fetch(auth.loginUrl, { method: 'POST', body: JSON.stringify({ email }) })).json()
        const socket = new WebSocket(wsUrl, ['chat.v1', accessToken])
        await new Promise((resolve) => socket.addEventListener('open', resolve))
        return socket
      }
      const sockets = [await connect(user), await connect(peer)]
      await new Promise((resolve, reject) => {
        let next = 0
        let stored = 0
        const send = () => {
          if (next === count) return
          const [socket, to] = both && next % 2 === 1 ? [sockets[1], user] : [sockets[0], peer]
          next += 1
          socket.send(
            JSON.stringify({
              action: 'sendMessage',
              receiverEmail: to,
              message: `message ${next}`,
              clientMessageId: crypto.randomUUID(),
            }),
          )
        }
        const timer = everyMs > 0 ? setInterval(send, everyMs) : undefined
        for (const socket of sockets) {
          socket.addEventListener('message', ({ data }) => {
            const { type } = JSON.parse(data)
            if (type === 'error') reject(new Error(data))
            if (type !== 'sent') return
            stored += 1
            if (stored < count) return everyMs > 0 ? undefined : send()
            clearInterval(timer)
            for (const one of sockets) one.close()
            resolve()
          })
        }
        for (let index = 0; everyMs === 0 && index < 64; index += 1) send()
      })
    },
    [user, peer, count, everyMs, both],
  )
}

/** In the page: when something that matches is on the screen, by the wall clock. */
const painted = (page, selector, text) =>
  page.evaluate(
    ([selector, text]) =>
      new Promise((resolve) => {
        const look = () => {
          const found = [...document.querySelectorAll(selector)].some((element) => text === null || element.textContent === text)
          // The frame after the one that has it is painted when it begins.
          if (found) requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now()))
          else requestAnimationFrame(look)
        }
        look()
      }),
    [selector, text],
  )
const percentile = (values, share) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.ceil(values.length * share) - 1)]

// From Enter to the other one's screen.
const minji = await open(MINJI, `/ko/chat/?with=${JUNHO}`)
const junho = await open(JUNHO, `/ko/chat/?with=${MINJI}`)
for (const page of [minji, junho]) await page.locator('textarea').waitFor()
await minji.evaluate(() => {
  addEventListener(
    'keydown',
    (event) => {
      if (event.key === 'Enter') window.pressedAt = performance.timeOrigin + performance.now()
    },
    true,
  )
})
const delays = []
for (let index = 0; index < 110; index += 1) {
  const seen = painted(junho, '.message-text', `hello ${index}`)
  await minji.locator('textarea').fill(`hello ${index}`)
  await minji.locator('textarea').press('Enter')
  const at = await seen
  // The first messages are not counted, since they warm up the page.
  if (index >= 10) delays.push(at - (await minji.evaluate(() => window.pressedAt)))
}
console.log(
  `Enter to the other screen, 100 messages: p50 ${percentile(delays, 0.5).toFixed(0)} ms, p95 ${percentile(delays, 0.95).toFixed(0)} ms`,
)

// Opening a long conversation.
const left = await open(LEFT, '/ko/chat/')
await write(left, LEFT, RIGHT, { count: 10_000 })
const openings = []
for (let index = 0; index < 5; index += 1) {
  const page = await open(LEFT, '/ko/chat/')
  await page.locator(`button[data-peer="${RIGHT}"]`).waitFor()
  await page.waitForLoadState('networkidle')
  const seen = painted(page, 'li[data-index] .message-text', null)
  const from = await page.evaluate((peer) => {
    const now = performance.timeOrigin + performance.now()
    document.querySelector(`button[data-peer="${peer}"]`).click()
    return now
  }, RIGHT)
  openings.push((await seen) - from)
  await page.context().close()
}
console.log(`click to the first messages of 10,000, five times: ${openings.map((ms) => ms.toFixed(0)).join(', ')} ms`)

/** Notes from now on what holds up a page for more than 50 ms. */
const watchTasks = (page) =>
  page.evaluate(() => {
    window.longTasks = []
    new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
      entryTypes: ['longtask'],
    })
  })

// A photo, from picking it to seeing it on the other screen; whoever sends it presses Enter as soon as there is a preview.
const photo = await minji.evaluate(async () => {
  const canvas = new OffscreenCanvas(4_000, 3_000)
  const context = canvas.getContext('2d')
  // Noise over colours: some 5 MB, as a phone makes them.
  const noise = context.createImageData(4_000, 3_000)
  for (let at = 0, value = 1; at < noise.data.length; at += 4) {
    value = (value * 1_103_515_245 + 12_345) & 0x7fffffff
    const [x, y] = [(at / 4) % 4_000, at / 16_000]
    noise.data.set([x / 16 + (value & 31), y / 12 + ((value >> 8) & 31), 120 + ((value >> 16) & 31), 255], at)
  }
  context.putImageData(noise, 0, 0)
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.85 })).arrayBuffer())
  let binary = ''
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(binary)
})
const buffer = Buffer.from(photo, 'base64')
for (const page of [minji, junho]) await watchTasks(page)
// The file is chosen in the page: the driver of the browser would take its time to hand over megabytes.
await minji.evaluate((photo) => {
  const bytes = Uint8Array.from(atob(photo), (character) => character.charCodeAt(0))
  window.photo = new File([bytes], 'photo.jpg', { type: 'image/jpeg' })
}, photo)
const photos = []
for (let index = 0; index < 6; index += 1) {
  const seen = junho.evaluate(
    (count) =>
      new Promise((resolve) => {
        const look = async () => {
          const images = document.querySelectorAll('[data-image="ready"] img')
          const newest = [...images].at(-1)
          if (images.length <= count || newest === undefined) return requestAnimationFrame(look)
          await newest.decode()
          requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now()))
        }
        look()
      }),
    index,
  )
  const from = await minji.evaluate(() => {
    const files = new DataTransfer()
    files.items.add(window.photo)
    const picker = document.querySelector('[data-testid="picker"]')
    picker.files = files.files
    const look = () => {
      const form = document.querySelector('[data-testid="preview"]')?.closest('form')
      if (form == null) requestAnimationFrame(look)
      else form.requestSubmit()
    }
    look()
    const now = performance.timeOrigin + performance.now()
    picker.dispatchEvent(new Event('change', { bubbles: true }))
    return now
  })
  photos.push((await seen) - from)
}
const blocked = await Promise.all([minji, junho].map((page) => page.evaluate(() => Math.max(0, ...window.longTasks))))
console.log(
  `a photo of 4000 x 3000 (${(buffer.length / 1e6).toFixed(1)} MB) from picking to the other screen, six times: ${photos.map((ms) => ms.toFixed(0)).join(', ')} ms; longest task ${blocked.map((ms) => ms.toFixed(0)).join(' and ')} ms`,
)

// Busy: 50 messages a second for 10 s.
await watchTasks(junho)
await write(left, MINJI, JUNHO, { count: 500, everyMs: 20, both: false })
await junho
  .locator('.message-text')
  .filter({ hasText: /^message 500$/ })
  .waitFor()
const tasks = await junho.evaluate(() => window.longTasks)
console.log(`500 messages in 10 s: ${tasks.length} tasks above 50 ms, the longest ${Math.max(0, ...tasks).toFixed(0)} ms`)

// What a message costs a page that shows the list.
const listed = await open(LISTED, '/ko/chat/')
const session = await listed.context().newCDPSession(listed)
await session.send('Performance.enable')
const busyMs = async () =>
  1_000 * (await session.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration').value
await write(left, MINJI, LISTED, { count: 1, both: false })
await listed.waitForTimeout(1_000)
const busyBefore = await busyMs()
await write(left, MINJI, LISTED, { count: 1_000, everyMs: 10, both: false })
await listed.waitForTimeout(1_000)
console.log(`1,000 messages to a page that shows the list: ${((await busyMs()) - busyBefore).toFixed(0)} ms of its main thread`)

// A slow phone that has never been here, from the request to the first messages.
const MEGABIT = 1e6 / 8
const SLOW_NETWORK = { offline: false, latency: 150, downloadThroughput: 1.6 * MEGABIT, uploadThroughput: 0.75 * MEGABIT }
/** In the page: when what the first messages need was there. */
const wayOf = () => {
  const [html] = performance.getEntriesByType('navigation')
  const resources = performance.getEntriesByType('resource')
  const named = new Set([...document.querySelectorAll('script[defer]')].map(({ src }) => src))
  const end = (isOne) => Math.max(...resources.filter(({ name }) => isOne(name)).map(({ responseEnd }) => responseEnd))
  return {
    'the HTML': html.responseEnd,
    'the code': end((name) => named.has(name)),
    'the configuration': end((name) => name.endsWith('/config.json')),
    'the token': end((name) => name.endsWith('/dev/login')),
    'other code': end((name) => name.endsWith('.js') && name.includes('/chunks/') && !named.has(name)),
    'the history': end((name) => name.includes('/history?') && !name.includes('after=')),
  }
}
const visits = []
const ways = []
for (let index = 0; index < 5; index += 1) {
  const context = await browser.newContext({
    locale: 'ko-KR',
    viewport: { width: 390, height: 844 },
    isMobile: true,
    hasTouch: true,
  })
  const page = await context.newPage()
  const devtools = await context.newCDPSession(page)
  await devtools.send('Network.enable')
  await devtools.send('Network.emulateNetworkConditions', SLOW_NETWORK)
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: 4 })
  await page.goto(`${url}/ko/chat/?with=${RIGHT}&as=${encodeURIComponent(LEFT)}`, { waitUntil: 'commit' })
  const seen = await painted(page, 'li[data-index] .message-text', null)
  visits.push(seen - (await page.evaluate(() => performance.timeOrigin)))
  ways.push(await page.evaluate(wayOf))
  await context.close()
}
console.log(`a first visit on a slow phone to the first messages, five times: ${visits.map((ms) => ms.toFixed(0)).join(', ')} ms`)
const medians = Object.keys(ways[0]).map(
  (what) =>
    `${what} ${percentile(
      ways.map((way) => way[what]),
      0.5,
    ).toFixed(0)}`,
)
console.log(`of these, the median until each is there: ${medians.join(', ')} ms`)
await browser.close()
