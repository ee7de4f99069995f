import type { Locator } from '@playwright/test'
import { expectNoBarriers } from './support/axe'
import { type Conversation, conversation, expect, JUNHO, MINJI, online, test } from './support/chat'
import { AVIF, AVIF_AS_MIF1, asTakenByPhone, picture, stored, type Upload } from './support/images'

const jpeg = (buffer: Buffer, name = 'photo.jpg'): Upload => ({ name, mimeType: 'image/jpeg', buffer })
const pick = (chat: Conversation, file: Upload) => chat.page.getByTestId('picker').setInputFiles(file)
const dialog = (chat: Conversation) => chat.page.getByRole('dialog')
const image = (chat: Conversation) => chat.rows.locator('[data-image="ready"] img')

async function sendPicked(chat: Conversation): Promise<void> {
  await expect(chat.page.getByTestId('preview')).toBeVisible()
  await dialog(chat).getByRole('button', { name: '보내기' }).click()
  await expect(dialog(chat)).toHaveCount(0)
}

/** What an image is on the screen: its own size in pixels, decoded, and the room it takes. */
const shown = (chat: Conversation) =>
  image(chat).evaluate(async (element: HTMLImageElement) => {
    await element.decode()
    const { width, height } = element.getBoundingClientRect()
    return { natural: [element.naturalWidth, element.naturalHeight], room: [Math.round(width), Math.round(height)] }
  })

test('an image reaches the other screen, smaller, upright, and without the place where it was taken', async ({
  browser,
  open,
  server,
}) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const junho = await conversation(open, await browser.newContext(), JUNHO, MINJI)
  const photo = asTakenByPhone(await picture(minji.page, 4_000, 3_000))
  expect(photo.subarray(0, 64).includes('Exif')).toBe(true)
  await pick(minji, jpeg(photo))
  await expect(minji.page.getByTestId('preview')).toBeVisible()
  await dialog(minji).getByLabel('설명').fill('어제 경기')
  await dialog(minji).getByLabel('대체 텍스트').fill('골대 앞의 선수들')
  await minji.page.keyboard.press('Enter')
  await expect(dialog(minji)).toHaveCount(0)
  await expect(minji.field).toBeFocused()

  await expect(image(junho)).toHaveAttribute('alt', '골대 앞의 선수들')
  expect(await shown(junho)).toEqual({ natural: [1_536, 2_048], room: [270, 360] })
  expect(await shown(minji)).toEqual(await shown(junho))
  await expect(junho.text('어제 경기')).toBeVisible()
  await expect(junho.page.getByTestId('spoken')).toHaveText('minji: 사진: 어제 경기')
  await expect(junho.page.locator(`button[data-peer="${MINJI}"]`)).toContainText('사진: 어제 경기')
  await expect(minji.status('어제 경기')).toHaveAttribute('data-status', 'read')

  const [message] = await stored(server.url, JUNHO, MINJI)
  expect(message?.kind).toBe('image')
  expect(message?.bytes.length).toBe(message?.attachment?.size)
  expect(message?.bytes.subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]))
  for (const trace of ['Exif', 'GPS', 'http://ns.adobe.com']) expect(message?.bytes.includes(trace)).toBe(false)

  // On the whole screen, by keyboard, and back.
  const thumbnail = junho.page.getByRole('button', { name: '크게 보기: 골대 앞의 선수들' })
  await thumbnail.focus()
  await junho.page.keyboard.press('Enter')
  const viewed = await junho.page.getByTestId('viewed').boundingBox()
  const view = junho.page.viewportSize()
  expect([(viewed?.y ?? 0) + (viewed?.height ?? 0) <= (view?.height ?? 0), Math.round(viewed?.height ?? 0)]).toEqual([
    true,
    760 - 2 * 56,
  ])
  await junho.page.keyboard.press('Tab')
  expect(await junho.page.evaluate(() => document.activeElement?.closest('dialog') !== null)).toBe(true)
  await junho.page.keyboard.press('Escape')
  await expect(junho.page.getByTestId('viewed')).toHaveCount(0)
  await expect(thumbnail).toBeFocused()
})

