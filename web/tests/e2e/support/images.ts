import type { Page } from '@playwright/test'

export interface Upload {
  name: string
  mimeType: string
  buffer: Buffer
}

/** A picture of many colours, drawn by the browser; not saved to the page. */
export async function picture(page: Page, width: number, height: number, type = 'image/jpeg'): Promise<Buffer> {
  const base64 = await page.evaluate(
    async ([width, height, type]) => {
      const canvas = new OffscreenCanvas(width, height)
      const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D
      const colours = context.createLinearGradient(0, 0, width, height)
      for (const [stop, colour] of [
        [0, '#245'],
        [0.4, '#2a7'],
        [0.7, '#eda'],
        [1, '#c63'],
      ] as const)
        colours.addColorStop(stop, colour)
      context.fillStyle = colours
      context.fillRect(0, 0, width, height)
      // Detail, as a photo has it: a plain area would be compressed to nothing.
      for (let dot = 0; dot < 3_000; dot += 1) {
        context.fillStyle = `hsl(${(dot * 47) % 360} 60% ${30 + (dot % 50)}% / 0.6)`
        const size = ((dot * 13) % 40) + 4
        context.fillRect((dot * 7919) % width, (dot * 104_729) % height, size, size)
      }
      const bytes = new Uint8Array(await (await canvas.convertToBlob({ type, quality: 0.92 })).arrayBuffer())
      let binary = ''
      for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
      return btoa(binary)
    },
    [width, height, type] as const,
  )
  return Buffer.from(base64, 'base64')
}

/** The same JPEG as a phone held upright would have taken it: turned by 90 degrees, with the place. */
export function asTakenByPhone(jpeg: Buffer): Buffer {
  const entry = (tag: number, type: number, count: number, value: number[]) => {
    const bytes = Buffer.alloc(12)
    bytes.writeUInt16LE(tag, 0)
    bytes.writeUInt16LE(type, 2)
    bytes.writeUInt32LE(count, 4)
    Buffer.from(value).copy(bytes, 8)
    return bytes
  }
  const directory = (...entries: Buffer[]) => {
    const count = Buffer.alloc(2)
    count.writeUInt16LE(entries.length)
    return Buffer.concat([count, ...entries, Buffer.alloc(4)])
  }
  const header = Buffer.from('II*\0\x08\0\0\0', 'latin1')
  // The second directory begins after the header (8), and the first one: 2 + 2 * 12 + 4.
  const first = directory(entry(0x0112, 3, 1, [6, 0, 0, 0]), entry(0x8825, 4, 1, [38, 0, 0, 0]))
  const gps = directory(entry(1, 2, 2, [0x4e, 0, 0, 0]), entry(3, 2, 2, [0x45, 0, 0, 0]))
  const payload = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), header, first, gps])
  const marker = Buffer.alloc(4)
  marker.writeUInt16BE(0xffe1, 0)
  marker.writeUInt16BE(payload.length + 2, 2)
  return Buffer.concat([jpeg.subarray(0, 2), marker, payload, jpeg.subarray(2)])
}

/** What the server has of a conversation, and the bytes of its images. */
export async function stored(url: string, user: string, peer: string) {
  const login = await fetch(`${url}/dev/login`, { method: 'POST', body: JSON.stringify({ email: user }) })
  const { accessToken } = (await login.json()) as { accessToken: string }
  const ask = async (path: string) => (await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${accessToken}` } })).json()
  const { messages } = (await ask(`/chat/history?with=${encodeURIComponent(peer)}`)) as {
    messages: {
      kind: string
      message: string
      attachment?: { key: string; size: number; contentType: string; width: number; height: number }
    }[]
  }
  return Promise.all(
    messages.map(async (message) => {
      if (message.attachment === undefined) return { ...message, bytes: Buffer.alloc(0) }
      const { url: place } = (await ask(`/chat/attachments/${message.attachment.key}`)) as { url: string }
      return { ...message, bytes: Buffer.from(await (await fetch(place)).arrayBuffer()) }
    }),
  )
}

/** An AVIF of 32 by 24 pixels: red on the left, transparent on the right. */
export const AVIF = Buffer.from(
  'AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAAGGbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAAAAAAAAAOcGl0bQAAAAAAAQAAACxpbG9jAAAAAEQAAAIAAQAAAAEAAAHLAAAANAACAAAAAQAAAa4AAAAdAAAAQmlpbmYAAAAAAAIAAAAaaW5mZQIAAAAAAQAAYXYwMUNvbG9yAAAAABppbmZlAgAAAAACAABhdjAxQWxwaGEAAAAAGmlyZWYAAAAAAAAADmF1eGwAAgABAAEAAADDaXBycAAAAJ1pcGNvAAAAFGlzcGUAAAAAAAAAIAAAABgAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEADQAGgAAAAA5waXhpAAAAAAEIAAAADGF2MUOBABwAAAAAOGF1eEMAAAAAdXJuOm1wZWc6bXBlZ0I6Y2ljcDpzeXN0ZW1zOmF1eGlsaWFyeTphbHBoYQAAAAAeaXBtYQAAAAAAAAACAAEEAQKDBAACBAEFhgcAAABZbWRhdBIACgUYET92FTISFkAYYUASMMUGGpyaeERTNScYEgAKCRgRP3aICGg0IDIlF4eHhiGEkkkmUAAACEXPX9gaMArYc4QwezTi4sE/9Wb+TqlMHg==',
  'base64',
)

/** The same, by the brand that AVIF and HEIC share. */
export const AVIF_AS_MIF1 = Buffer.concat([AVIF.subarray(0, 8), Buffer.from('mif1'), AVIF.subarray(12)])
