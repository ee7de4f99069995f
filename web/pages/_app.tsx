import type { AppProps } from 'next/app'
import Head from 'next/head'
import Router from 'next/router'
import { useCallback, useEffect, useRef, useState } from 'react'
import { Boundary } from '@/components/Boundary'
import { NotLoaded } from '@/components/NotLoaded'
import { Problem } from '@/components/Problem'
import { Providers } from '@/components/Providers'
import { Shell } from '@/components/Shell'
import { beginSession } from '@/context/SessionContext'
import type { PageProps } from '@/lib/page'
import '../styles/globals.css'

if (typeof window !== 'undefined') beginSession()

export default function App({ Component, pageProps }: AppProps<Partial<PageProps>>) {
  const { unreached, reach, stay } = usePagesByAddress()
  const { locale, messages, title, description } = pageProps
  // Next.js' own pages for what went wrong have nothing of ours.
  if (locale === undefined || messages === undefined) return <Component />
  return (
    <>
      <Head>
        <title>{title}</title>
        <meta name="description" content={description} />
        {/* The keyboard of a phone makes the page smaller instead of covering it. */}
        <meta
          name="viewport"
          key="viewport"
          content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
        />
        <meta name="theme-color" key="light" media="(prefers-color-scheme: light)" content="#ffffff" />
        <meta name="theme-color" key="dark" media="(prefers-color-scheme: dark)" content="#1a1d1c" />
        <link rel="icon" key="icon" href="/icon.svg" />
      </Head>
      <Providers locale={locale} messages={messages}>
        <Boundary failed={() => <Problem kind="page" onRetry={() => location.reload()} />}>
          <Shell>
            <Component />
          </Shell>
          {unreached !== null && <NotLoaded onRetry={() => void reach(unreached)} onClose={stay} />}
        </Boundary>
      </Providers>
    </>
  )
}

/**
 * Leads back and forth between pages by the address alone. Entries of the browser's history are made by conversations too, of which
 * Next.js knows nothing; left to itself it would fetch a page's data again to go from one conversation to another. It would also
 * leave for the address of a page that does not come, even if nothing answers there: `unreached` is such a page's, and what is open
 * stays.
 */
function usePagesByAddress() {
  const [unreached, setUnreached] = useState<string | null>(null)
  const asking = useRef<AbortController | null>(null)
  /** A page that did not come may be of another build, which is there when it is loaded anew. */
  const reach = useCallback(async (url: string) => {
    asking.current?.abort()
    asking.current = new AbortController()
    const { signal } = asking.current
    const answers = await fetch(url, { method: 'HEAD', cache: 'no-store', signal }).then(
      () => true,
      () => false,
    )
    if (signal.aborted) return
    if (answers) location.assign(url)
    else setUnreached(url)
  }, [])
  const stay = useCallback(() => {
    asking.current?.abort()
    setUnreached(null)
  }, [])
  useEffect(() => {
    Router.beforePopState(() => false)
    let loading = false
    let following = false
    const started = () => {
      loading = true
    }
    const ended = () => {
      loading = false
    }
    const failed = (error: Error & { cancelled?: boolean }, url: string) => {
      loading = false
      // The browser has the address already of what is gone back to.
      if (error.cancelled || following) return
      void reach(url)
      // Next.js takes it for a change that was given up, and does nothing more.
      throw Object.assign(new Error('The page did not come', { cause: error }), { cancelled: true })
    }
    const followed = () => {
      const { pathname, search } = location
      // A page on its way would take the place of the one that is gone back to.
      if (!loading && pathname === Router.asPath.replace(/[?#].*/, '')) return
      const entry: unknown = history.state
      following = true
      // The page of all conversations is one: its data is fetched once, without what is asked for.
      void Router.replace(pathname, pathname + search).then((shown) => {
        following = false
        if (shown) history.replaceState(Object.assign({}, history.state, entry), '')
      })
    }
    Router.events.on('routeChangeStart', started)
    Router.events.on('routeChangeComplete', ended)
    Router.events.on('routeChangeError', failed)
    window.addEventListener('popstate', followed)
    return () => {
      Router.events.off('routeChangeStart', started)
      Router.events.off('routeChangeComplete', ended)
      Router.events.off('routeChangeError', failed)
      window.removeEventListener('popstate', followed)
    }
  }, [reach])
  return { unreached, reach, stay }
}
