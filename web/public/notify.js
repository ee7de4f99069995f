// Shows notifications where pages may not, on Android: it caches nothing and fetches nothing.
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
