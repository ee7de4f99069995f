import type { Locator } from '@playwright/test'
import { expectNoBarriers } from './support/axe'
import {
  between,
  Conversation,
  conversation,
  expect,
  JUNHO,
  MINJI,
  neverIdle,
  online,
  prepared,
  propose,
  test,
  watch,
  writeMany,
} from './support/chat'
import { picture } from './support/images'

test('an address without a language leads to the browser’s, and to the chosen one from then on', async ({ browser, server }) => {
  const context = await browser.newContext({ locale: 'en-GB' })
  const page = await context.newPage()
  await page.goto(`${server.url}/chat/?with=junho%40example.com`)
  await page.waitForURL(/\/en\/chat\/\?with=junho%40example\.com/)
  await page.getByRole('button', { name: 'Continue as minji' }).click()
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByText('한국어').click()
  await page.waitForURL(/\/ko\/chat\/\?with=junho%40example\.com/)
  await page.goto(`${server.url}/teams`)
  await page.waitForURL('**/ko/teams/')
  await page.goto(`${server.url}/en/`)
  await page.waitForURL('**/en/chat/')
})

test('a team page leads into a conversation with its captain', async ({ browser, open }) => {
  const page = await open(await browser.newContext(), MINJI, '/ko/teams/')
  await page.getByRole('link', { name: '주장에게 메시지' }).click()
  await expect(page).toHaveURL(/\/ko\/chat\/\?with=junho%40example\.com/)
  await expect(page.getByLabel('junho 님에게 보낼 메시지')).toBeVisible()
})

test('back and forward lead through conversations and pages, without loading the page anew', async ({ browser, open }) => {
  const context = await browser.newContext()
  const minji = await conversation(open, context, MINJI, JUNHO)
  const { page } = minji
  await minji.send('안녕하세요')
  await expect(minji.status('안녕하세요')).toHaveAttribute('data-status', 'sent')
  await page.goto(new URL('/ko/chat/', page.url()).href)
  await online(page)
  await page.evaluate(() => Object.assign(window, { kept: true }))
  const nothing = page.getByText('대화를 선택하세요')
  const teams = page.getByRole('heading', { name: '팀', exact: true })
  await minji.open(JUNHO)
  await page.locator('nav a[href="/ko/teams/"]').click()
  await expect(teams).toBeVisible()
  await page.goBack()
  await expect(minji.text('안녕하세요')).toBeVisible()
  await expect(page).toHaveURL(/\/ko\/chat\/\?with=junho%40example\.com$/)
  // Nothing has to be fetched between conversations.
  await context.setOffline(true)
  await page.goBack()
  await expect(nothing).toBeVisible()
  await page.goForward()
  await expect(minji.text('안녕하세요')).toBeVisible()
  await page.locator('nav a[href="/ko/chat/"]').click()
  await expect(nothing).toBeVisible()
  await page.goForward()
  await expect(minji.text('안녕하세요')).toBeVisible()
  await context.setOffline(false)
  await page.locator('nav a[href="/ko/teams/"]').click()
  await expect(teams).toBeVisible()
  await page.goBack()
  await page.goBack()
  await expect(nothing).toBeVisible()
  await page.goForward()
  await page.goForward()
  await expect(teams).toBeVisible()
  expect(await page.evaluate(() => 'kept' in window)).toBe(true)
  await expect(page).toHaveTitle('팀 · 두리')
})

test('whoever goes back and on again before a page has come is where they went, and so is what lies behind', async ({
  browser,
  open,
}) => {
  const page = await open(await browser.newContext(), MINJI)
  await online(page)
  await page.goto(new URL('/ko/chat/?with=junho%40example.com', page.url()).href)
  await online(page)
  await page.locator('nav a[href="/ko/teams/"]').click()
  const teams = page.getByRole('heading', { name: '팀', exact: true })
  await expect(teams).toBeVisible()
  const asked: (() => void)[] = []
  await page.route(/\/chat\.json/, async (route) => {
    // Not fetched before it is asked for.
    if (route.request().headers().purpose === 'prefetch') return route.abort()
    await new Promise<void>((resolve) => asked.push(resolve))
    await route.continue()
  })
  await page.reload()
  await online(page)
  await page.waitForLoadState('networkidle')
  await page.evaluate(() => history.back())
  await expect.poll(() => asked.length).toBe(1)
  await page.evaluate(() => history.forward())
  await expect(page).toHaveURL(/\/ko\/teams\/$/)
  const come = page.waitForResponse(/\/chat\.json/)
  for (const go of asked) go()
  await (await come).finished()
  await page.unroute(/\/chat\.json/)
  await page.evaluate(() => history.back())
  await expect(page.locator('textarea')).toBeVisible()
  await page.evaluate(() => history.forward())
  await expect(teams).toBeVisible()
  await expect(page).toHaveURL(/\/ko\/teams\/$/)
})

