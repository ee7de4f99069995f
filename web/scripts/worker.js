// This is the service worker, `worker.js` of the built page. seal.mjs puts VERSION and FILES in front: the name of the build, and its
// files. It keeps the page, so that it opens where there is no network, and shows notifications where pages may not.
//
// A page names the files of its own build, and their names are made of their content. So a page runs with the code that it was built
// with, whether it comes from the network or from the cache. The worker asks the network for a page first. A worker of a later build waits
// until no page of this build is open, and only then deletes the files that those pages may still need.
const KEPT = `chat-page-${VERSION}`
/** The file that tells the page the addresses of the server. It belongs to the server, so it is no part of a build. */
const CONFIG = '/config.json'
const KEPT_CONFIG = 'chat-config'
/** How long the worker waits for the network before it shows the page from the cache. */
const PAGE_WITHIN_MS = 4_000

addEventListener('install', (event) => event.waitUntil(keepAll()))
addEventListener('activate', (event) => event.waitUntil(forgetOthers().then(() => clients.claim())))
addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== location.origin) return
  if (pathname === CONFIG) event.respondWith(newestConfig(request))
  else if (pathname.startsWith('/_next/')) event.respondWith(kept(request, pathname))
  else if (request.mode === 'navigate' || Object.hasOwn(FILES, pathname)) event.respondWith(newest(request, pathname))
})

/** Fetches one file after the other, so that the open page is not slowed down. It fails when a file is missing or of another build. */
async function keepAll() {
  const cache = await caches.open(KEPT)
  for (const [path, integrity] of Object.entries(FILES)) {
    // A file that is named by its content may be in the cache since an earlier build.
    const before = path.startsWith('/_next/static/') ? await caches.match(path) : undefined
    const response = before ?? (await fetch(path, { integrity, cache: 'no-cache' }))
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`)
    await cache.put(path, response)
  }
  await newestConfig(new Request(CONFIG)).catch(() => {})
}

async function forgetOthers() {
  for (const name of await caches.keys()) {
    if (name.startsWith('chat-page-') && name !== KEPT) await caches.delete(name)
  }
}

async function kept(request, path) {
  const cache = await caches.open(KEPT)
  const here = await cache.match(path)
  if (here === undefined) return fetch(request)
  // A worker reads in its own address what it is to run. The one in the cache has less of it; an answer without any has that of the request.
  return request.destination === 'worker' ? new Response(here.body, here) : here
}

/** Answers from the network, or from the cache when the network does not answer. */
async function newest(request, path) {
  const cache = await caches.open(KEPT)
  const here = (await cache.match(path)) ?? (await cache.match(`${path}/`))
  if (here === undefined) return fetch(request)
  const late = new Promise((resolve) => setTimeout(() => resolve(here), PAGE_WITHIN_MS))
  // A server that is starting, or a failing gateway in front of it, cannot answer with the page either.
  const answered = fetch(request).then(
    (response) => (response.status >= 500 ? here : response),
    () => here,
  )
  return Promise.race([answered, late])
}

async function newestConfig(request) {
  const cache = await caches.open(KEPT_CONFIG)
  try {
    const response = await fetch(request)
    if (response.ok) await cache.put(CONFIG, response.clone())
    return response
  } catch (error) {
    const here = await cache.match(CONFIG)
    if (here === undefined) throw error
    return here
  }
}

addEventListener('notificationclick', (event) => {
  event.notification.close()
  const { url, peer } = event.notification.data
  event.waitUntil(
    (async () => {
      const [page] = await clients.matchAll({ type: 'window' })
      if (page === undefined) return clients.openWindow(url)
      page.postMessage({ type: 'chat:open', peer })
      return page.focus()
    })(),
  )
})
