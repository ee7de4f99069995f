import type { Locator } from '@playwright/test'
import { Conversation, conversation, expect, JUNHO, MINJI, online, type Page, test, writeMany } from './support/chat'
import { picture } from './support/images'

const VIEWPORTS = [
  { width: 320, height: 640 },
  { width: 390, height: 844 },
  { width: 834, height: 1112 },
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
]

async function box(where: Locator): Promise<{ left: number; right: number; top: number; bottom: number }> {
  const { left, right, top, bottom } = await where.evaluate((element) => element.getBoundingClientRect().toJSON() as DOMRect)
  return { left: Math.round(left), right: Math.round(right), top: Math.round(top), bottom: Math.round(bottom) }
}

for (const [language, name] of [
  ['ko', '두리'],
  ['en', 'Duri'],
] as const) {
  test.describe(() => {
    test.use({ serviceWorkers: 'allow' })

    test(`the page can be installed, and is called ${name}`, async ({ browser, server }) => {
      const page = await (await browser.newContext({ serviceWorkers: 'allow' })).newPage()
      await page.goto(`${server.url}/${language}/chat/`)
      await expect(page).toHaveTitle(new RegExp(` · ${name}$`))
      const found = page.locator('link[rel="manifest"]')
      const href = new URL((await found.getAttribute('href')) ?? '', page.url()).href
      const manifest = await (await page.request.get(href)).json()
      expect([manifest.name, manifest.lang, manifest.display]).toEqual([name, language, 'standalone'])
      expect((await page.request.get(new URL(manifest.start_url, href).href)).status()).toBe(200)
      const touch = (await page.locator('link[rel="apple-touch-icon"]').getAttribute('href')) ?? ''
      const icons: { src: string; sizes: string }[] = [...manifest.icons, { src: touch, sizes: '180x180' }]
      for (const { src, sizes } of icons) {
        const size = await page.evaluate(async (src) => {
          const image = new Image()
          image.src = src
          await image.decode()
          return `${image.naturalWidth}x${image.naturalHeight}`
        }, src)
        expect([size, 'any']).toContain(sizes)
      }
      // What the browser itself has against it.
      const devtools = await page.context().newCDPSession(page)
      const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors')
      expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito')).toEqual([])
    })
  })
}

test('messages and the field share their edges, however wide the page is', async ({ browser, open }) => {
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await junho.send('안녕하세요')
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await minji.send('네, 반갑습니다')
  for (const viewport of VIEWPORTS) {
    await minji.page.setViewportSize(viewport)
    const field = await box(minji.page.locator('textarea').locator('xpath=../..'))
    const theirs = await box(minji.text('안녕하세요').locator('[data-bubble]'))
    const mine = await box(minji.text('네, 반갑습니다').locator('[data-bubble]'))
    expect([theirs.left, mine.right], `${viewport.width} px`).toEqual([field.left, field.right])
  }
})

test('what is said of a request begins where the field and the messages do', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const { page } = minji
  await minji.send('안녕하세요')
  await expect(minji.status('안녕하세요')).toHaveAttribute('data-status', 'sent')
  await page.getByRole('button', { name: '대화 메뉴' }).click()
  await page.getByRole('menuitem', { name: '차단' }).click()
  const bar = page.locator('[data-consent="blocked"]')
  await expect(bar).toBeVisible()
  for (const viewport of VIEWPORTS.slice(3)) {
    await page.setViewportSize(viewport)
    const words = await box(bar.getByRole('heading'))
    const mine = await box(minji.text('안녕하세요').locator('[data-bubble]'))
    const room = await box(page.locator('.column').last())
    expect([words.left - room.left, room.right - mine.right], `${viewport.width} px`).toEqual([24, 24])
  }
})

test('how much is unread elsewhere stands beside the way back, and covers neither it nor the name', async ({ browser, open }) => {
  const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
  const page = await open(phone, MINJI, '/ko/chat/?with=club%40example.com')
  await online(page)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await junho.send('하나')
  const count = await box(page.locator('header .badge'))
  const arrow = await box(page.locator('header svg path').first())
  const avatar = await box(page.locator('header button + *').first())
  expect([arrow.right <= count.left, count.right <= avatar.left]).toEqual([true, true])
})

