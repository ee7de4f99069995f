'use client'

import { totalUnread } from 'chat-core'
import { useRouter } from 'next/router'
import { type ReactNode, useEffect, useEffectEvent, useMemo, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { ChatSocketProvider, useChat, useChatClient } from '@/context/ChatSocketContext'
import { type SessionState, useSession } from '@/context/SessionContext'
import { BADGE_MAX, formatBadge, formatExact } from '@/lib/format'
import { Banner } from './Banner'
import { Incoming } from './Incoming'
import { ChatIcon, SettingsIcon, TeamsIcon } from './icons'
import { NotLoaded } from './NotLoaded'
import { OnDemand, Part } from './OnDemand'
import { PageLink } from './PageLink'
import { Problem } from './Problem'
import { ListSkeleton } from './Skeleton'
import { useStrayDropsRefused } from './strayDrops'
import { useIdle } from './useIdle'
import { useLocale } from './useLocale'
import { forgetPeer, showPeer } from './usePeer'
import { useShortcuts } from './useShortcuts'

// Most visits do not need these parts, so they are loaded on demand.
const settingsDialog = new Part(() => import('./Settings'))
const shortcuts = new Part(() => import('./Shortcuts'))
const blockedDialog = new Part(() => import('./Blocked'))
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
          <Frame
            email={session.session.email}
            endEverywhere={session.session.endEverywhere}
            onSignOut={session.signOut}
            onExpired={session.expire}
          >
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
  const locale = useLocale()
  // The first date takes a phone long to format, and here there is nothing else to do.
  useEffect(() => void formatExact(locale, 0), [locale])
  return (
    <div aria-busy="true" className="flex h-dvh">
      <div className="hidden w-18 border-r border-line bg-surface md:block" />
      <div className="w-full border-line bg-surface pt-16 md:w-84 md:border-r xl:w-96 2xl:w-104">
        <span className="sr-only">{t('loading')}</span>
        <ListSkeleton />
      </div>
    </div>
  )
}

function Frame({
  email,
  endEverywhere,
  onSignOut,
  onExpired,
  children,
}: {
  email: string
  endEverywhere: (() => Promise<void>) | null
  onSignOut(): void
  onExpired(): void
  children: ReactNode
}) {
  const [shown, setShown] = useState<'settings' | 'keys' | 'blocked' | null>(null)
  const close = () => setShown(null)
  const showKeys = () => setShown('keys')
  const showBlocked = () => setShown('blocked')
  useShortcuts(showKeys)
  useIdle()
  return (
    <div className="flex h-dvh flex-col overflow-hidden md:flex-row">
      <Nav onSettings={() => setShown('settings')} />
      <div className="relative order-1 min-h-0 min-w-0 flex-1 md:order-2">
        <Banner onSignIn={onExpired} />
        {children}
      </div>
      {shown === 'settings' && (
        <Over
          part={settingsDialog}
          props={{ email, endEverywhere, onSignOut, onShortcuts: showKeys, onBlocked: showBlocked, onClose: close }}
        />
      )}
      {shown === 'keys' && <Over part={shortcuts} props={{ onClose: close }} />}
      {shown === 'blocked' && <Over part={blockedDialog} props={{ onClose: close }} />}
      <Incoming />
    </div>
  )
}

/** A dialog over the page, or that it did not come. */
function Over<P extends { onClose(): void }>({ part, props }: { part: Part<P>; props: P }) {
  return <OnDemand part={part} props={props} failed={(retry) => <NotLoaded onRetry={retry} onClose={props.onClose} />} />
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
      <img src="/icon.svg" alt="" width={36} height={36} className="mb-2 max-md:hidden" />
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

/** Its page is fetched when somebody points at it, or there is nothing else to do: see `useIdle`. */
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
    <PageLink
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
    </PageLink>
  )
}

/** What is unread altogether; also in the title of the page, and on the app's icon where there is one. */
function useTotalUnread(page: string): number {
  const client = useChatClient()
  const rooms = useChat((state) => state.rooms)
  const t = useTranslations('app')
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rooms are what it is counted from
  const unread = useMemo(() => totalUnread(client.state), [client, rooms])

  // Of many only the first hundred change what is shown. Each change has the browser draw its tabs, and the system its icon.
  const shown = Math.min(unread, BADGE_MAX + 1)
  const icon = shown > 0 ? '/icon-unread.svg' : '/icon.svg'
  // Another page brings an icon of its own.
  useEffect(() => {
    document.title = t('title', { unread: shown, count: formatBadge(shown), page })
    showIcon(icon)
  }, [t, page, shown, icon])
  useEffect(() => {
    if ('setAppBadge' in navigator) void (shown > 0 ? navigator.setAppBadge(shown) : navigator.clearAppBadge()).catch(() => {})
  }, [shown])
  // Nothing is left of the count after signing out.
  const leave = useEffectEvent(() => {
    document.title = t('title', { unread: 0, count: '', page })
    showIcon('/icon.svg')
    if ('clearAppBadge' in navigator) void navigator.clearAppBadge().catch(() => {})
  })
  useEffect(() => () => leave(), [])

  return unread
}

/** A link that is set anew has the browser fetch the icon, even the same one. */
function showIcon(href: string): void {
  const link = document.querySelector('link[rel="icon"]')
  if (link?.getAttribute('href') !== href) link?.setAttribute('href', href)
}
