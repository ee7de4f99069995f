// Takes the pictures of the page that the documents show, and a few more to look at: screenshots.mjs URL FOLDER, against a fresh
// chat-local.
import { existsSync, mkdirSync } from 'node:fs'
import { chromium } from '@playwright/test'

const [url, folder] = process.argv.slice(2)
const [MINJI, JUNHO] = ['minji@example.com', 'junho@example.com']
const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium'].find((path) => path && existsSync(path))
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--hide-scrollbars'] })
mkdirSync(folder, { recursive: true })

const DESKTOP = { viewport: { width: 1180, height: 720 } }
const PHONE = { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }
const context = (options) => browser.newContext({ locale: 'ko-KR', timezoneId: 'Asia/Seoul', ...options })
// Colours fade when the theme changes.
const shoot = async (page, name) => {
  await page.waitForTimeout(400)
  await page.screenshot({ path: `${folder}/${name}.png` })
}

async function open(where, user, path) {
  const page = await where.newPage()
  await page.goto(`${url}${path}${path.includes('?') ? '&' : '?'}as=${encodeURIComponent(user)}`)
  await page.locator('html[data-connection="online"]').waitFor({ state: 'attached' })
  return page
}

async function say(page, texts) {
  for (const text of texts) {
    await page.locator('textarea').fill(text)
    await page.locator('textarea').press('Enter')
    await page.locator('[data-status="sending"]').first().waitFor({ state: 'detached' })
  }
}

// Signing in.
for (const colorScheme of ['light', 'dark']) {
  const where = await context({ ...DESKTOP, colorScheme })
  const page = await where.newPage()
  await page.goto(`${url}/ko/chat/`)
  await page.locator('button').first().waitFor()
  await shoot(page, `sign-in-${colorScheme}`)
  await where.close()
}

// A conversation, both ways, and some more in the list.
const first = await context(DESKTOP)
const second = await context(DESKTOP)
const empty = await open(first, MINJI, '/ko/chat/')
await shoot(empty, 'empty-light')
await empty.close()
const minji = await open(first, MINJI, `/ko/chat/?with=${JUNHO}`)
const junho = await open(second, JUNHO, `/ko/chat/?with=${MINJI}`)
await minji.locator('textarea').waitFor()
await shoot(minji, 'first-message-light')
await say(minji, ['안녕하세요, 한강 FC 민지입니다.', '이번 주 토요일 오후에 연습 경기 가능하실까요?'])
await say(junho, ['안녕하세요! 토요일 좋습니다', '2시 어떠세요? 저희는 15명 정도 나옵니다.'])
await say(minji, ['네, 2시로 해요. 장소는 여의도 한강공원 축구장입니다.', 'https://example.com/fields/yeouido'])
await say(junho, ['확인했어요. 유니폼은 저희가 흰색으로 맞춰 입고 갈게요. 혹시 비가 오면 금요일 저녁까지 연락 주세요!'])
await say(minji, ['네 그럴게요'])
for (const friend of ['club@example.com', 'fields@example.com', 'league@example.com']) {
  const page = await open(second, friend, `/ko/chat/?with=${MINJI}`)
  await page.locator('textarea').waitFor()
  await say(
    page,
    friend === 'club@example.com' ? ['내일 훈련은 7시입니다', '늦지 마세요!'] : ['예약이 확정되었습니다. 문의는 이 대화로 주세요.'],
  )
  await page.close()
}
await minji.locator('[data-peer="club@example.com"]').waitFor()
await junho.waitForTimeout(500)
await shoot(minji, 'chat-light')
await minji.emulateMedia({ colorScheme: 'dark' })
await shoot(minji, 'chat-dark')
const english = await open(first, MINJI, `/en/chat/?with=${JUNHO}`)
await english.locator('[data-status="read"]').first().waitFor()
await english.emulateMedia({ colorScheme: 'dark' })
await shoot(english, 'chat-english-dark')

// Dialogs.
await minji.emulateMedia({ colorScheme: 'light' })
await minji.getByRole('navigation').getByRole('button').click()
await minji.getByRole('dialog').waitFor()
await shoot(minji, 'settings-light')
await minji.emulateMedia({ colorScheme: 'dark' })
await shoot(minji, 'settings-dark')
await minji.keyboard.press('Escape')
await minji.emulateMedia({ colorScheme: 'light' })
await minji.locator('header button').first().click()
await minji.getByRole('dialog').getByRole('textbox').fill('minji@example.com')
await minji.keyboard.press('Enter')
await shoot(minji, 'new-chat-light')
await minji.keyboard.press('Escape')

// Typing, too long, failed, offline.
await junho.locator('textarea').fill('아')
await junho
  .locator('textarea')
  .press('ㅏ')
  .catch(() => {})
await minji.locator('textarea').fill('가'.repeat(2_740))
await shoot(minji, 'too-long-light')
await minji.locator('textarea').fill('')
const cut = await context({ ...DESKTOP, colorScheme: 'dark' })
await cut.routeWebSocket(/./, (socket) => void socket.close())
const offline = await cut.newPage()
await offline.goto(`${url}/ko/chat/?with=${JUNHO}&as=${MINJI}`)
await offline.locator('textarea').fill('연결되면 전송됩니다')
await offline.locator('textarea').press('Enter')
await offline.getByRole('status').getByText('연결').waitFor()
await shoot(offline, 'waiting-dark')
const refusing = await context(DESKTOP)
await refusing.routeWebSocket(/./, (socket) => {
  const server = socket.connectToServer()
  socket.onMessage((data) => {
    const frame = JSON.parse(String(data))
    if (frame.action !== 'sendMessage') return server.send(data)
    socket.send(
      JSON.stringify({
        type: 'error',
        code: 'badRequest',
        retryable: false,
        message: '',
        requestId: '',
        clientMessageId: frame.clientMessageId,
      }),
    )
  })
})
const failed = await open(refusing, MINJI, `/ko/chat/?with=${JUNHO}`)
await failed.locator('textarea').fill('이 메시지는 거절됩니다')
await failed.locator('textarea').press('Enter')
await failed.getByRole('alert').filter({ hasText: '전송' }).waitFor()
await shoot(failed, 'failed-light')
await refusing.close()

// Teams, and the phone.
const teams = await open(first, MINJI, '/ko/teams/')
await shoot(teams, 'teams-light')
for (const colorScheme of ['light', 'dark']) {
  const where = await context({ ...PHONE, colorScheme })
  const phone = await open(where, MINJI, '/ko/chat/')
  await phone.locator(`[data-peer="${JUNHO}"]`).waitFor()
  await shoot(phone, `phone-list-${colorScheme}`)
  await phone.locator(`[data-peer="${JUNHO}"]`).tap()
  await phone.locator('[data-status="read"]').first().waitFor()
  await shoot(phone, `phone-chat-${colorScheme}`)
  await where.close()
}
await browser.close()
