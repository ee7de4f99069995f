import type { CDPSession } from '@playwright/test'
import { between, Conversation, conversation, expect, JUNHO, MINJI, refusal, test } from './support/chat'

const ENTER = { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13, nativeVirtualKeyCode: 13 }

/** Enter as an input method passes it on: key code 229, while a composition is open. */
const enterWhileComposing = async (session: CDPSession, key = 'Enter') => {
  const event = { ...ENTER, key, windowsVirtualKeyCode: 229 }
  await session.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...event })
  await session.send('Input.dispatchKeyEvent', { type: 'keyUp', ...event })
}
const enter = async (session: CDPSession) => {
  await session.send('Input.dispatchKeyEvent', { type: 'keyDown', text: '\r', ...ENTER })
  await session.send('Input.dispatchKeyEvent', { type: 'keyUp', ...ENTER })
}
const compose = (session: CDPSession, text: string) =>
  session.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length })

for (const [name, key, second] of [
  ['Windows', 'Process', false],
  ['Windows, with a second Enter', 'Enter', true],
  ['macOS', 'Enter', true],
] as const) {
  test(`Korean is sent once and whole by one Enter: ${name}`, async ({ browser, open }) => {
    const context = await browser.newContext()
    const minji = await conversation(open, context, MINJI, JUNHO)
    const session = await context.newCDPSession(minji.page)
    await minji.field.focus()
    await session.send('Input.insertText', { text: '안녕하세' })
    for (const step of ['ㅇ', '요']) await compose(session, step)
    await enterWhileComposing(session, key)
    await session.send('Input.insertText', { text: '요' })
    if (second) await enter(session)
    await expect(minji.status('안녕하세요')).toHaveAttribute('data-status', 'sent')
    await expect(minji.field).toHaveValue('')

    // And the next one is its own message.
    await session.send('Input.insertText', { text: '또' })
    await enter(session)
    await expect.poll(() => minji.texts()).toEqual(['안녕하세요', '또'])
  })
}

test('Japanese is not sent by the Enter that chooses a word', async ({ browser, open }) => {
  const context = await browser.newContext()
  const minji = await conversation(open, context, MINJI, JUNHO)
  const session = await context.newCDPSession(minji.page)
  await minji.field.focus()
  await compose(session, 'にほん')
  await enterWhileComposing(session)
  await session.send('Input.insertText', { text: '日本' })
  await expect(minji.field).toHaveValue('日本')
  await enter(session)
  await expect.poll(() => minji.texts()).toEqual(['日本'])
})

test('shift and Enter is a new line, and a draft stays with its conversation', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await minji.send('먼저')
  await minji.field.pressSequentially('첫 줄')
  await minji.field.press('Shift+Enter')
  await minji.field.pressSequentially('둘째 줄')
  await minji.page.goto(minji.page.url().replace('junho', 'club'))
  await expect(minji.field).toHaveValue('')
  await minji.open(JUNHO)
  await expect(minji.field).toHaveValue('첫 줄\n둘째 줄')
  await minji.field.press('Enter')
  await expect(minji.text('둘째 줄')).toBeVisible()
  await minji.page.reload()
  await expect(minji.text('둘째 줄')).toBeVisible()
  await expect(minji.field).toHaveValue('')
})

test('a message that is too long says by how much, and can be cut', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await minji.field.fill('가'.repeat(2_731))
  await expect(minji.page.getByTestId('bytes')).toHaveText('8,193 / 8,192바이트')
  await expect(minji.page.getByText('메시지가 1바이트 깁니다')).toBeVisible()
  await expect(minji.page.getByRole('button', { name: '보내기' })).toBeDisabled()
  await minji.field.press('Enter')
  await expect(minji.field).toHaveValue('가'.repeat(2_731))
  await minji.page.getByRole('button', { name: '넘는 부분 지우기' }).click()
  await minji.field.press('Enter')
  await expect(minji.page.locator('[data-status="sent"]')).toBeVisible()
  expect(await minji.texts()).toEqual(['가'.repeat(2_730)])
})

