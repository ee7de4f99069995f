// Leads from an address without a page or a language to the one with both: its own language, else the remembered one, else the browser's,
// else Korean. After signing in at the provider, it leads to the page on which that was begun.
;(() => {
  const languages = ['ko', 'en']
  let remembered = null
  let begun = null
  try {
    remembered = localStorage.getItem('chat.locale')
    // lib/auth/oidc.ts has stored the page under this state, which the provider sends back.
    const { data } = JSON.parse(localStorage.getItem(`chat.${new URLSearchParams(location.search).get('state')}`)) ?? {}
    begun = /^\/(?:ko|en)\/(?:chat|teams)\/(?=\?|$)/.exec(data)
  } catch {
    // The browser refuses storage, or it holds something else, so no page is known.
  }
  if (begun !== null) return location.replace(begun[0] + location.search)
  const wanted = [location.pathname.split('/')[1], remembered, ...navigator.languages].map((language) =>
    (language ?? '').slice(0, 2),
  )
  const language = wanted.find((one) => languages.includes(one)) ?? languages[0]
  const page = location.pathname.replace(/^\/+|\/+$|\.html$/g, '')
  location.replace(`/${language}/${page === 'teams' ? 'teams' : 'chat'}/${location.search}`)
})()