test('an image can be pasted, and dropped', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const png = await picture(minji.page, 300, 200, 'image/png')
  const give = (type: 'paste' | 'drop') =>
    minji.field.evaluate(
      (field, [type, base64]) => {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
        const data = new DataTransfer()
        data.items.add(new File([bytes], 'picture.png', { type: 'image/png' }))
        const options = { bubbles: true, cancelable: true }
        if (type === 'drop') field.dispatchEvent(new DragEvent('dragenter', { ...options, dataTransfer: data }))
        field.dispatchEvent(
          type === 'paste'
            ? new ClipboardEvent('paste', { ...options, clipboardData: data })
            : new DragEvent('drop', { ...options, dataTransfer: data }),
        )
      },
      [type, png.toString('base64')] as const,
    )
  for (const [count, type] of [
    [1, 'paste'],
    [2, 'drop'],
  ] as const) {
    await give(type)
    await sendPicked(minji)
    await expect(image(minji)).toHaveCount(count)
  }
  expect(
    await image(minji)
      .first()
      .evaluate((element: HTMLImageElement) => element.naturalWidth),
  ).toBe(300)
})

test('a copied file is pasted although its name comes with it as text', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const paste = (words: string) =>
    minji.field.evaluate((field, words) => {
      const clipboardData = new DataTransfer()
      clipboardData.items.add(new File(['GIF'], 'photo.gif', { type: 'image/gif' }))
      clipboardData.setData('text/plain', words)
      const event = new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData })
      field.dispatchEvent(event)
      return event.defaultPrevented
    }, words)
  expect(await paste('1\t2')).toBe(false)
  await expect(dialog(minji)).toHaveCount(0)
  expect(await paste('/home/minji/photo.gif')).toBe(true)
  await expect(dialog(minji)).toBeVisible()
})

test('a file that is dropped beside the conversation does not lead away from the page', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const { page } = minji
  // What is left to the browser, it opens in the page's place.
  const isKept = (place: Locator) =>
    place.evaluate((element) => {
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File(['GIF'], 'photo.gif', { type: 'image/gif' }))
      return ['dragenter', 'dragover', 'drop'].map((type) => {
        const event = new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer })
        element.dispatchEvent(event)
        return event.defaultPrevented
      })
    })
  const kept = [false, true, true]
  expect(await isKept(page.getByRole('searchbox'))).toEqual(kept)
  expect(await isKept(page.getByRole('navigation'))).toEqual(kept)
  await page.getByRole('button', { name: '설정' }).click()
  expect(await isKept(dialog(minji))).toEqual(kept)
  await page.keyboard.press('Escape')
  await expect(dialog(minji)).toHaveCount(0)
  expect(await isKept(minji.scroller)).toEqual(kept)
  await expect(dialog(minji)).toBeVisible()
})