test('a page whose manifests come late is shown all the same', async ({ browser, server }) => {
  const page = await (await browser.newContext()).newPage()
  // Longer than Next.js waits for them.
  await page.route('**/_next/static/manifests/*.js', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 6_000))
    await route.continue()
  })
  await page.goto(`${server.url}/ko/chat/`)
  await expect(page.getByRole('button', { name: /minji/ })).toBeVisible()
})

for (const [what, files] of [
  ['a manifest', '**/_next/static/manifests/*.js'],
  ['code', '**/_next/static/chunks/turbopack-*.js'],
] as const) {
  test(`a page of which ${what} does not come says so, and can be asked for again`, async ({ browser, server }) => {
    const page = await (await browser.newContext()).newPage()
    await page.route(files, (route) => route.abort())
    await page.goto(`${server.url}/en/chat/?with=junho%40example.com`)
    await expect(page.getByRole('alert')).toContainText('could not be loaded')
    await expect(page.locator('[aria-busy]')).toBeHidden()
    await expectNoBarriers(page, 'a page that did not load')
    await page.unroute(files)
    await page.getByRole('button', { name: 'Try again' }).click()
    await expect(page.getByRole('button', { name: /minji/ })).toBeVisible()
    await expect(page).toHaveURL(/\?with=junho%40example\.com$/)
  })
}

test('teams can be visited offline, and a page that was not fetched is a dialog that says so', async ({ browser, open }) => {
  const context = await browser.newContext()
  const { page } = await conversation(open, context, MINJI, JUNHO)
  const teams = page.locator('nav a[href="/ko/teams/"]')
  const heading = page.getByRole('heading', { name: '팀', exact: true })
  await prepared(page)
  await context.setOffline(true)
  await teams.click()
  await expect(heading).toBeVisible()
  await page.goBack()
  await expect(page.locator('textarea')).toBeVisible()
  await teams.click()
  await page.getByRole('link', { name: '주장에게 메시지' }).click()
  await expect(page.locator('textarea')).toBeVisible()

  // As when the network went before there was time to.
  await context.setOffline(false)
  await context.route(/\/teams\.json/, (route) => route.abort())
  await page.reload()
  await page.waitForLoadState('networkidle')
  await context.setOffline(true)
  await teams.click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('alert')).toContainText('연결을 확인')
  await dialog.getByRole('button', { name: '다시 시도' }).click()
  await expect(dialog.getByRole('alert')).toContainText('연결을 확인')
  await page.keyboard.press('Escape')
  await expect(dialog).toBeHidden()
  await expect(teams).toBeFocused()
  await expect(page).toHaveURL(/\/ko\/chat\/\?with=junho%40example\.com$/)
  await expect(page.locator('textarea')).toBeVisible()
  await teams.click()
  await expect(dialog.getByRole('alert')).toContainText('연결을 확인')
  await context.setOffline(false)
  await dialog.getByRole('button', { name: '다시 시도' }).click()
  await expect(heading).toBeVisible()
})

