// Asks for the server's configuration while the page's code is on its way (lib/config.ts takes the answer), and fetches the code for the
// way of signing in that it names: nothing is shown before both are there. `SIGN_IN` comes from seal.mjs.
;(() => {
  const asked = fetch('/config.json', { cache: 'no-store' })
  window.chatConfigAhead = asked
  asked
    .then((response) => response.clone().json())
    .then(({ auth }) => {
      for (const href of SIGN_IN[auth.mode])
        document.head.append(Object.assign(document.createElement('link'), { rel: 'preload', as: 'script', href }))
    })
    // Whoever takes the answer hears of it.
    .catch(() => {})
})()