test('what cannot be sent is refused in words', async ({ browser, open }) => {
  const context = await browser.newContext()
  await context.route('**/config.json', async (route) => {
    const config = await (await route.fetch()).json()
    await route.fulfill({ json: { ...config, limits: { ...config.limits, imageBytes: 2_000 } } })
  })
  const minji = await conversation(open, context, MINJI, JUNHO)
  const photo = await picture(minji.page, 2_000, 1_500)
  const bomb = await picture(minji.page, 8, 8, 'image/png')
  bomb.writeUInt32BE(8_193, 16)
  bomb.writeUInt32BE(8_192, 20)
  const cases: [Buffer, string, RegExp][] = [
    [Buffer.from('<!doctype html><script>alert(1)</script>'), 'photo.png', /JPEG, PNG, WebP, GIF 사진만/],
    [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'drawing.svg', /JPEG, PNG, WebP, GIF 사진만/],
    [Buffer.alloc(0), 'empty.jpg', /빈 파일/],
    [photo.subarray(0, 40), 'damaged.jpg', /손상/],
    [bomb, 'bomb.png', /가로나 세로/],
    [Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'), 'IMG_0001.HEIC', /HEIC/],
    [photo, 'large.jpg', /너무 큽니다/],
  ]
  for (const [buffer, name, words] of cases) {
    await pick(minji, jpeg(buffer, name))
    await expect(dialog(minji).getByRole('alert')).toHaveText(words)
    await minji.page.keyboard.press('Escape')
    await expect(dialog(minji)).toHaveCount(0)
  }
  await expect(minji.rows).toHaveCount(0)
})

test('an upload can be stopped, and then nothing is sent', async ({ browser, open, server }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await minji.page.route('**/dev/objects/**', () => {
    // It never ends.
  })
  await pick(minji, jpeg(await picture(minji.page, 400, 300)))
  await sendPicked(minji)
  await expect(minji.page.getByRole('progressbar', { name: '사진 올리는 중' })).toBeVisible()
  await minji.page.getByRole('button', { name: '취소' }).click()
  await expect(minji.rows).toHaveCount(0)
  await minji.send('다음 말')
  await expect(minji.status('다음 말')).toHaveAttribute('data-status', 'sent')
  expect((await stored(server.url, MINJI, JUNHO)).map(({ kind }) => kind)).toEqual(['text'])
})

test('an upload whose answer is lost is not done twice', async ({ browser, open, server }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const statuses: number[] = []
  let grants = 0
  await minji.page.route('**/chat/uploads', (route) => {
    grants += 1
    return route.continue()
  })
  await minji.page.route('**/dev/objects/**', async (route) => {
    const answer = await route.fetch()
    if (route.request().method() === 'PUT') statuses.push(answer.status())
    if (statuses.length === 1) await route.abort()
    else await route.fulfill({ response: answer })
  })
  await pick(minji, jpeg(await picture(minji.page, 400, 300)))
  await sendPicked(minji)
  await expect(minji.rows.locator('[data-status="sent"]')).toBeVisible()
  // It was there already.
  expect(statuses).toEqual([200, 412])
  expect(grants).toBe(1)
  expect(await stored(server.url, MINJI, JUNHO)).toHaveLength(1)
})

test('an upload that is refused is looked for, and done anew if nothing is there', async ({ browser, open, server }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const asked: [string, number][] = []
  await minji.page.route('**/dev/objects/**', async (route) => {
    const method = route.request().method()
    if (asked.length === 0) {
      asked.push([method, 403])
      return route.fulfill({ status: 403 })
    }
    const answer = await route.fetch()
    if (asked.length < 3) asked.push([method, answer.status()])
    return route.fulfill({ response: answer })
  })
  await pick(minji, jpeg(await picture(minji.page, 400, 300)))
  await sendPicked(minji)
  await expect(minji.rows.locator('[data-status="sent"]')).toBeVisible()
  expect(asked).toEqual([
    ['PUT', 403],
    ['GET', 404],
    ['PUT', 200],
  ])
  expect(await stored(server.url, MINJI, JUNHO)).toHaveLength(1)
})

test('an image written offline survives the page, and is sent once by the next one', async ({ browser, open, server }) => {
  const context = await browser.newContext()
  const minji = await conversation(open, context, MINJI, JUNHO)
  await minji.page.routeWebSocket(/./, (socket) => void socket.close())
  await minji.page.reload()
  await expect(minji.field).toBeVisible()
  await expect(minji.page.getByRole('status')).toContainText('연결')
  await pick(minji, jpeg(await picture(minji.page, 600, 400)))
  await sendPicked(minji)
  await expect(image(minji)).toBeVisible()
  await expect(minji.page.getByText('연결되면 올립니다')).toBeVisible()
  await minji.page.close()

  const again = await conversation(open, context, MINJI, JUNHO)
  await expect(again.rows.locator('[data-status="sent"]')).toBeVisible()
  expect((await shown(again)).natural).toEqual([600, 400])
  expect(await stored(server.url, MINJI, JUNHO)).toHaveLength(1)
})

test('an image that went with the database says so, and what was written with it is sent', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await minji.page.route('**/chat/uploads', () => {
    // It never answers.
  })
  await pick(minji, jpeg(await picture(minji.page, 400, 300)))
  await sendPicked(minji)
  await expect(minji.rows.locator('[data-status="sending"]')).toBeVisible()
  await minji.page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase('chat')
        request.onsuccess = resolve
        request.onerror = request.onblocked = reject
      }),
  )
  await minji.send('사진 보세요')
  await minji.kept()
  await minji.page.reload()
  await expect(minji.rows.getByText('이 기기에 사진이 남아 있지 않습니다')).toBeVisible()
  await expect(minji.status('사진 보세요')).toHaveAttribute('data-status', 'sent')
  await expect(minji.page.getByRole('button', { name: '다시 보내기' })).toHaveCount(0)
  await minji.page.getByRole('button', { name: '삭제' }).click()
  await expect(minji.rows).toHaveCount(1)
})