test('what is said of the connection moves nothing, and covers nothing that is used', async ({ browser, open }) => {
  const context = await browser.newContext()
  const minji = await conversation(open, context, MINJI, JUNHO)
  const { page } = minji
  await minji.send('안녕하세요')
  await expect(minji.status('안녕하세요')).toHaveAttribute('data-status', 'sent')
  for (const viewport of VIEWPORTS) {
    await page.setViewportSize(viewport)
    const places = [page.locator('textarea'), page.getByRole('heading', { name: 'junho' }), minji.text('안녕하세요')]
    const before = await Promise.all(places.map(box))
    await context.setOffline(true)
    const said = page.getByRole('status').filter({ hasText: '오프라인입니다' })
    await expect(said).toBeVisible()
    expect(await Promise.all(places.map(box)), `${viewport.width} px`).toEqual(before)
    // A press in the middle of each of them reaches it.
    for (const place of [
      page.locator('textarea'),
      page.getByRole('button', { name: '사진 첨부' }),
      ...(await page.locator('header button:visible').all()),
    ])
      await place.click({ trial: true })
    await context.setOffline(false)
    await online(page)
    await expect(said).toHaveCount(0)
  }
})

test('what is new in the open conversation is told by it alone', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await writeMany(minji.page, MINJI, JUNHO, 60)
  await expect(minji.text('message 60')).toBeVisible()
  await minji.scroller.hover()
  await minji.page.mouse.wheel(0, -900)
  const latest = minji.page.getByRole('button', { name: '최근 메시지로' })
  await expect(latest).toBeVisible()
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await junho.send('새 소식')
  await expect(minji.page.getByRole('button', { name: /^새 메시지/ })).toBeVisible()
  await expect(minji.page.getByTestId('unread')).toHaveCount(0)
  await expect(minji.page.getByTestId('total-unread')).toHaveText('1')
})

/** How far what was shown has moved by itself since the page began, as browsers count it. */
const shifted = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[])
            if (!entry.hadRecentInput) sum += entry.value
        }).observe({ type: 'layout-shift', buffered: true })
        // What is buffered is told in a task of its own.
        setTimeout(() => requestAnimationFrame(() => resolve(sum)), 0)
      }),
  )
const SHIFT_MAX = 0.02

for (const viewport of [
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
]) {
  test(`nothing moves by itself while the page loads, and while messages come: ${viewport.width} px`, async ({ browser, open }) => {
    const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
    // More than a screen, and read: the page opens at their end.
    await writeMany(junho.page, JUNHO, MINJI, 40)
    const reader = await conversation(open, await browser.newContext(), MINJI, JUNHO)
    await reader.scroller.press('End')
    await expect(reader.text('message 40')).toBeVisible()
    await expect(junho.status('message 39')).toHaveAttribute('data-status', 'read')
    await reader.page.close()
    const buffer = await picture(junho.page, 400, 300)
    const files = [0, 1, 2].map((index) => ({ name: `${index}.jpg`, mimeType: 'image/jpeg', buffer }))
    await junho.page.getByTestId('picker').setInputFiles(files)
    await expect(junho.page.getByTestId('preview')).toHaveCount(3)
    await junho.page.getByRole('dialog').getByRole('button', { name: '보내기' }).click()
    await expect(junho.page.locator('[data-image="ready"]')).toHaveCount(3)
    await expect(junho.page.locator('[data-status="sending"]')).toHaveCount(0)

    const context = await browser.newContext({ viewport })
    const list = await open(context, MINJI, '/ko/chat/')
    await expect(list.locator(`button[data-peer="${JUNHO}"]`)).toBeVisible()
    expect(await shifted(list), 'the list').toBeLessThanOrEqual(SHIFT_MAX)

    const minji = new Conversation(await open(context, MINJI, `/ko/chat/?with=${JUNHO}`))
    await expect(minji.page.locator('[data-image="ready"] img')).toHaveCount(3)
    await junho.send('하나 더')
    await expect(minji.text('하나 더')).toBeVisible()
    await context.setOffline(true)
    await expect(minji.page.getByRole('status').filter({ hasText: '오프라인입니다' })).toBeVisible()
    expect(await shifted(minji.page), 'a conversation').toBeLessThanOrEqual(SHIFT_MAX)
  })

  test(`nothing moves by itself while messages come to a list that does not fill the screen: ${viewport.width} px`, async ({
    browser,
    open,
  }) => {
    const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
    await writeMany(junho.page, JUNHO, MINJI, 4)
    const minji = await conversation(open, await browser.newContext({ viewport }), MINJI, JUNHO)
    await expect(minji.text('message 4')).toBeVisible()
    for (const text of ['하나', '둘', '셋']) {
      await junho.send(text)
      await expect(minji.text(text)).toBeInViewport()
    }
    // The list ends above the field, however few messages there are.
    const end = async () => (await minji.text('셋').boundingBox()) ?? { y: 0, height: 0 }
    const list = (await minji.scroller.boundingBox()) ?? { y: 0, height: 0 }
    await expect.poll(async () => Math.round((await end()).y + (await end()).height)).toBe(Math.round(list.y + list.height))
    expect(await shifted(minji.page)).toBeLessThanOrEqual(SHIFT_MAX)
  })
}