test('from one page to another only new messages are spoken', async ({ browser, open }) => {
  const { page } = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  for (const name of ['teams', 'chat'] as const) {
    await page.locator(`nav a[href="/ko/${name}/"]`).click()
    await expect(page).toHaveTitle(name === 'teams' ? '팀 · 두리' : '채팅 · 두리')
    await expect(page.locator('next-route-announcer')).toHaveText(/./)
    const spoken = await page.evaluate(() =>
      [...document.querySelectorAll('[aria-live], [role="alert"], [role="status"]')]
        .filter((element) => element.checkVisibility() && element.textContent !== '')
        .map((element) => element.outerHTML),
    )
    expect(spoken).toEqual([])
  }
})

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 780 } })

  test('the list and the conversation are two screens', async ({ browser, open }) => {
    const phone = await browser.newContext({ viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true })
    const minji = new Conversation(await open(phone, MINJI))
    const { page } = minji
    await online(page)
    await page.getByRole('searchbox').fill('junho@example.com')
    await page.getByRole('button', { name: /새 대화 시작/ }).tap()
    await expect(page.getByRole('heading', { name: 'junho' })).toBeVisible()
    await expect(page.getByRole('navigation')).toBeHidden()
    await expect(page.getByRole('heading', { name: '대화 목록' })).toBeHidden()

    // Enter is a new line here; the button sends.
    await minji.field.fill('첫 줄')
    await minji.field.press('Enter')
    await minji.field.pressSequentially('둘째 줄')
    await page.getByRole('button', { name: '보내기' }).tap()
    await expect(minji.text('둘째 줄')).toBeVisible()
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)

    await page.getByRole('button', { name: '목록으로' }).tap()
    await expect(page.getByRole('heading', { name: '대화 목록' })).toBeVisible()
    await expect(page.getByRole('navigation')).toBeVisible()
    // Going back to the list is going back: the conversation is ahead of it now, not behind.
    await page.goForward()
    await expect(page.getByRole('heading', { name: 'junho' })).toBeVisible()
    await page.goBack()
    await expect(page.getByRole('heading', { name: '대화 목록' })).toBeVisible()
  })
})

test('on a phone, a conversation tells how much is unread elsewhere, and everything is large enough for a finger', async ({
  browser,
  open,
}) => {
  const phone = await browser.newContext({ viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true })
  const page = await open(phone, MINJI, '/ko/chat/?with=club%40example.com')
  await online(page)
  const back = page.getByRole('button', { name: '목록으로' })
  await expect(back).toHaveText('')
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  for (const text of ['하나', '둘']) await junho.send(text)
  await expect(back).toHaveText('2')
  await expect(page.getByRole('button', { name: '목록으로, 안 읽은 메시지 2개' })).toBeVisible()
  const small = () =>
    page.locator('button:visible, a:visible').evaluateAll((controls) =>
      controls
        .map((control) => ({ name: control.ariaLabel ?? control.textContent, box: control.getBoundingClientRect() }))
        .filter(({ box }) => box.width > 1 && (box.width < 44 || box.height < 44))
        .map(({ name, box }) => `${name}: ${box.width} x ${box.height}`),
    )
  expect(await small()).toEqual([])
  await back.tap()
  await expect(page.getByRole('heading', { name: '대화 목록' })).toBeVisible()
  expect(await small()).toEqual([])
})

test('whoever signs out leaves neither a count nor a conversation behind', async ({ browser, open }) => {
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await writeMany(junho.page, JUNHO, MINJI, 5)
  const page = await open(await browser.newContext(), MINJI, '/ko/chat/?with=club%40example.com')
  await expect(page).toHaveTitle('(3) 채팅 · 두리')
  await expect(page.locator('link[rel="icon"]')).toHaveAttribute('href', '/icon-unread.svg')
  // The browser fetches and draws an icon anew that is set again, so it is not set with each message.
  const changes = await page.evaluateHandle(() => {
    const records: string[] = []
    const icon = document.querySelector('link[rel="icon"]') as Element
    new MutationObserver((found) => records.push(...found.map(({ type }) => type))).observe(icon, { attributes: true })
    return records
  })
  await junho.send('하나 더')
  await expect(page).toHaveTitle('(4) 채팅 · 두리')
  expect(await changes.jsonValue()).toEqual([])
  await page.getByRole('navigation').getByRole('button').click()
  await page.getByRole('button', { name: '로그아웃' }).click()
  await expect(page.getByRole('button', { name: 'minji 계정으로 들어가기' })).toBeVisible()
  await expect(page).toHaveTitle('채팅 · 두리')
  await expect(page.locator('link[rel="icon"]')).toHaveAttribute('href', '/icon.svg')
  expect(new URL(page.url()).search).toBe('')
})

test('whoever signs out is told what has not been sent, and finds it again', async ({ browser, open }) => {
  const context = await browser.newContext()
  let holds = true
  await between(context, { sent: ({ action }) => !holds || action !== 'sendMessage' })
  const minji = await conversation(open, context, MINJI, JUNHO)
  const { page } = minji
  for (const text of ['하나', '둘']) {
    await minji.send(text)
    await expect(minji.status(text)).toHaveAttribute('data-status', 'sending')
  }
  await page.getByRole('button', { name: '설정' }).click()
  const signOut = page.getByRole('button', { name: '로그아웃' })
  const asked = page.getByRole('group', { name: /메시지가 2개.*minji@example.com/ })
  await signOut.click()
  await expect(asked).toBeVisible()
  await expect(page.getByRole('button', { name: '취소' })).toBeFocused()
  await expectNoBarriers(page, 'signing out with messages left')
  await page.keyboard.press('Enter')
  await expect(asked).toBeHidden()
  await expect(signOut).toBeFocused()
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  holds = false
  await page.getByRole('button', { name: 'minji 계정으로 들어가기' }).click()
  await minji.open(JUNHO)
  await expect(minji.status('둘')).toHaveAttribute('data-status', 'sent')
  expect(await minji.texts()).toEqual(['하나', '둘'])
})

