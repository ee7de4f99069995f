// The service worker, as `worker.js` of the built page: seal.mjs puts VERSION and FILES in front, what the build is called and what it
// consists of. It keeps the page, so that it opens where there is no network, and shows notifications where pages may not.
//
// A page names the files of its own build, and their names are made of what is in them: whichever page comes, from the network or from
// here, runs with the code that it was built with. The page itself is asked of the network first. A worker of a later build waits until
// no page of this one is open, and only then forgets what they may still need.
const KEPT = `chat-page-${VERSION}`
/** What tells the page where everything is: the server's own, so no part of a build. */
const CONFIG = '/config.json'
const KEPT_CONFIG = 'chat-config'
/** So long a page is waited for where the network is slow, before the one that is here is shown. */
const PAGE_WITHIN_MS = 4_000

addEventListener('install', (event) => event.waitUntil(keepAll()))
addEventListener('activate', (event) => event.waitUntil(forgetOthers()))
addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== location.origin) return
  if (pathname === CONFIG) event.respondWith(newestConfig(request))
  else if (pathname.startsWith('/_next/')) event.respondWith(kept(request, pathname))
  else if (request.mode === 'navigate' || Object.hasOwn(FILES, pathname)) event.respondWith(newest(request, pathname))
})

/** One file after the other, since whoever looks at the page comes first. Any that does not come, or is of another build, ends it. */
async function keepAll() {
  const cache = await caches.open(KEPT)
  for (const [path, integrity] of Object.entries(FILES)) {
    // What is named by what is in it may be here since an earlier build.
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
  return (await cache.match(path)) ?? fetch(request)
}

/** From the network, or what is here when that does not answer. */
async function newest(request, path) {
  const cache = await caches.open(KEPT)
  const here = (await cache.match(path)) ?? (await cache.match(`${path}/`))
  if (here === undefined) return fetch(request)
  const late = new Promise((resolve) => setTimeout(() => resolve(here), PAGE_WITHIN_MS))
  // A server that is starting, or a gateway before it that is not well, has no page either.
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
      // The page that started this worker is not under its control before it is loaded again.
      const [page] = await clients.matchAll({ type: 'window', includeUncontrolled: true })
      if (page === undefined) return clients.openWindow(url)
      page.postMessage({ type: 'chat:open', peer })
      return page.focus()
    })(),
  )
})
