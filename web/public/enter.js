// Leads from an address without a page or a language to the one with both: its own language, else the remembered one, else the browser's,
// else Korean.
;(() => {
  const languages = ['ko', 'en']
  let remembered = null
  try {
    remembered = localStorage.getItem('chat.locale')
  } catch {
    // Storage is refused: nothing is remembered.
  }
  const wanted = [location.pathname.split('/')[1], remembered, ...navigator.languages].map((language) =>
    (language ?? '').slice(0, 2),
  )
  const language = wanted.find((one) => languages.includes(one)) ?? languages[0]
  const page = location.pathname.replace(/^\/+|\/+$|\.html$/g, '')
  location.replace(`/${language}/${page === 'teams' ? 'teams' : 'chat'}/${location.search}`)
})()
