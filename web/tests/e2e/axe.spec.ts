import type { Browser, BrowserContextOptions } from '@playwright/test'
import { expectNoBarriers } from './support/axe'
import { Conversation, conversation, expect, JUNHO, MINJI, online, type Page, test, writeMany } from './support/chat'
import { picture } from './support/images'

async function checkConversation(minji: Conversation, junho: Conversation): Promise<void> {
  const { page } = minji
  await minji.open(JUNHO)
  await minji.send('좋아요')
  await expect(junho.text('좋아요')).toBeVisible()
  await minji.field.fill('가'.repeat(3_000))
  await expect(page.getByTestId('bytes')).toBeVisible()
  await expectNoBarriers(page, 'a conversation')
  const desk = page.viewportSize()
  await page.setViewportSize({ width: 390, height: 780 })
  await expectNoBarriers(page, 'a conversation on a phone')
  if (desk !== null) await page.setViewportSize(desk)
  await page.keyboard.press('Escape')
}

/** What is done with messages, by the keys that all languages have. */
async function checkMessages(page: Page): Promise<void> {
  const rows = page.locator('li[data-index]')
  const mine = rows.last()
  await mine.focus()
  await page.keyboard.press('r')
  await expect(page.locator('[data-composing]')).toBeVisible()
  await expectNoBarriers(page, 'a reply')
  await page.keyboard.type('!')
  await page.keyboard.press('Enter')
  await expect(page.locator('[data-quote]')).toBeVisible()
  await mine.focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('menuitemcheckbox').first()).toBeVisible()
  await expectNoBarriers(page, 'the menu of a message')
  await page.getByRole('menuitemcheckbox').first().click()
  await expect(rows.locator('[aria-pressed="true"]')).toBeVisible()
  await mine.focus()
  await page.keyboard.press('Enter')
  await page.locator('[data-lead] > button').last().click()
  await expect(page.getByRole('dialog').getByRole('searchbox')).toBeVisible()
  await expectNoBarriers(page, 'all emoji')
  await page.keyboard.press('Escape')
  await page.locator('textarea').focus()
  await page.keyboard.press('ArrowUp')
  await expect(page.locator('[data-composing]')).toBeVisible()
  await expectNoBarriers(page, 'an edit')
  await page.keyboard.type('?')
  await page.keyboard.press('Enter')
  await expect(mine.locator('time[title]').first()).toBeVisible()
  await rows.first().focus()
  await page.keyboard.press('Delete')
  await page.getByRole('dialog').getByRole('button').last().click()
  await expect(page.locator('[data-undo]')).toBeVisible()
  await expectNoBarriers(page, 'a quote, a reaction, what was edited, and what can be undone')
}

/** Finding something, and clearing the conversation. */
async function checkConversationMenu(page: Page): Promise<void> {
  const buttons = page.getByRole('main').locator('header').last().getByRole('button')
  await buttons.nth(-2).click()
  const find = page.locator('[data-find]')
  await find.getByRole('searchbox').fill('hello')
  await expect(find.locator('[data-hit]')).toBeVisible()
  await expectNoBarriers(page, 'what was found')
  await page.keyboard.press('Enter')
  await expect(find.locator('[data-hit]')).toHaveCount(0)
  await expectNoBarriers(page, 'where one was led')
  await page.keyboard.press('Escape')
  await buttons.last().click()
  await page.getByRole('menuitem').last().click()
  await expect(page.getByRole('dialog').getByRole('button').last()).toBeVisible()
  await expectNoBarriers(page, 'before a conversation is cleared')
  await page.getByRole('dialog').getByRole('button').last().click()
  await expect(page.locator('li[data-index]')).toHaveCount(0)
  await expectNoBarriers(page, 'a conversation that was cleared')
}

async function checkNewChat(page: Page): Promise<void> {
  await page.locator('header button').first().click()
  const dialog = page.getByRole('dialog')
  await expect(dialog).toBeVisible()
  await dialog.getByRole('textbox').press('Enter')
  await expect(dialog.getByRole('alert')).toBeVisible()
  await expectNoBarriers(page, 'a new chat')
  await page.keyboard.press('Escape')
}

