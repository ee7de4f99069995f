'use client'

import { useRouter } from 'next/router'
import { useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat } from '@/context/ChatSocketContext'
import { Button } from './Button'
import { isOverPage } from './layers'
import { NotLoaded } from './NotLoaded'
import { OnDemand, Part } from './OnDemand'
import { PageLink } from './PageLink'
import { Avatar } from './people'
import { useLocale } from './useLocale'

/** Teams as a page of the team system would have them. */
const TEAMS = [
  { key: 'hangang', captain: 'minji@example.com', members: 18 },
  { key: 'forest', captain: 'junho@example.com', members: 15 },
] as const

const proposeMatch = new Part(() => import('./ProposeMatch'))

/** Where a team page plugs into the chat: a link with `?with=` leads to a conversation, and a proposal lands in it. */
export function TeamsPage() {
  const t = useTranslations('teams')
  const locale = useLocale()
  const router = useRouter()
  const me = useChat((state) => state.me)
  const [asked, setAsked] = useState<(typeof TEAMS)[number] | null>(null)
  const own = TEAMS.find(({ captain }) => captain === me)
  const chat = `/${locale}/chat/`
  const chatWith = (captain: string) => `${chat}?with=${encodeURIComponent(captain)}`
  return (
    <main className="h-full overflow-y-auto">
      <div className="mx-auto max-w-3xl px-4 py-6 md:px-8 md:py-10">
        <h1 className="mb-1.5 font-semibold text-2xl tracking-tight">{t('title')}</h1>
        <p className="mb-6 max-w-prose text-muted">{t('intro')}</p>
        <ul className="grid gap-3 sm:grid-cols-2">
          {TEAMS.map((team) => {
            const { key, captain, members } = team
            return (
              <li key={key} className="rounded-2xl border border-line bg-surface p-5">
                <h2 className="mb-1 font-semibold text-lg">{t(key)}</h2>
                <p className="text-muted text-sm">
                  {t(`${key}Area`)} · {t('members', { count: members })}
                </p>
                <p className="mt-4 mb-4 flex items-center gap-2.5 text-sm">
                  <Avatar email={captain} className="size-8 text-sm" />
                  <span className="min-w-0">
                    <span className="block text-muted text-xs">{t('captain')}</span>
                    <span className="block truncate">{captain}</span>
                  </span>
                </p>
                {captain === me ? (
                  <p className="flex min-h-10 items-center justify-center rounded-lg bg-sunken text-muted text-sm">{t('mine')}</p>
                ) : (
                  <div className="grid gap-2">
                    <Button look="primary" onClick={() => setAsked(team)} onPointerEnter={proposeMatch.preload}>
                      {t('propose')}
                    </Button>
                    <PageLink
                      href={chatWith(captain)}
                      className="flex min-h-10 items-center justify-center rounded-lg border border-line px-4 font-medium transition-colors hover:bg-hover"
                    >
                      {t('message')}
                    </PageLink>
                  </div>
                )}
              </li>
            )
          })}
        </ul>
      </div>
      {asked !== null && (
        <OnDemand
          part={proposeMatch}
          props={{
            captain: asked.captain,
            team: own === undefined ? '' : t(own.key),
            opponent: t(asked.key),
            onClose: () => setAsked(null),
            // The dialog goes with this page, and its entry of the history with it.
            onQueued: () => router[isOverPage() ? 'replace' : 'push'](chat, chatWith(asked.captain)),
          }}
          failed={(retry) => <NotLoaded onRetry={retry} onClose={() => setAsked(null)} />}
        />
      )}
    </main>
  )
}