test('a window whose code does not come can be asked for again', async ({ browser, open }) => {
  const context = await browser.newContext()
  await neverIdle(context)
  const minji = new Conversation(await open(context, MINJI))
  const { page } = minji
  await online(page)
  await page.route('**/_next/static/chunks/*.js', (route) => route.abort())
  await page.getByRole('searchbox').fill('junho@example.com')
  await page.getByRole('searchbox').press('Enter')
  await expect(page.getByText('대화 화면을 불러오지 못했습니다')).toBeVisible()
  await page.unroute('**/_next/static/chunks/*.js')
  await page.getByRole('button', { name: '다시 시도' }).click()
  await minji.send('이제 됩니다')
  await expect(minji.status('이제 됩니다')).toHaveAttribute('data-status', 'sent')
})

test('what cannot be loaded while offline is a dialog that says so, and the conversation stays', async ({ browser, open }) => {
  const context = await browser.newContext()
  await neverIdle(context)
  const { page } = await conversation(open, context, MINJI, JUNHO)
  const dialog = page.getByRole('dialog')
  await context.setOffline(true)
  await page.locator('header button').first().click()
  await expect(dialog.getByRole('alert')).toContainText('연결을 확인')
  await expect(page.locator('textarea')).toBeAttached()
  await dialog.getByRole('button', { name: '다시 시도' }).click()
  await expect(dialog.getByRole('alert')).toContainText('연결을 확인')
  // It comes by itself when the network does.
  await context.setOffline(false)
  await expect(dialog.getByRole('heading', { name: '새 대화' })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(dialog).toBeHidden()
})

test('whoever is offline can sign out', async ({ browser, open }) => {
  const context = await browser.newContext()
  const { page } = await conversation(open, context, MINJI, JUNHO)
  await prepared(page)
  await context.setOffline(true)
  await page.getByRole('button', { name: '설정' }).click()
  await page.getByRole('button', { name: '로그아웃' }).click()
  await expect(page.locator('textarea')).toBeHidden()
})

test('a browser that says it is offline is believed at once, until the server answers', async ({ browser, server }) => {
  const context = await browser.newContext()
  const page = await context.newPage()
  // Pings are swallowed while the network is "away".
  let away = false
  await page.routeWebSocket(/./, (socket) => {
    const server = socket.connectToServer()
    socket.onMessage((data) => {
      if (!away) server.send(data)
    })
  })
  await page.goto(`${server.url}/ko/chat/?as=${encodeURIComponent(MINJI)}`)
  await online(page)
  away = true
  await page.evaluate(() => window.dispatchEvent(new Event('offline')))
  await expect(page.locator('html[data-connection="offline"]')).toBeAttached({ timeout: 5_000 })
  await expect(page.getByRole('status')).toContainText('오프라인')
  away = false
  await online(page)
  await expect(page.getByRole('status')).toBeEmpty()
})

test('where a page may not notify, a service worker does, and leads to the conversation', async ({ browser, open, server }) => {
  const context = await browser.newContext({ serviceWorkers: 'allow' })
  await context.grantPermissions(['notifications'], { origin: server.url })
  // As Chrome on Android has it.
  await context.addInitScript(() => {
    const { permission } = Notification
    window.Notification = class {
      static permission = permission
      constructor() {
        throw new TypeError('Illegal constructor')
      }
    } as unknown as typeof Notification
    localStorage.setItem('chat.notify', 'on')
    Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' })
  })
  const page = await open(context, MINJI)
  await online(page)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  await junho.send('거기 계세요?')
  const shown = () =>
    page.evaluate(async () => {
      const registration = await navigator.serviceWorker.getRegistration()
      return (await registration?.getNotifications())?.map(({ title, body, data }) => ({ title, body, data }))
    })
  const url = `/ko/chat/?with=${encodeURIComponent(JUNHO)}`
  await expect.poll(shown).toEqual([{ title: 'junho', body: '거기 계세요?', data: { peer: JUNHO, url } }])
  const [worker] = context.serviceWorkers()
  await worker?.evaluate(async () => {
    const scope = self as unknown as { registration: ServiceWorkerRegistration }
    const [notification] = await scope.registration.getNotifications()
    const event = new Event('notificationclick')
    // Not made by a click, so it may neither wait nor bring the page to the front.
    self.dispatchEvent(Object.assign(event, { notification, waitUntil: (work: Promise<unknown>) => work.catch(() => {}) }))
  })
  await expect(page).toHaveURL(new RegExp(`with=${encodeURIComponent(JUNHO)}`))
})

test('whoever looks elsewhere is notified of text, images and proposals alike, each named', async ({ browser, open }) => {
  const context = await browser.newContext()
  await context.addInitScript(() => {
    const notified: string[] = []
    window.Notification = class {
      static permission = 'granted'
      constructor(title: string, { body }: NotificationOptions) {
        notified.push(`${title}: ${body}`)
      }
      close() {}
    } as unknown as typeof Notification
    Object.assign(window, { notified })
    localStorage.setItem('chat.notify', 'on')
    Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' })
  })
  const junho = await open(context, JUNHO)
  await online(junho)
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await minji.send('거기 계세요?')
  const photo = await picture(minji.page, 40, 30)
  await minji.page.getByTestId('picker').setInputFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer: photo })
  await expect(minji.page.getByTestId('preview')).toBeVisible()
  await minji.page.getByRole('dialog').getByRole('button', { name: '보내기' }).click()
  await expect(minji.rows.locator('[data-image="ready"] img')).toBeVisible()
  await minji.page.locator('nav a[href="/ko/teams/"]').click()
  await propose(minji.page, '잠실')
  await expect
    .poll(() => junho.evaluate(() => (window as unknown as { notified: string[] }).notified))
    .toEqual(['minji: 거기 계세요?', 'minji: 사진', 'minji: 경기 제안'])
  await expect(junho.getByTestId('total-unread')).toHaveText('3')
})

