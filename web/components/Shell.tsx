'use client'

import { totalUnread } from 'chat-core'
import Link from 'next/link'
import { useRouter } from 'next/router'
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { ChatSocketProvider, useChat, useChatClient } from '@/context/ChatSocketContext'
import { type SessionState, useSession } from '@/context/SessionContext'
import { formatBadge } from '@/lib/format'
import { Banner } from './Banner'
import { Incoming } from './Incoming'
import { ChatIcon, SettingsIcon, TeamsIcon } from './icons'
import { NotLoaded } from './NotLoaded'
import { OnDemand, Part } from './OnDemand'
import { Problem } from './Problem'
import { ListSkeleton } from './Skeleton'
import { useStrayDropsRefused } from './strayDrops'
import { useLocale } from './useLocale'
import { forgetPeer, showPeer } from './usePeer'
import { useWorker } from './useWorker'

// Most visits do not need these parts, so they are loaded on demand.
const settingsDialog = new Part(() => import('./Settings'))
const signIn = new Part(() => import('./SignIn'))

/** Surrounds every page with the menu and the state of the connection, and has the user sign in first. */
export function Shell({ children }: { children: ReactNode }) {
  const session = useSession()
  useStrayDropsRefused()
  usePeerForgotten(session)
  switch (session.status) {
    case 'loading':
      return <Loading />
    case 'failed':
      return <Problem kind="config" onRetry={session.retry} />
    case 'signedOut':
      return (
        <OnDemand
          part={signIn}
          props={{ state: session }}
          waiting={<Loading />}
          failed={(retry) => <Problem kind="part" onRetry={retry} />}
        />
      )
    case 'signedIn':
      return (
        <ChatSocketProvider config={session.config} session={session.session}>
          <Frame email={session.session.email} onSignOut={session.signOut} onExpired={session.expire}>
            {children}
          </Frame>
        </ChatSocketProvider>
      )
  }
}

/** Whoever signs out, in whichever tab, leaves nobody's address behind. A session that ended by itself is taken up again there. */
function usePeerForgotten(session: SessionState): void {
  const wasSignedIn = useRef(false)
  useEffect(() => {
    if (wasSignedIn.current && session.status === 'signedOut' && session.expired === null) forgetPeer()
    wasSignedIn.current = session.status === 'signedIn'
  }, [session])
}

function Loading() {
  const t = useTranslations('list')
  return (
    <div aria-busy="true" className="flex h-dvh">
      <div className="hidden w-18 border-r border-line bg-surface md:block" />
      <div className="w-full border-line bg-surface pt-16 md:w-84 md:border-r">
        <span className="sr-only">{t('loading')}</span>
        <ListSkeleton />
      </div>
    </div>
  )
}

function Frame({
  email,
  onSignOut,
  onExpired,
  children,
}: {
  email: string
  onSignOut(): void
  onExpired(): void
  children: ReactNode
}) {
  const [settings, setSettings] = useState(false)
  const online = useChat((state) => state.connection === 'online')
  // The settings hold the way to sign out, which has to work without a network.
  useEffect(() => {
    if (online) settingsDialog.preload()
  }, [online])
  useWorker()
  return (
    <div className="flex h-dvh flex-col overflow-hidden md:flex-row">
      <Nav onSettings={() => setSettings(true)} />
      <div className="order-1 flex min-h-0 min-w-0 flex-1 flex-col md:order-2">
        <Banner onSignIn={onExpired} />
        <div className="relative min-h-0 flex-1">{children}</div>
      </div>
      {settings && (
        <OnDemand
          part={settingsDialog}
          props={{ email, onSignOut, onClose: () => setSettings(false) }}
          failed={(retry) => <NotLoaded onRetry={retry} onClose={() => setSettings(false)} />}
        />
      )}
      <Incoming />
    </div>
  )
}

const NAV_ITEM =
  'relative flex h-14 w-16 flex-col items-center justify-center gap-0.5 rounded-xl font-medium text-[0.6875rem] transition-colors md:w-14'

/** A rail on the left; on a phone a bar at the bottom, which a conversation covers. */
function Nav({ onSettings }: { onSettings(): void }) {
  const page = useRouter().pathname.split('/')[2]
  const t = useTranslations('nav')
  const locale = useLocale()
  const unread = useTotalUnread(t(page === 'teams' ? 'teams' : 'chat'))
  return (
    <nav
      aria-label={t('label')}
      className="order-2 flex shrink-0 items-center justify-around border-line border-t bg-surface px-2 pb-[env(safe-area-inset-bottom)] md:order-1 md:w-18 md:flex-col md:justify-start md:gap-1 md:border-t-0 md:border-r md:py-3 in-[.conversation-open]:max-md:hidden"
    >
      <NavLink
        href={`/${locale}/chat/`}
        current={page === 'chat'}
        label={t('chat')}
        badge={unread}
        badgeLabel={t('unread', { count: unread })}
        onStay={() => showPeer(null)}
      >
        <ChatIcon className="size-5.5" />
      </NavLink>
      <NavLink href={`/${locale}/teams/`} current={page === 'teams'} label={t('teams')}>
        <TeamsIcon className="size-5.5" />
      </NavLink>
      <button type="button" onClick={onSettings} className={`${NAV_ITEM} text-muted hover:bg-hover hover:text-text md:mt-auto`}>
        <SettingsIcon className="size-5.5" />
        {t('settings')}
      </button>
    </nav>
  )
}

/** Its page is fetched when the browser is idle, so that it opens without a network too. */
function NavLink({
  href,
  current,
  label,
  badge = 0,
  badgeLabel,
  onStay,
  children,
}: {
  href: string
  current: boolean
  label: string
  badge?: number
  badgeLabel?: string
  /** What it does on the page that it leads to, instead of loading it again. */
  onStay?(): void
  children: ReactNode
}) {
  return (
    <Link
      href={href}
      aria-current={current ? 'page' : undefined}
      onClick={(event) => {
        if (!current || onStay === undefined || event.metaKey || event.ctrlKey || event.shiftKey) return
        event.preventDefault()
        onStay()
      }}
      className={`${NAV_ITEM} ${current ? 'text-accent-text md:bg-hover' : 'text-muted hover:bg-hover hover:text-text'}`}
    >
      {children}
      {label}
      {badge > 0 && (
        <>
          <span aria-hidden="true" data-testid="total-unread" className="badge absolute top-0.5 left-1/2 ml-1 ring-2 ring-surface">
            {formatBadge(badge)}
          </span>
          <span className="sr-only">{badgeLabel}</span>
        </>
      )}
    </Link>
  )
}

/** What is unread altogether; also in the title of the page, and on the app's icon where there is one. */
function useTotalUnread(page: string): number {
  const client = useChatClient()
  const rooms = useChat((state) => state.rooms)
  const t = useTranslations('app')
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rooms are what it is counted from
  const unread = useMemo(() => totalUnread(client.state), [client, rooms])

  useEffect(() => {
    const show = (count: number) => {
      document.title = t('title', { unread: count, count: formatBadge(count), page })
      document.querySelector('link[rel="icon"]')?.setAttribute('href', count > 0 ? '/icon-unread.svg' : '/icon.svg')
      if ('setAppBadge' in navigator) void (count > 0 ? navigator.setAppBadge(count) : navigator.clearAppBadge()).catch(() => {})
    }
    show(unread)
    // Nothing is left of the count after signing out.
    return () => show(0)
  }, [t, page, unread])

  return unread
}
