import type { AppProps } from 'next/app'
import Head from 'next/head'
import Router from 'next/router'
import { useEffect } from 'react'
import { PageBoundary } from '@/components/PageBoundary'
import { Providers } from '@/components/Providers'
import { Shell } from '@/components/Shell'
import type { PageProps } from '@/lib/page'
import '../styles/globals.css'

export default function App({ Component, pageProps }: AppProps<Partial<PageProps>>) {
  usePagesByAddress()
  const { locale, messages, names } = pageProps
  // Next.js' own pages for what went wrong have nothing of ours.
  if (locale === undefined || messages === undefined || names === undefined) return <Component />
  return (
    <>
      <Head>
        <title>{names.name}</title>
        <meta name="description" content={names.description} />
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
        <PageBoundary>
          <Shell>
            <Component />
          </Shell>
        </PageBoundary>
      </Providers>
    </>
  )
}

/**
 * Leads back and forth between pages by the address alone. Entries of the browser's history are made by conversations too, of which
 * Next.js knows nothing; left to itself it would fetch a page's data again to go from one conversation to another.
 */
function usePagesByAddress(): void {
  useEffect(() => {
    Router.beforePopState(() => false)
    let loading = false
    const started = () => {
      loading = true
    }
    const ended = () => {
      loading = false
    }
    const followed = () => {
      const { pathname, search } = location
      // A page on its way would take the place of the one that is gone back to.
      if (!loading && pathname === Router.asPath.replace(/[?#].*/, '')) return
      const entry: unknown = history.state
      void Router.replace(pathname + search).then((shown) => {
        if (shown) history.replaceState(Object.assign({}, history.state, entry), '')
      })
    }
    Router.events.on('routeChangeStart', started)
    Router.events.on('routeChangeComplete', ended)
    Router.events.on('routeChangeError', ended)
    window.addEventListener('popstate', followed)
    return () => {
      Router.events.off('routeChangeStart', started)
      Router.events.off('routeChangeComplete', ended)
      Router.events.off('routeChangeError', ended)
      window.removeEventListener('popstate', followed)
    }
  }, [])
}
