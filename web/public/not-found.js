// The page for what is not there has the language of its address, else the remembered one, else the browser's; and the chosen theme.
;(() => {
  const remembered = (key) => {
    try {
      return localStorage.getItem(key)
    } catch {
      return null
    }
  }
  const page = document.documentElement
  const wanted = [location.pathname.split('/')[1], remembered('chat.locale'), ...navigator.languages]
  page.lang = wanted.map((language) => (language ?? '').slice(0, 2)).find((language) => /^(ko|en)$/.test(language)) ?? 'ko'
  const theme = remembered('chat.theme')
  page.classList.toggle('dark', theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches))
})()