test('a window beside the one that is used reads nothing, and notifies', async ({ browser, open }) => {
  const context = await browser.newContext()
  await context.addInitScript(() => {
    const notified: string[] = []
    let focused = true
    window.Notification = class {
      static permission = 'granted'
      constructor(title: string, { body }: NotificationOptions) {
        notified.push(`${title}: ${body}`)
      }
      close() {
        notified.length = 0
      }
    } as unknown as typeof Notification
    document.hasFocus = () => focused
    const focus = (next: boolean) => {
      focused = next
      window.dispatchEvent(new Event(next ? 'focus' : 'blur'))
    }
    Object.assign(window, { notified, focus })
    localStorage.setItem('chat.notify', 'on')
  })
  const junho = await conversation(open, context, JUNHO, MINJI)
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const focus = (next: boolean) =>
    junho.page.evaluate((next) => (window as unknown as { focus(next: boolean): void }).focus(next), next)
  await minji.send('보고 있음')
  await expect(minji.status('보고 있음')).toHaveAttribute('data-status', 'read')
  await focus(false)
  await minji.send('옆 창을 보는 중')
  await expect
    .poll(() => junho.page.evaluate(() => (window as unknown as { notified: string[] }).notified))
    .toEqual(['minji: 옆 창을 보는 중'])
  await expect(junho.text('옆 창을 보는 중')).toBeVisible()
  await expect(minji.status('옆 창을 보는 중')).toHaveAttribute('data-status', 'sent')
  await focus(true)
  await expect(minji.status('옆 창을 보는 중')).toHaveAttribute('data-status', 'read')
  // What is read needs no telling any more.
  await expect.poll(() => junho.page.evaluate(() => (window as unknown as { notified: string[] }).notified)).toEqual([])
})