test('an image that this device has lost says so', async ({ browser, open, server }) => {
  const context = await browser.newContext()
  const minji = await conversation(open, context, MINJI, JUNHO)
  await minji.page.route('**/chat/uploads', () => {
    // It never answers.
  })
  await pick(minji, jpeg(await picture(minji.page, 400, 300)))
  await sendPicked(minji)
  await expect(minji.rows.locator('[data-status="sending"]')).toBeVisible()
  await expect
    .poll(() =>
      minji.page.evaluate(
        () =>
          new Promise((resolve) => {
            indexedDB.open('chat').onsuccess = (event) => {
              const database = (event.target as IDBOpenDBRequest).result
              const transaction = database.transaction('images', 'readwrite')
              const count = transaction.objectStore('images').count()
              transaction.objectStore('images').clear()
              transaction.oncomplete = () => {
                database.close()
                resolve(count.result)
              }
            }
          }),
      ),
    )
    .toBe(1)
  await minji.page.close()

  const again = await conversation(open, context, MINJI, JUNHO)
  await expect(again.rows.getByText('이 기기에 사진이 남아 있지 않습니다')).toBeVisible()
  await expect(again.page.getByTestId('failed')).toContainText('전송 실패')
  await expect(again.page.getByRole('button', { name: '다시 보내기' })).toHaveCount(0)
  await again.page.getByRole('button', { name: '삭제' }).click()
  await expect(again.rows).toHaveCount(0)
  expect(await stored(server.url, MINJI, JUNHO)).toHaveLength(0)
})

test('an image that does not load can be asked for again', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await pick(minji, jpeg(await picture(minji.page, 400, 300)))
  await sendPicked(minji)
  await expect(minji.rows.locator('[data-status="sent"]')).toBeVisible()
  const context = await browser.newContext()
  await context.route('**/dev/objects/**', (route) => route.abort())
  const junho = await conversation(open, context, JUNHO, MINJI)
  const room = async () => (await junho.rows.first().boundingBox())?.height
  await expect(junho.page.getByText('사진을 불러오지 못했습니다')).toBeVisible()
  const before = await room()
  await context.unroute('**/dev/objects/**')
  await junho.page.getByRole('button', { name: /다시 시도/ }).click()
  await expect(image(junho)).toBeVisible()
  // Nothing moved: the room was reserved.
  expect(await room()).toBe(before)
  await online(junho.page)
})

