// Draws the icons that must be pixels, from public/icon.svg: icons.mjs
import { existsSync, readFileSync } from 'node:fs'
import { chromium } from '@playwright/test'

const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium'].find((path) => path && existsSync(path))
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
const mark = readFileSync('public/icon.svg', 'utf8')
// Phones cut the corners themselves, and an outer tenth of what is maskable.
const square = mark.replace(' rx="9"', '')
const maskable = square.replace(
  '<g transform="translate(-1.920 -1.920) scale(1.120)">',
  '<g transform="translate(1.6 1.6) scale(0.9)">',
)
if (square === mark || maskable === square) throw new Error('public/icon.svg has changed')
for (const [name, size, svg] of [
  ['icon-192', 192, mark],
  ['icon-512', 512, mark],
  ['icon-maskable', 512, maskable],
  ['apple-touch-icon', 180, square],
]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } })
  await page.setContent(
    `<body style="margin:0">${svg.replace('<svg', `<svg width="${size}" height="${size}" style="display:block"`)}`,
  )
  await page.screenshot({ path: `public/${name}.png`, omitBackground: true })
  await page.close()
}
await browser.close()