test('in forced colours, what is chosen can be told from what is not', async ({ browser, open }) => {
  const context = await browser.newContext({ forcedColors: 'active', permissions: ['notifications'] })
  const minji = await conversation(open, context, MINJI, JUNHO)
  await minji.send('안녕하세요')
  const style = (locator: Locator, property: string, pseudo?: string) =>
    locator.evaluate(
      (element, [property, pseudo]) => getComputedStyle(element, pseudo).getPropertyValue(property as string),
      [property, pseudo],
    )
  const outline = async (locator: Locator) =>
    (await style(locator, 'outline-style')) === 'none' ? '0px' : style(locator, 'outline-width')
  const { page } = minji
  await expect(page.locator(`[data-peer="${JUNHO}"]`)).toHaveAttribute('aria-current', 'true')
  expect(await outline(page.locator(`[data-peer="${JUNHO}"]`))).toBe('2px')
  const field = minji.field.locator('xpath=../..')
  expect(await outline(field)).toBe('2px')
  await minji.field.blur()
  expect(await outline(field)).toBe('0px')
  // What stands out by its colour alone has an edge instead.
  const edge = (locator: Locator) => style(locator, 'border-top-width')
  expect(await edge(page.getByRole('button', { name: '보내기' }))).toBe('1px')
  await minji.rows.last().focus()
  await page.keyboard.press('Delete')
  const remove = page.getByRole('dialog').getByRole('button', { name: '삭제', exact: true })
  expect(await edge(remove)).toBe('1px')
  await remove.click()
  expect(await edge(page.locator('[data-undo] > p'))).toBe('1px')
  await page.getByRole('button', { name: '설정' }).click()
  const dialog = page.getByRole('dialog')
  for (const [chosen, other] of [
    ['한국어', 'English'],
    ['시스템 설정', '어둡게'],
  ] as const) {
    expect(await outline(dialog.getByText(chosen, { exact: true }))).toBe('2px')
    expect(await outline(dialog.getByText(other, { exact: true }))).toBe('0px')
  }
  const toggle = dialog.getByRole('switch')
  const look = async () => ({
    edge: await style(toggle, 'border-top-style'),
    ground: await style(toggle, 'background-color'),
    knob: await style(toggle, 'background-color', '::before'),
  })
  const off = await look()
  expect(off.edge).toBe('solid')
  expect(off.knob).not.toBe(off.ground)
  await toggle.click()
  await expect(toggle).toBeChecked()
  const on = await look()
  expect(on.ground).not.toBe(off.ground)
  expect(on.knob).not.toBe(on.ground)
})

test('everything can be done by keyboard', async ({ browser, open }) => {
  const minji = new Conversation(await open(await browser.newContext(), MINJI))
  const { page } = minji
  await online(page)
  const tabTo = async (name: string) => {
    await expect
      .poll(async () => {
        await page.keyboard.press('Tab')
        return page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '')
      })
      .toContain(name)
  }
  await tabTo('새 대화')
  await page.keyboard.press('Enter')
  await expect(page.getByLabel('상대방 이메일 주소')).toBeFocused()
  await page.keyboard.type('junho@example.com')
  await page.keyboard.press('Enter')
  await expect(minji.field).toBeFocused()
  await page.keyboard.type('키보드로')
  await page.keyboard.press('Enter')
  await expect(minji.status('키보드로')).toHaveAttribute('data-status', 'sent')
  await page.keyboard.press('Escape')
  await expect(page.locator(`button[data-peer="${JUNHO}"]`)).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(minji.field).toBeFocused()
})

test('what is not there has a page of its own, in the reader’s language and theme', async ({ browser, server }) => {
  const complaints: string[] = []
  const look = async (locale: string, path: string, remembered: Record<string, string> = {}) => {
    const context = await browser.newContext({ locale, colorScheme: 'light' })
    await context.addInitScript((remembered) => {
      for (const [key, value] of Object.entries(remembered)) localStorage.setItem(key, value)
    }, remembered)
    const page = await context.newPage()
    watch(page, complaints)
    expect((await page.goto(`${server.url}${path}`))?.status()).toBe(404)
    await expectNoBarriers(page, 'a page that is not there')
    return page
  }
  const korean = await look('ko-KR', '/nowhere')
  await expect(korean.getByRole('heading')).toHaveText('찾을 수 없는 페이지입니다')
  await expect(korean.locator('html')).toHaveCSS('background-color', 'rgb(245, 246, 244)')
  const english = await look('ko-KR', '/en/chat/nowhere/', { 'chat.theme': 'dark' })
  await expect(english.getByRole('heading')).toHaveText('There is no such page')
  await expect(english.locator('html')).toHaveCSS('background-color', 'rgb(18, 21, 20)')
  await english.getByRole('link').click()
  await expect(english).toHaveURL(/\/en\/chat\/$/)
  await expect(english.getByRole('button', { name: /minji/ })).toBeVisible()
  const chosen = await look('ko-KR', '/nowhere', { 'chat.locale': 'en' })
  await expect(chosen.getByRole('link')).toHaveText('Go to the chat')
  expect(complaints).toEqual([])
})
