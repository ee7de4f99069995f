import { useRouter } from 'next/router'
import type { ComponentProps } from 'react'

/** A link to another page of the chat, which takes the place of this one without loading everything anew. Pointing at it fetches it. */
export function PageLink({ href, onClick, ...props }: ComponentProps<'a'> & { href: string }) {
  const router = useRouter()
  // What is asked for is read by the page itself: its data is the same without it, and fetched once.
  const page = href.replace(/[?#].*/, '')
  const fetchPage = () => void router.prefetch(page).catch(() => {})
  return (
    <a
      {...props}
      href={href}
      onPointerEnter={fetchPage}
      onFocus={fetchPage}
      onClick={(event) => {
        onClick?.(event)
        // The browser opens it in another tab or window, or keeps it as a file.
        const isForBrowser = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey
        if (event.defaultPrevented || isForBrowser) return
        event.preventDefault()
        void router.push(page, href)
      }}
    />
  )
}
