// Makes the exported pages fit a Content-Security-Policy without `unsafe-inline`: what Next.js writes as inline scripts becomes files
// beside its own. They run in the same order, since a classic script holds up what follows it. So the policy is the same line on every
// host, and no list of hashes has to be kept in step with the pages.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'

const OUT = 'out'
const CHUNKS = '_next/static/chunks'
// Scripts that only hold data may stay, since browsers do not run them.
const INLINE = /<script(?![^>]*\ssrc=)(?![^>]*type="application\/json")([^>]*)>([\s\S]*?)<\/script>/g
const RUNS = new RegExp(`(?:${INLINE.source})+`, 'g')

/** The files that an `import()` fetches, by what only one of them says. */
function filesOf(words) {
  const chunks = readdirSync(join(OUT, CHUNKS)).filter((name) => name.endsWith('.js'))
  const codes = new Map(chunks.map((name) => [`${CHUNKS}/${name}`, readFileSync(join(OUT, CHUNKS, name), 'utf8')]))
  const lists = [...codes.values()].flatMap((code) => [...code.matchAll(/Promise\.all\((\[(?:"static\/chunks\/[^"]+",?)+\])/g)])
  const found = lists
    .map(([, list]) => JSON.parse(list).map((name) => `_next/${name}`))
    .filter((files) => files.some((file) => codes.get(file)?.includes(words)))
  if (new Set(found.map(String)).size !== 1)
    throw new Error(`what fetches "${words}" is not found: the bundler has changed how it does`)
  return found[0].map((file) => `/${file}`)
}
const SIGN_IN = { dev: filesOf('chat.dev-user'), oidc: filesOf('automaticSilentRenew') }

/** What runs before anything is drawn, and before anything may be missing. */
const FIRST = ['not-started', 'theme', 'ahead']
  .map((name) => readFileSync(`scripts/${name}.js`, 'utf8'))
  .map((code) => code.replace(/^ *(\/\/.*\n)?/gm, '').replace('SIGN_IN[', `(${JSON.stringify(SIGN_IN)})[`))
  .map((code) => `<script>${code}</script>`)
  .join('')
// Next.js waits four seconds for its manifests after it starts, and then never shows the page. They stand in front of its code, so they
// are there in time, and are one file: each of three would hold up a file of the code.
const MANIFEST = /<script src="\/(_next\/static\/[^/"]+\/_\w+Manifest\.js)" defer=""><\/script>/g
const made = (html) => {
  const manifests = [...html.matchAll(MANIFEST)].map(([, file]) => readFileSync(join(OUT, file), 'utf8'))
  const rest = html.replace(MANIFEST, '')
  const code = rest.indexOf('<script src="/_next/static/chunks/')
  if (manifests.length > 0 !== code >= 0) throw new Error('Next.js has changed where its manifests are')
  if (code < 0) return html
  const script = `<script src="/${written('_next/static/manifests', manifests)}" defer=""></script>`
  // What runs first stands in front of the first inline script, and becomes one file with it.
  return (rest.slice(0, code) + script + rest.slice(code)).replace('<script', () => `${FIRST}<script`)
}

/** Writes scripts as one file; returns its path. */
function written(folder, scripts) {
  const code = scripts.join('\n;')
  const file = `${folder}/${createHash('sha256').update(code).digest('hex').slice(0, 16)}.js`
  mkdirSync(join(OUT, folder), { recursive: true })
  writeFileSync(join(OUT, file), code)
  return file
}

const page = (title, body, head = '') =>
  `<!doctype html><html lang="ko"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>${head}</head><body>${body}</body></html>\n`
const entry = page(
  '두리',
  '<script src="/enter.js"></script><noscript><a href="/ko/chat/">채팅</a> <a href="/en/chat/">Chat</a></noscript>',
)

// The page for addresses that do not exist is made without Next.js, whose own has inline styles. It has both languages and hides one.
const [styles] = /<link rel="stylesheet" href="[^"]+"/.exec(readFileSync(join(OUT, 'ko/chat/index.html'), 'utf8'))
const HIDDEN = { ko: 'in-[[lang=en]]:hidden', en: 'in-[[lang=ko]]:hidden' }
const notFound = Object.entries(HIDDEN).map(([language, hidden]) => {
  const { title, hint, chat } = JSON.parse(readFileSync(`messages/${language}.json`, 'utf8')).notFound
  return `<main class="${hidden} grid min-h-dvh place-items-center px-6"><div class="max-w-sm text-center"><img src="/icon.svg" alt="" width="56" height="56" class="mx-auto mb-5"><p aria-hidden="true" class="mb-2 font-semibold text-5xl text-muted tabular-nums">404</p><h1 class="mb-1 font-semibold text-lg">${title}</h1><p class="mb-5 text-muted">${hint}</p><a href="/${language}/chat/" class="inline-flex min-h-10 items-center rounded-lg bg-accent px-4 font-medium text-on-accent hover:bg-accent-strong">${chat}</a></div></main>`
})
for (const name of ['404', '404.html']) rmSync(join(OUT, name), { recursive: true, force: true })
writeFileSync(
  join(OUT, '404.html'),
  page('404', notFound.join(''), `<link rel="icon" href="/icon.svg">${styles}><script src="/not-found.js"></script>`),
)
for (const folder of ['', 'chat', 'teams', 'ko', 'en']) {
  mkdirSync(join(OUT, folder), { recursive: true })
  writeFileSync(join(OUT, folder, 'index.html'), entry)
}

const pages = readdirSync(OUT, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'))
for (const name of pages) {
  const file = join(OUT, name)
  // Neighbours become one file: that is one request instead of ten.
  const html = made(readFileSync(file, 'utf8')).replace(RUNS, (run) => {
    const scripts = [...run.matchAll(INLINE)]
    const foreign = scripts.find(([, attributes]) => /type=/.test(attributes))
    if (foreign !== undefined) throw new Error(`${name}: a script of another type: ${foreign[0].slice(0, 80)}`)
    const bodies = scripts.map(([, , body]) => body.trim())
    return `<script src="/${written('_next/static/inline', bodies)}"></script>`
  })
  const refused = /\sstyle="|<style[\s>]|\son\w+="|javascript:/.exec(html)
  if (refused !== null) throw new Error(`${name}: the policy refuses ${html.slice(refused.index, refused.index + 80)}`)
  writeFileSync(file, html)
}

// These are the files that the service worker keeps, with their hashes, so that it takes none of another build.
// Addresses without a language only lead to those with one, and a chat-local answers `/chat/` as its API.
const NOT_KEPT = /\.(map|gz|br)$|^404\.html$|^(?:chat|teams)\/|^config\.json$|^worker\.js$|^\./
const files = readdirSync(OUT, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(OUT, join(entry.parentPath, entry.name)))
  .filter((name) => !NOT_KEPT.test(name))
  .sort()
  .map((name) => {
    const path = `/${name.replace(/(^|\/)index\.html$/, '$1')}`
    return [
      path,
      `sha256-${createHash('sha256')
        .update(readFileSync(join(OUT, name)))
        .digest('base64')}`,
    ]
  })
const list = `const FILES = ${JSON.stringify(Object.fromEntries(files), null, 2)}\n`
const worker = list + readFileSync('scripts/worker.js', 'utf8')
const version = createHash('sha256').update(worker).digest('hex').slice(0, 16)
writeFileSync(join(OUT, 'worker.js'), `const VERSION = '${version}'\n${worker}`)
// Each text file gets compressed copies, for servers that do not compress by themselves. Brotli's are an eighth smaller, and browsers ask
// for them only where nobody in between could spoil them: over HTTPS, and on the machine itself.
for (const name of readdirSync(OUT, { recursive: true, encoding: 'utf8' }).filter((name) =>
  /\.(css|html|js|json|svg|txt|webmanifest)$/.test(name),
)) {
  const content = readFileSync(join(OUT, name))
  writeFileSync(join(OUT, `${name}.gz`), gzipSync(content, { level: 9 }))
  writeFileSync(join(OUT, `${name}.br`), brotliCompressSync(content))
}
console.log(`sealed ${pages.length} pages`)
