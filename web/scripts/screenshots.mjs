// Takes the pictures of the page that the documents show, and a few more to look at: screenshots.mjs URL FOLDER, against a fresh
// chat-local with `--first-contact open`, where there is a Korean font. The documents have five of them, made small by
// `pngquant --quality 60-90`: images-light and images-dark are page-light and page-dark there, phone-images-light is phone-light,
// phone-list-dark is phone-dark, and sign-in-light is sign-in.
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
  // A page in the background does not animate.
  await page.bringToFront()
  await page.waitForTimeout(400)
  await page.evaluate(() => Promise.all([...document.images].map((image) => image.decode().catch(() => {}))))
  await page.screenshot({ path: `${folder}/${name}.png`, scale: 'css' })
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
await failed.setViewportSize(PHONE.viewport)
await failed.goto(`${url}/en/chat/?with=${JUNHO}`)
await failed.getByRole('button', { name: 'Send again' }).waitFor()
await shoot(failed, 'phone-failed-english-light')
await failed.emulateMedia({ colorScheme: 'dark' })
await shoot(failed, 'phone-failed-english-dark')
await failed.getByRole('button', { name: 'Delete' }).click()
await refusing.close()

// What is unread, searching, and what is not there.
const search = minji.getByRole('searchbox')
for (const [name, words] of [
  ['search-own', MINJI],
  ['search-none', '아무도'],
  ['search-new', 'new@example.com'],
]) {
  await search.fill(words)
  await shoot(minji, name)
}
await search.fill('')
await minji.goto(`${url}/ko/chat/`)
await minji.locator('[data-peer="club@example.com"]').click()
await minji.getByText('여기부터 안 읽은 메시지').waitFor()
for (const colorScheme of ['light', 'dark']) {
  await minji.emulateMedia({ colorScheme })
  await shoot(minji, `unread-${colorScheme}`)
  for (const language of ['ko', 'en']) {
    const where = await context({ ...(language === 'ko' ? DESKTOP : PHONE), colorScheme })
    const nowhere = await where.newPage()
    await nowhere.goto(`${url}/${language}/nowhere`)
    await shoot(nowhere, `not-found-${language}-${colorScheme}`)
    await where.close()
  }
}
await minji.goto(`${url}/ko/chat/?with=${JUNHO}`)
await minji.locator('textarea').waitFor()

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

// Images and proposals.
const teamsLight = await open(first, MINJI, '/ko/teams/')
await teamsLight.getByRole('button', { name: '경기 제안하기' }).click()
await teamsLight.getByRole('dialog').getByLabel('장소').fill('여의도 한강공원 축구장')
await teamsLight.getByRole('dialog').getByLabel('남길 말').fill('유니폼은 흰색입니다. 공은 저희가 가져갈게요.')
await shoot(teamsLight, 'propose-light')
await teamsLight.emulateMedia({ colorScheme: 'dark' })
await shoot(teamsLight, 'propose-dark')
await teamsLight.getByRole('button', { name: '제안 보내기' }).click()
await junho.locator('[data-proposal="open"]').waitFor()
for (const colorScheme of ['light', 'dark']) {
  await junho.emulateMedia({ colorScheme })
  await shoot(junho, `proposal-open-${colorScheme}`)
}
await junho.getByRole('button', { name: '수락' }).click()
await junho.locator('[data-proposal="accepted"]').waitFor()
await junho.getByTestId('picker').setInputFiles({ name: 'pitch.jpg', mimeType: 'image/jpeg', buffer: await pitch(junho) })
await junho.getByTestId('preview').waitFor()
await junho.getByRole('dialog').getByLabel('설명').fill('여기예요')
await junho.getByRole('dialog').getByLabel('대체 텍스트').fill('위에서 본 축구장')
for (const colorScheme of ['light', 'dark']) {
  await junho.emulateMedia({ colorScheme })
  await shoot(junho, `image-preview-${colorScheme}`)
}
await junho.getByRole('dialog').getByRole('button', { name: '보내기' }).click()
await minji.getByRole('button', { name: /크게 보기/ }).waitFor()
// A reaction, and a reply.
const photo = minji.locator('li[data-index]').last()
await photo.focus()
await photo.press('Enter')
await minji.getByRole('menuitemcheckbox', { name: '👍 반응' }).click()
await photo.focus()
await photo.press('r')
await say(minji, ['좋아요, 거기서 봬요!'])
await junho.locator('[data-quote]').waitFor()
for (const [page, name] of [
  [minji, 'images'],
  [junho, 'images-mine'],
]) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme })
    await shoot(page, `${name}-${colorScheme}`)
  }
}
await minji.getByRole('button', { name: /크게 보기/ }).click()
await minji.getByTestId('viewed').waitFor()
await shoot(minji, 'image-view')
await minji.keyboard.press('Escape')
await minji
  .getByTestId('picker')
  .setInputFiles({ name: 'IMG_1.HEIC', mimeType: 'image/heic', buffer: Buffer.from('\0\0\0\x18ftypheic', 'latin1') })
await minji.getByRole('dialog').getByRole('alert').waitFor()
await shoot(minji, 'image-refused')
await minji.keyboard.press('Escape')
await minji.emulateMedia({ colorScheme: 'light' })
await minji.route('**/dev/objects/**', (route) => (route.request().method() === 'PUT' ? undefined : route.continue()))
await minji.getByTestId('picker').setInputFiles({ name: 'pitch.jpg', mimeType: 'image/jpeg', buffer: await pitch(minji) })
await minji.getByTestId('preview').waitFor()
await minji.getByRole('dialog').getByRole('button', { name: '보내기' }).click()
await minji.getByRole('progressbar').waitFor()
await shoot(minji, 'uploading-light')
await minji.emulateMedia({ colorScheme: 'dark' })
await shoot(minji, 'uploading-dark')
await minji.getByRole('button', { name: '취소', exact: true }).click()
for (const colorScheme of ['light', 'dark']) {
  const where = await context({ ...PHONE, colorScheme })
  const phone = await open(where, MINJI, `/ko/chat/?with=${JUNHO}`)
  await phone.locator('[data-image="ready"] img').waitFor()
  await shoot(phone, `phone-images-${colorScheme}`)
  await phone.getByRole('button', { name: /크게 보기/ }).tap()
  await phone.getByTestId('viewed').waitFor()
  if (colorScheme === 'light') await shoot(phone, 'phone-image-view')
  await phone.goBack()
  await phone.goto(`${url}/ko/teams/`)
  await phone.getByRole('button', { name: '경기 제안하기' }).tap()
  await shoot(phone, `phone-propose-${colorScheme}`)
  await where.close()
}
await browser.close()

/** A football pitch from above. */
async function pitch(page) {
  const base64 = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(1_600, 1_100)
    const context = canvas.getContext('2d')
    for (let stripe = 0; stripe < 10; stripe += 1) {
      context.fillStyle = stripe % 2 === 0 ? '#3f8f4f' : '#4a9d5a'
      context.fillRect(stripe * 160, 0, 160, 1_100)
    }
    context.strokeStyle = '#f4f7f2'
    context.lineWidth = 8
    context.strokeRect(80, 80, 1_440, 940)
    context.strokeRect(80, 330, 240, 440)
    context.strokeRect(1_280, 330, 240, 440)
    context.beginPath()
    context.moveTo(800, 80)
    context.lineTo(800, 1_020)
    context.moveTo(950, 550)
    context.arc(800, 550, 150, 0, 2 * Math.PI)
    context.stroke()
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg' })).arrayBuffer())
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
  })
  return Buffer.from(base64, 'base64')
}
