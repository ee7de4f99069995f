import { conversation, expect, JUNHO, MINJI, test } from './support/chat'

// docs/chaos.md. With this seed functions are killed, answers, pushes and connections lost, within the first dozen messages.
test.use({ flags: ['--chaos', '3:storm'] })

test('on a bad day everything two people write arrives once and in order', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  // Where loading has failed three times, the page leaves it to its user.
  for (const { page } of [minji, junho]) {
    const again = page.getByRole('button', { name: '다시 시도' }).first()
    // It may come back by itself before the button is pressed.
    await page.addLocatorHandler(again, () => again.click({ timeout: 2_000 }).catch(() => {}), { noWaitAfter: true })
  }
  const all: string[] = []
  for (let number = 1; number <= 12; number += 1) {
    const from = number % 2 === 1 ? minji : junho
    const text = `${number}번째 말`
    await from.send(text)
    await expect(from.status(text)).toHaveAttribute('data-status', /sent|read/)
    all.push(text)
  }
  // What a lost push would have told is found by looking at the page again.
  for (const { page } of [minji, junho]) await page.evaluate(() => window.dispatchEvent(new Event('focus')))
  for (const one of [minji, junho]) {
    await expect(one.text('12번째 말')).toBeVisible()
    await expect.poll(() => one.texts()).toEqual(all)
  }

  // Nothing of it was only on the screen.
  await junho.page.reload()
  await expect(junho.text('12번째 말')).toBeVisible()
  await expect.poll(() => junho.texts()).toEqual(all)
})
