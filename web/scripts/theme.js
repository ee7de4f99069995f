// Shows the theme that was chosen in the settings (lib/theme.ts), else the system's, before anything is drawn, and follows both. What is
// chosen is an attribute of the page too, for browsers that keep nothing.
;(() => {
  const page = document.documentElement
  const system = matchMedia('(prefers-color-scheme: dark)')
  const show = () => {
    const { theme } = page.dataset
    page.classList.toggle('dark', theme === 'dark' || (theme !== 'light' && system.matches))
  }
  const choose = (theme) => {
    if (theme === null) delete page.dataset.theme
    else page.dataset.theme = theme
    show()
  }
  system.addEventListener('change', show)
  addEventListener('chat:theme', show)
  // Another tab has chosen.
  addEventListener('storage', ({ key, newValue }) => key === 'chat.theme' && choose(newValue))
  try {
    choose(localStorage.getItem('chat.theme'))
  } catch {
    show()
  }
})()
