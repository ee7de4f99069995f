import type { Locator } from '@playwright/test'
import { type Conversation, conversation, expect, JUNHO, MINJI, online, test } from './support/chat'
import { asTakenByPhone, picture, stored, type Upload } from './support/images'

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
  expect([(viewed?.y ?? 0) + (viewed?.height ?? 0) <= (view?.height ?? 0), viewed?.height ?? 0]).toEqual([true, 760 - 2 * 56])
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
    [Buffer.from('GIF89a\x02\0\x02\0\0\0\0,\0\0\0\0\x03\0\x02\0\0\x02\x02D\x01\0;', 'latin1'), 'outside.gif', /손상/],
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
