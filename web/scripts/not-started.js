// A page of which a part did not come never starts, and would show for ever that it is loading. It says so instead.
addEventListener(
  'error',
  ({ target }) => {
    // What is fetched later, by the page itself, is neither deferred nor of its HTML.
    if (!(target instanceof HTMLScriptElement) || !(target.defer || document.readyState === 'loading')) return
    const show = () => {
      const template = document.getElementById('not-started')
      // Once, however much did not come.
      if (template === null) return
      template.replaceWith(template.content)
      document.getElementById('__next').hidden = true
      document.querySelector('main button').onclick = () => location.reload()
    }
    if (document.readyState === 'loading') addEventListener('DOMContentLoaded', show)
    else show()
  },
  true,
)