test('a picture of a whole page stays as wide as a phone’s screen', async ({ browser, open, server }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  for (const [count, height] of [
    [1, 10_000],
    [2, 20_000],
  ] as const) {
    await pick(minji, jpeg(await picture(minji.page, 1_080, height, 'image/png'), 'page.png'))
    await sendPicked(minji)
    await expect(minji.rows.locator('[data-status="sent"]')).toHaveCount(1)
    await expect.poll(async () => (await stored(server.url, MINJI, JUNHO)).length).toBe(count)
  }
  const sizes = (await stored(server.url, MINJI, JUNHO)).map(({ attachment }) => attachment)
  expect(sizes).toMatchObject([
    { width: 885, height: 16_383 },
    { width: 1_080, height: 10_000 },
  ])
  // Apart from each other, for two that follow one another are an album.
  await minji.send('끝')
  await pick(minji, jpeg(await picture(minji.page, 1_080, 10_000, 'image/png'), 'page.png'))
  await sendPicked(minji)
  // A part of it is seen, not a stripe.
  const { width = 0, height = 0 } = (await image(minji).last().boundingBox()) ?? {}
  expect(width).toBeGreaterThanOrEqual(160)
  expect(height).toBeLessThanOrEqual(360)
})

test('what the browser can draw is sent, although something is missing or strange in its file', async ({
  browser,
  open,
  server,
}) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const photo = await picture(minji.page, 400, 300)
  const gif = (text: string) => Buffer.from(text, 'latin1')
  const screen = 'GIF89a\x02\0\x02\0\x80\0\0\0\0\0\xff\xff\xff'
  const frame = ',\0\0\0\0\x02\0\x02\0\0\x02\x03\x44\x02\x05\0'
  const files: [string, Buffer][] = [
    ['without-its-end.jpg', photo.subarray(0, -2)],
    ['half.jpg', photo.subarray(0, photo.length / 2)],
    ['without-trailer.gif', gif(`${screen}${frame}`)],
    ['zeros-between.gif', gif(`${screen}${frame}\0\0${frame};`)],
    ['beyond-the-screen.gif', gif(`${screen},\0\0\0\0\x03\0\x02\0\0\x02\x03\x44\x02\x05\0;`)],
    ['cut-last-frame.gif', gif(`${screen}${frame}${frame.slice(0, -4)}`)],
    ['plain.avif', AVIF],
    ['by-another-brand.avif', AVIF_AS_MIF1],
  ]
  for (const [index, [name, buffer]] of files.entries()) {
    await test.step(name, async () => {
      await pick(minji, { name, mimeType: '', buffer })
      await sendPicked(minji)
      await expect.poll(async () => (await stored(server.url, MINJI, JUNHO)).length).toBe(index + 1)
    })
  }
  // What is transparent stays so, or is white where it cannot: never black.
  const [newest] = await stored(server.url, MINJI, JUNHO)
  const corner = await minji.page.evaluate(
    async ([base64, type]) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
      const bitmap = await createImageBitmap(new Blob([bytes], { type }))
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')
      context?.drawImage(bitmap, 0, 0)
      return [...(context?.getImageData(bitmap.width - 1, 0, 1, 1).data ?? [])]
    },
    [newest?.bytes.toString('base64') ?? '', newest?.attachment?.contentType ?? ''] as const,
  )
  expect([corner[3] === 0, newest?.attachment?.contentType]).toEqual([true, 'image/webp'])
})

test('a browser that gives back other pixels than were drawn is noticed', async ({ browser, open }) => {
  const context = await browser.newContext()
  await context.addInitScript(() => {
    // As Firefox does that resists fingerprinting. Without it, the page itself draws.
    Object.assign(window, { OffscreenCanvas: undefined })
    const read = CanvasRenderingContext2D.prototype.getImageData
    CanvasRenderingContext2D.prototype.getImageData = function (this: CanvasRenderingContext2D, ...where: Parameters<typeof read>) {
      const image = read.apply(this, where)
      crypto.getRandomValues(image.data)
      return image
    } as typeof read
  })
  const minji = await conversation(open, context, MINJI, JUNHO)
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  )
  await pick(minji, { name: 'a.png', mimeType: 'image/png', buffer: png })
  await expect(dialog(minji).getByRole('alert')).toContainText('줄무늬로')
})