test('whatever is written is shown as the text it is', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  const word = 'a'.repeat(8_192)
  const marks = `e${'\u0301'.repeat(4_000)}`
  const nasty = [
    '<script>alert(1)</script><img src=x onerror=alert(2)>',
    'javascript:alert(1)',
    'a\u202Eb',
    marks,
    word,
    'https://example.com/good',
  ]
  for (const text of nasty) await minji.send(text)
  await expect(junho.text('https://example.com/good')).toBeVisible()
  const links = junho.scroller.locator('a')
  await expect(links).toHaveCount(1)
  await expect(links).toHaveAttribute('rel', /noopener/)
  await expect(junho.scroller.locator('script, img')).toHaveCount(0)

  // Nothing reaches out of its bubble, or makes the page wider: what is drawn of the marks ends with it, and a direction with the text.
  const stacked = junho.scroller.locator('.message-text').filter({ hasText: marks })
  await expect(stacked).toHaveCSS('overflow', 'hidden')
  await expect(stacked).toHaveCSS('unicode-bidi', 'isolate')
  const wide = await junho.scroller.evaluate((element) => element.scrollWidth - element.clientWidth)
  expect(wide).toBeLessThanOrEqual(0)
  await junho.page.mouse.move(700, 300)
  await expect
    .poll(async () => {
      await junho.page.mouse.wheel(0, -2_000)
      return junho.texts()
    })
    .toContain('<script>alert(1)</script><img src=x onerror=alert(2)>')
  expect(await junho.texts()).toContain('ab')
})

test('a letter under more marks than a message holds is refused with a reason, kept, and cut to what fits', async ({
  browser,
  open,
}) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const marks = `e${'\u0301'.repeat(5_000)}`
  await minji.field.fill(marks)
  await expect(minji.page.getByText('메시지가 1,809바이트 깁니다')).toBeVisible()
  await minji.field.press('Enter')
  await expect(minji.field).toHaveValue(marks)
  await expect(minji.rows).toHaveCount(0)
  await minji.page.getByRole('button', { name: '넘는 부분 지우기' }).click()
  await expect(minji.field).toHaveValue(`e${'\u0301'.repeat(4_095)}`)
  await minji.field.press('Enter')
  await expect(minji.page.locator('[data-status="sent"]')).toBeVisible()
})

test('what would turn the direction around is refused by the server, in words, addresses and names of teams', async ({
  browser,
  open,
}) => {
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  const answers = await junho.page.evaluate(
    async ([from, to]) => {
      const { wsUrl, restUrl, auth } = await (await fetch('/config.json')).json()
      const { accessToken } = await (await fetch(auth.loginUrl, { method: 'POST', body: JSON.stringify({ email: from }) })).json()
      const socket = new WebSocket(wsUrl, ['chat.v1', accessToken])
      await new Promise((resolve) => socket.addEventListener('open', resolve))
      const send = async (receiverEmail: string, message: string): Promise<unknown> => {
        const answer = new Promise<MessageEvent>((resolve) => socket.addEventListener('message', resolve, { once: true }))
        socket.send(JSON.stringify({ action: 'sendMessage', receiverEmail, message, clientMessageId: crypto.randomUUID() }))
        const { type, code } = JSON.parse((await answer).data)
        return [type, code]
      }
      const propose = async (teamName: string): Promise<unknown> => {
        const answer = await fetch(`${restUrl}/chat/proposals`, {
          method: 'POST',
          headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
          body: JSON.stringify({
            receiverEmail: to,
            clientMessageId: crypto.randomUUID(),
            proposal: { teamName, opponentTeamName: 'c', matchAt: '2126-01-01T10:00:00.000Z', place: 'd' },
          }),
        })
        return [answer.status, (await answer.json()).code]
      }
      const answers = [
        await send(to, 'a\u202Eb'),
        await send('\u202Ejunho@example.com', 'hello'),
        await propose('a\u202Eb'),
        await propose('ab'),
      ]
      socket.close()
      return answers
    },
    [MINJI, JUNHO] as const,
  )
  expect(answers).toEqual([
    ['error', 'badRequest'],
    ['error', 'invalidEmail'],
    [400, 'badRequest'],
    [200, undefined],
  ])
  // Of all that only the last one came.
  await expect(junho.rows.locator('[data-proposal]')).toHaveCount(1)
  await expect(junho.rows).toHaveCount(1)
})