async function checkSettings(page: Page): Promise<void> {
  await page.getByRole('navigation').getByRole('button').click()
  await expect(page.getByRole('dialog')).toBeVisible()
  await expectNoBarriers(page, 'settings')
  await page.keyboard.press('Escape')
}

async function checkProposal(page: Page, junho: Page): Promise<void> {
  await page.getByRole('navigation').getByRole('link').nth(1).click()
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await expectNoBarriers(page, 'teams')
  await page.getByRole('main').getByRole('button').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button').last().click()
  await expect(dialog.getByRole('alert')).toBeVisible()
  await expectNoBarriers(page, 'a proposal to be made')
  await dialog.getByRole('textbox').nth(3).fill('한강')
  await dialog.getByRole('button').last().click()
  await expect(page.locator('[data-proposal="open"]')).toBeVisible()
  await expect(junho.locator('[data-proposal="open"]')).toBeVisible()
  await expectNoBarriers(page, 'a proposal of one’s own')
}

async function checkImages(page: Page): Promise<void> {
  const dialog = page.getByRole('dialog')
  await page.getByTestId('picker').setInputFiles({ name: 'a', mimeType: 'image/png', buffer: Buffer.from('GIF') })
  await expect(dialog.getByRole('alert')).toBeVisible()
  await expectNoBarriers(page, 'an image refused')
  await page.keyboard.press('Escape')
  const buffer = await picture(page, 400, 300)
  await page.getByTestId('picker').setInputFiles({ name: 'a', mimeType: 'image/jpeg', buffer })
  await expect(page.getByTestId('preview')).toBeVisible()
  await expectNoBarriers(page, 'an image to be sent')
  await page.route('**/dev/objects/**', (route) => (route.request().method() === 'PUT' ? undefined : route.continue()))
  await dialog.getByRole('textbox').first().press('Enter')
  await expect(page.getByRole('progressbar')).toBeVisible()
  await expectNoBarriers(page, 'an image on its way')
  await page.locator('[data-image="ready"] button').click()
  await expect(page.getByTestId('viewed')).toBeVisible()
  await expectNoBarriers(page, 'an image on the whole screen')
  await page.keyboard.press('Escape')
  await page.getByTestId('picker').setInputFiles(['b', 'c', 'd'].map((name) => ({ name, mimeType: 'image/jpeg', buffer })))
  await expect(page.getByTestId('preview')).toHaveCount(3)
  await expectNoBarriers(page, 'images to be sent')
  await dialog.getByRole('textbox').first().press('Enter')
  await expect(page.locator('li[data-cell]')).toHaveCount(3)
  await expectNoBarriers(page, 'an album on its way')
}

/** Somebody of whom the page's owner has never heard has written. */
async function checkStranger(page: Page): Promise<void> {
  await expect(page.locator('[data-requests]')).toBeVisible()
  await expectNoBarriers(page, 'a list with a request')
  await page.locator('[data-requests] button').first().click()
  await page.locator(`[data-peer="${MINJI}"]`).click()
  await expect(page.locator('[data-consent="incoming"]')).toBeVisible()
  await expectNoBarriers(page, 'a request')
  const menu = page.locator('header [aria-haspopup="menu"]').last()
  await menu.click()
  await expect(page.getByRole('menuitem').first()).toBeVisible()
  await expectNoBarriers(page, 'the menu of a conversation')
  await page.getByRole('menuitem').nth(1).click()
  await expect(page.getByRole('dialog').getByRole('checkbox')).toHaveCount(1)
  await expectNoBarriers(page, 'a report')
  await page.keyboard.press('Escape')
  await menu.click()
  await page.getByRole('menuitem').first().click()
  await expect(page.locator('[data-consent="blocked"]')).toBeVisible()
  await expectNoBarriers(page, 'somebody blocked')
}