/** Sends photos of these widths, one after the other. */
async function sendPhotos(chat: Conversation, ...widths: number[]): Promise<void> {
  for (const [index, width] of widths.entries()) {
    await pick(chat, jpeg(await picture(chat.page, width, 300)))
    await sendPicked(chat)
    await expect(image(chat)).toHaveCount(index + 1)
    await expect(chat.rows.locator('[data-status="sent"]').last()).toBeVisible()
  }
}

test('photos are viewed one after the other, zoomed and saved, by mouse and by keyboard', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const { page } = minji
  await sendPhotos(minji, 400, 500, 600)
  const viewed = page.getByTestId('viewed')
  const width = () => viewed.evaluate((element: HTMLImageElement) => element.naturalWidth)
  const scale = async () => Number(await viewed.getAttribute('data-scale'))
  await minji.rows
    .getByRole('button', { name: /크게 보기/ })
    .nth(1)
    .click()
  await expect(page.getByText('3장 중 2번째')).toBeVisible()
  await expect.poll(width).toBe(500)
  await page.keyboard.press('ArrowRight')
  await expect.poll(width).toBe(600)
  await expect(page.getByRole('button', { name: '다음 사진' })).toHaveCount(0)
  await page.keyboard.press('ArrowRight')
  await expect.poll(width).toBe(600)
  const previous = page.getByRole('button', { name: '이전 사진' })
  await previous.focus()
  await page.keyboard.press('Enter')
  await expect.poll(width).toBe(500)
  await expect(previous).toBeFocused()

  await page.keyboard.press('+')
  await expect.poll(scale).toBeGreaterThan(1.3)
  await page.keyboard.press('0')
  await expect.poll(scale).toBe(1)
  await page.mouse.move(600, 380)
  await page.mouse.wheel(0, -300)
  await expect.poll(scale).toBeGreaterThan(1.5)
  await page.mouse.dblclick(600, 380)
  await expect.poll(scale).toBe(1)
  await page.mouse.dblclick(600, 380)
  await expect.poll(scale).toBe(2.5)
  // What is zoomed is moved by the mouse, and does not turn.
  const before = await viewed.boundingBox()
  await page.mouse.move(600, 380)
  await page.mouse.down()
  await page.mouse.move(560, 350, { steps: 4 })
  await page.mouse.up()
  await expect.poll(async () => (await viewed.boundingBox())?.y).not.toBe(before?.y)
  await expect.poll(width).toBe(500)

  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: '사진 저장' }).click()
  expect((await download).suggestedFilename()).toMatch(/^photo-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.jpg$/)
  // Tab stays among the buttons.
  for (let count = 0; count < 8; count += 1) {
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.closest('dialog') !== null)).toBe(true)
  }
  // Beside the photo a press closes it.
  await page.keyboard.press('0')
  await page.mouse.click(80, 700)
  await expect(viewed).toHaveCount(0)
})

test('a long photo is viewed from its top, as wide as the screen, and scrolled', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const { page } = minji
  await pick(minji, jpeg(await picture(page, 1_080, 10_000, 'image/png'), 'page.png'))
  await sendPicked(minji)
  await minji.rows.getByRole('button', { name: /크게 보기/ }).click()
  const viewed = page.getByTestId('viewed')
  const box = async () => (await viewed.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
  await expect.poll(async () => (await box()).width).toBeGreaterThan(1_000)
  expect(Math.round((await box()).y)).toBe(56)
  await page.mouse.move(600, 380)
  await page.mouse.wheel(0, 500)
  await expect.poll(async () => Math.round((await box()).y)).toBe(56 - 500)
  await page.keyboard.press('ArrowDown')
  await expect.poll(async () => Math.round((await box()).y)).toBe(56 - 580)
})

