// A page never starts if one of its scripts fails to load, and would show for ever that it is loading. This script shows a message instead.
addEventListener(
  'error',
  ({ target }) => {
    // Scripts that the page fetches later are not deferred, and not in its HTML.
    if (!(target instanceof HTMLScriptElement) || !(target.defer || document.readyState === 'loading')) return
    const show = () => {
      const template = document.getElementById('not-started')
      // The message is shown once, however many scripts fail.
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