async function checkAsking(page: Page): Promise<void> {
  const chat = new Conversation(page)
  await chat.send('hello')
  await expect(page.locator('[data-consent="outgoing"]')).toBeVisible()
  await expectNoBarriers(page, 'what was asked')
}

async function checkAnswers(page: Page): Promise<void> {
  await expect(page.locator('[data-proposal="open"]')).toBeVisible()
  await expectNoBarriers(page, 'a proposal to be answered')
  await page.locator('[data-proposal] button').first().click()
  await expect(page.locator('[data-proposal="accepted"]')).toBeVisible()
  await expectNoBarriers(page, 'a proposal accepted')
}

type Seen = BrowserContextOptions & { languages?: readonly ('ko' | 'en')[] }

/** In both themes each: see `expectNoBarriers`. */
const SEEN = {
  'both themes': {},
  // Colours are the same in both languages.
  'forced colours': { forcedColors: 'active', languages: ['ko'] },
  // As a browser does it: half as many pixels, each twice as large.
  'twice as large': { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
} as const

for (const [how, { languages = ['ko', 'en'], ...options }] of Object.entries<Seen>(SEEN)) {
  for (const language of languages) {
    test.describe(`nothing is in the way of anybody: ${how}, ${language}`, () => {
      const seen = (browser: Browser) => browser.newContext({ ...options, reducedMotion: 'reduce' })
      const at = (peer: string) => `/${language}/chat/?with=${peer}`

      test('signing in, the list, a conversation', async ({ browser, open, server }) => {
        const context = await seen(browser)
        const page = await context.newPage()
        await page.goto(`${server.url}/${language}/chat/`)
        await expect(page.getByRole('button', { name: /minji/ })).toBeVisible()
        await expectNoBarriers(page, 'signing in')

        const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
        await junho.send('https://example.com 에서 만나요')
        await expect(junho.status('만나요')).toHaveAttribute('data-status', 'sent')
        await writeMany(junho.page, JUNHO, MINJI, 18)
        const minji = new Conversation(await open(context, MINJI, `/${language}/chat/`))
        await expect(minji.page.getByTestId('unread')).toHaveText('10')
        const total = minji.page.getByTestId('total-unread')
        await expect(total).toHaveText('10')
        expect(await total.evaluate((badge) => badge.scrollHeight <= badge.clientHeight)).toBe(true)
        await expectNoBarriers(minji.page, 'the list')
        await checkConversation(minji, junho)
      })

      test('dialogs, and proposals', async ({ browser, open }) => {
        const page = await open(await seen(browser), MINJI, `/${language}/chat/`)
        await online(page)
        await checkNewChat(page)
        await checkSettings(page)
        const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
        await checkProposal(page, junho.page)
        await checkAnswers(await open(await seen(browser), JUNHO, at(MINJI)))
      })

      test('replies, reactions, edits, deletions', async ({ browser, open }) => {
        const page = await open(await seen(browser), MINJI, at(JUNHO))
        await online(page)
        await new Conversation(page).send('hello')
        await expect(page.locator('[data-status="sent"]')).toBeVisible()
        await checkMessages(page)
      })

      test('finding, and clearing', async ({ browser, open }) => {
        const page = await open(await seen(browser), MINJI, at(JUNHO))
        await online(page)
        await new Conversation(page).send('hello')
        await expect(page.locator('[data-status="sent"]')).toBeVisible()
        await checkConversationMenu(page)
      })

      test('images', async ({ browser, open }) => {
        const minji = new Conversation(await open(await seen(browser), MINJI, at(JUNHO)))
        await online(minji.page)
        await checkImages(minji.page)
      })

      test.describe('strangers', () => {
        test.use({ flags: ['--first-contact', 'request'] })

        test('requests, reports, blocks', async ({ browser, open }) => {
          const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
          await minji.send('안녕하세요')
          await expect(minji.status('안녕하세요')).toHaveAttribute('data-status', 'sent')
          await checkStranger(await open(await seen(browser), JUNHO, `/${language}/chat/`))
          await checkAsking(await open(await seen(browser), MINJI, at('club@example.com')))
        })
      })
    })
  }
}