test('on a phone photos are swiped, zoomed with two fingers, and swept away', async ({ browser, open }) => {
  const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
  const minji = await conversation(open, phone, MINJI, JUNHO)
  const { page } = minji
  await sendPhotos(minji, 400, 500)
  await minji.rows
    .getByRole('button', { name: /크게 보기/ })
    .last()
    .tap()
  const viewed = page.getByTestId('viewed')
  const width = () => viewed.evaluate((element: HTMLImageElement) => element.naturalWidth)
  await expect.poll(width).toBe(500)
  const session = await phone.newCDPSession(page)
  type Touches = { x: number; y: number; id?: number }[]
  const touch = async (...steps: Touches[]) => {
    for (const [index, touchPoints] of steps.entries())
      await session.send('Input.dispatchTouchEvent', { type: index === 0 ? 'touchStart' : 'touchMove', touchPoints })
    await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
  }
  await touch([{ x: 100, y: 400 }], [{ x: 180, y: 404 }], [{ x: 300, y: 408 }])
  await expect.poll(width).toBe(400)
  const fingers = (apart: number) => [
    { x: 195 - apart, y: 420, id: 0 },
    { x: 195 + apart, y: 420, id: 1 },
  ]
  await touch(fingers(30), fingers(60), fingers(90))
  await expect.poll(async () => Number(await viewed.getAttribute('data-scale'))).toBeGreaterThan(2)
  await page.keyboard.press('0')
  await touch([{ x: 200, y: 300 }], [{ x: 204, y: 380 }], [{ x: 206, y: 520 }])
  await expect(viewed).toHaveCount(0)
  await expect(minji.scroller).toBeVisible()
})

test('a photo that does not come, or cannot be saved, says so, and can be asked for again', async ({ browser, open }) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  await sendPhotos(minji, 400)
  const context = await browser.newContext()
  const junho = await conversation(open, context, JUNHO, MINJI)
  await expect(image(junho)).toBeVisible()
  await junho.page.getByRole('button', { name: /크게 보기/ }).click()
  await expect(junho.page.getByTestId('viewed')).toBeVisible()
  await context.route('**/dev/objects/**', (route) => route.abort())
  await junho.page.getByRole('button', { name: '사진 저장' }).click()
  await expect(junho.page.getByText('사진을 저장하지 못했습니다')).toBeVisible()
})

test('several photos are picked at once, each becomes a message, and one that cannot be sent is left out in words', async ({
  browser,
  open,
  server,
}) => {
  const minji = await conversation(open, await browser.newContext(), MINJI, JUNHO)
  const { page } = minji
  const photos = [await picture(page, 400, 300), Buffer.from('none'), await picture(page, 300, 400), await picture(page, 500, 300)]
  await page.getByTestId('picker').setInputFiles(photos.map((buffer, index) => jpeg(buffer, `${index}.jpg`)))
  await expect(page.getByTestId('preview')).toHaveCount(3)
  await expect(dialog(minji).getByRole('heading')).toHaveText('사진 4장 보내기')
  await expect(dialog(minji).getByRole('alert')).toContainText('1장은 보낼 수 없습니다')
  await expectNoBarriers(page, 'images of which one is refused')
  await dialog(minji).getByLabel('설명').fill('어제 경기')
  await page.keyboard.press('Enter')
  await expect(dialog(minji)).toHaveCount(0)
  await expect.poll(async () => (await stored(server.url, MINJI, JUNHO)).length).toBe(3)
  const messages = (await stored(server.url, MINJI, JUNHO)).reverse()
  expect(messages.map(({ attachment, message }) => [attachment?.width, message])).toEqual([
    [400, ''],
    [300, ''],
    [500, '어제 경기'],
  ])
})
