import { between, Conversation, conversation, expect, JUNHO, MINJI, online, propose, test } from './support/chat'
import { stored } from './support/images'

const card = (chat: Conversation) => chat.rows.locator('[data-proposal]')

test('a match is proposed on the page of teams, lands in the chat, and is accepted', async ({ browser, open, server }) => {
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  const minji = new Conversation(await open(await browser.newContext(), MINJI, '/ko/teams/'))
  await online(minji.page)
  // What is missing is said, and nothing is sent.
  await minji.page.getByRole('button', { name: '경기 제안하기' }).click()
  const dialog = minji.page.getByRole('dialog')
  await dialog.getByLabel('경기 일시').fill('2020-01-01T10:00')
  await dialog.getByRole('button', { name: '제안 보내기' }).click()
  await expect(dialog.getByRole('alert')).toHaveText(['앞으로의 시간을 골라 주세요.', '입력해 주세요.'])
  await minji.page.keyboard.press('Escape')

  // The first answer is lost: the same proposal again, once.
  const ids: string[] = []
  await minji.page.route('**/chat/proposals', async (route) => {
    ids.push(route.request().postDataJSON().clientMessageId)
    const answer = await route.fetch()
    await (ids.length === 1 ? route.abort() : route.fulfill({ response: answer }))
  })
  await propose(minji.page, '여의도 한강공원')
  await expect(card(minji)).toHaveAttribute('data-proposal', 'open')
  await expect(minji.rows.locator('[data-status]')).toHaveAttribute('data-status', /sent|read/)
  await expect.poll(() => ids.length).toBe(2)
  expect(new Set(ids).size).toBe(1)

  await expect(junho.page.getByTestId('spoken')).toHaveText('minji: 경기 제안')
  await expect(junho.page.locator(`button[data-peer="${MINJI}"]`)).toContainText('경기 제안')
  await expect(card(junho)).toContainText('한강 FC 대 서울숲 유나이티드')
  await expect(card(minji).getByRole('button')).toHaveText(['제안 취소'])
  await expect(card(junho).getByRole('button')).toHaveText(['수락', '거절'])
  await card(junho).getByRole('button', { name: '수락' }).click()
  for (const chat of [minji, junho]) {
    await expect(card(chat)).toHaveAttribute('data-proposal', 'accepted')
    await expect(card(chat).getByRole('button')).toHaveCount(0)
    await expect(chat.text('경기 제안을 수락했습니다')).toContainText('한강 FC – 서울숲 유나이티드')
  }
  expect((await stored(server.url, MINJI, JUNHO)).map(({ kind }) => kind)).toEqual(['matchProposalAnswer', 'matchProposal'])
})

test('a proposal is declined, and both see it, also later', async ({ browser, open, server }) => {
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  const minji = new Conversation(await open(await browser.newContext(), MINJI, '/ko/teams/'))
  await online(minji.page)
  await propose(minji.page, '잠실')
  const size = () => card(minji).evaluate((element) => Number.parseFloat(getComputedStyle(element).fontSize))
  const whileOpen = await size()
  await card(junho).getByRole('button', { name: '거절' }).click()
  for (const chat of [minji, junho]) {
    await expect(card(chat)).toHaveAttribute('data-proposal', 'declined')
    await expect(card(chat).getByRole('button')).toHaveCount(0)
    await expect(chat.text('경기 제안을 거절했습니다')).toBeVisible()
  }
  // Nothing comes of it any more, so it is quieter.
  expect(await size()).toBeLessThan(whileOpen)
  await minji.page.reload()
  await expect(card(minji)).toHaveAttribute('data-proposal', 'declined')
  expect((await stored(server.url, MINJI, JUNHO)).map(({ kind }) => kind)).toEqual(['matchProposalAnswer', 'matchProposal'])
})

test('who proposed withdraws, and who did not know is told', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await minji.page.locator('a[href="/ko/teams/"]').click()
  await propose(minji.page, '서울숲')
  const context = await browser.newContext()
  // Junho hears nothing of what is pushed.
  const page = await context.newPage()
  let deaf = false
  await between(page, { received: ({ type }) => !deaf || type !== 'message' })
  await page.goto(`${new URL(minji.page.url()).origin}/ko/chat/?with=${MINJI}&as=${JUNHO}`)
  const junho = new Conversation(page)
  await expect(card(junho)).toHaveAttribute('data-proposal', 'open')
  // The sync that follows opening would tell.
  await page.route(/after=/, (route) => (deaf ? route.abort() : route.continue()))
  deaf = true
  await card(minji).getByRole('button', { name: '제안 취소' }).click()
  await expect(card(minji)).toHaveAttribute('data-proposal', 'withdrawn')
  await expect(card(junho)).toHaveAttribute('data-proposal', 'open')
  await card(junho).getByRole('button', { name: '수락' }).click()
  await expect(junho.rows.getByText('이미 답했거나 시간이 지난 제안입니다.')).toBeVisible()
  await expect(junho.page.getByRole('button', { name: '다시 보내기' })).toHaveCount(0)
  deaf = false
  await junho.page.evaluate(() => window.dispatchEvent(new Event('focus')))
  await expect(card(junho)).toHaveAttribute('data-proposal', 'withdrawn')
  await junho.page.getByRole('button', { name: '삭제' }).click()
  await expect(junho.rows.getByText('이미 답했거나')).toHaveCount(0)
})
