// The JavaScript that a first visit of a page loads, gzipped, against budget.json: every script that the page names, without the one for
// browsers that have no modules.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const budgets = JSON.parse(readFileSync('budget.json', 'utf8'))
let over = false
for (const { page, javascriptKilobytes } of budgets) {
  const html = readFileSync(`out/${page}`, 'utf8')
  const scripts = [...html.matchAll(/<script(?![^>]*\snomodule)[^>]*\ssrc="([^"]+)"/gi)].map(([, source]) => source.split('?')[0])
  const bytes = [...new Set(scripts)].reduce((sum, source) => sum + gzipSync(readFileSync(`out${source}`), { level: 9 }).length, 0)
  const fits = bytes <= javascriptKilobytes * 1_000
  over ||= !fits
  console.log(`${page}: ${(bytes / 1_000).toFixed(1)} of ${javascriptKilobytes} kB of JavaScript${fits ? '' : ' - too much'}`)
}
process.exit(over ? 1 : 0)
