import { useRouter } from 'next/router'
import { useEffect, useRef } from 'react'
import { useLocale } from './useLocale'
import { showPeer } from './usePeer'

const field = () => document.querySelector<HTMLElement>('input[type="search"]')

/** Keys that work everywhere: Ctrl or Cmd and K to find a conversation, `?` to see which keys there are. */
export function useShortcuts(onSheet: () => void): void {
  const router = useRouter()
  const locale = useLocale()
  const find = () => {
    if (field() === null) void router.push(`/${locale}/chat/`).then(() => field()?.focus())
    // On a phone a conversation covers the list.
    else if (field()?.offsetParent === null) showPeer(null)
    requestAnimationFrame(() => field()?.focus())
  }
  const keys = useRef({ find, onSheet })
  keys.current = { find, onSheet }
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || event.altKey || document.querySelector('dialog[open]') !== null) return
      const command = event.ctrlKey || event.metaKey
      if (command && !event.shiftKey && event.code === 'KeyK') keys.current.find()
      else if (!command && event.key === '?' && !(event.target as Element).matches('input, textarea')) keys.current.onSheet()
      else return
      event.preventDefault()
    }
    document.addEventListener('keydown', pressed)
    return () => document.removeEventListener('keydown', pressed)
  }, [])
}