test('addresses that are none, and one’s own, begin no chat', async ({ browser, open }) => {
  const page = await open(await browser.newContext(), MINJI)
  await page.getByRole('button', { name: '새 대화' }).first().click()
  const field = page.getByLabel('상대방 이메일 주소')
  await field.fill('junho')
  await field.press('Enter')
  await expect(page.getByRole('alert').filter({ hasText: '이메일 주소를 확인해 주세요' })).toBeVisible()
  await field.fill('MINJI@example.com')
  await field.press('Enter')
  await expect(page.getByRole('alert').filter({ hasText: '내 주소와는 대화할 수 없습니다' })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(field).toHaveCount(0)
  await page.getByRole('searchbox').fill('junho@example.com')
  await page.getByRole('button', { name: 'junho@example.com 님과 새 대화 시작' }).click()
  await expect(page).toHaveURL(/with=junho/)
})

test('a link to a conversation that cannot be says why, until another one is opened', async ({ browser, open }) => {
  const context = await browser.newContext()
  for (const [address, words] of [
    ['junk', '이메일 주소를 확인해 주세요'],
    [MINJI, '내 주소와는 대화할 수 없습니다'],
  ] as const) {
    const page = await open(context, MINJI, `/ko/chat/?with=${encodeURIComponent(address)}`)
    const reason = page.getByRole('alert').filter({ hasText: words })
    await expect(reason).toBeVisible()
    await page.setViewportSize({ width: 390, height: 760 })
    await expect(reason).toBeVisible()
    await page.getByRole('searchbox').fill(JUNHO)
    await page.getByRole('searchbox').press('Enter')
    await expect(new Conversation(page).field).toBeVisible()
    await expect(reason).toHaveCount(0)
  }
})

test.describe('a slow rate', () => {
  test.use({ flags: ['--send-burst', '2', '--send-per-second', '1'] })

  test('holds messages back, says so, and sends them by itself', async ({ browser, open }) => {
    const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
    // So many that they wait for several seconds: the words are gone as soon as the last one is sent.
    const texts = ['일', '이', '삼', '사', '오', '육', '칠', '팔', '구', '십']
    for (const text of texts) await minji.send(text)
    await expect(minji.page.getByText('잠시 후 자동으로 다시 보냅니다').first()).toBeVisible()
    await expect(minji.status('십')).toHaveAttribute('data-status', 'sent')
    expect(await minji.texts()).toEqual(texts)
  })
})

test.describe('a short login', () => {
  test.use({ flags: ['--login-seconds', '2'] })

  test('is extended without a word', async ({ browser, open, server }) => {
    const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
    const token = await minji.page.evaluate(
      async () => (await (await fetch('/dev/login', { method: 'POST', body: '{"email":"minji@example.com"}' })).json()).accessToken,
    )
    const ask = () => minji.page.request.get(`${server.url}/chat/conversations`, { headers: { authorization: `Bearer ${token}` } })
    await expect.poll(async () => (await ask()).status()).toBe(401)
    await minji.send('만료된 뒤에도')
    await expect(minji.status('만료된 뒤에도')).toHaveAttribute('data-status', 'sent')
  })

  test('that cannot be extended asks to sign in, and loses nothing', async ({ browser, open }) => {
    const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
    await minji.page.route('**/dev/login', (route) => route.fulfill({ status: 403 }))
    await expect
      .poll(async () => {
        await minji.page.evaluate(() => window.dispatchEvent(new Event('focus')))
        return minji.page.getByRole('status').textContent()
      })
      .toContain('로그인이 만료되었습니다')
    await minji.send('아직 여기 있습니다')
    await expect(minji.status('아직 여기 있습니다')).toHaveAttribute('data-status', 'sending')
    await minji.page.getByRole('button', { name: '다시 로그인' }).click()
    await expect(minji.page.getByText('보내지 못한 메시지도 이어서 전송됩니다')).toBeVisible()
    await minji.page.unroute('**/dev/login')
    await minji.page.getByRole('button', { name: 'minji 계정으로 들어가기' }).click()
    await expect(minji.status('아직 여기 있습니다')).toHaveAttribute('data-status', 'sent')
  })
})

test('the focus stays in the conversation when a message that failed is sent again, and when it is deleted', async ({
  browser,
  open,
}) => {
  const context = await browser.newContext()
  let refusals = 0
  await between(context, {
    sent({ action, clientMessageId }, answer) {
      if (action !== 'sendMessage') return true
      refusals += 1
      answer(refusal('badRequest', clientMessageId))
      return false
    },
  })
  const minji = await conversation(open, context, MINJI, JUNHO)
  const { page } = minji
  await minji.send('거절됨')
  for (const [before, name] of ['다시 보내기', '삭제'].entries()) {
    await expect.poll(() => refusals).toBe(before + 1)
    await expect(minji.status('거절됨')).toHaveAttribute('data-status', 'failed')
    await page.getByRole('button', { name }).focus()
    await page.keyboard.press('Enter')
    await expect(minji.field).toBeFocused()
  }
  await expect(minji.rows).toHaveCount(0)
  await expect(minji.field).toBeFocused()
})
