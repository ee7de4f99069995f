import type { BlockedPeerBody } from 'chat-core'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChatClient } from '@/context/ChatSocketContext'
import { Button } from './Button'
import { Dialog } from './Dialog'
import { Avatar, nameOf } from './people'
import { useLocale } from './useLocale'

/** Whom the user blocks. */
export default function Blocked({ onClose }: { onClose(): void }) {
  const t = useTranslations('blocked')
  const { people, status, load, unblock } = useBlocked()
  const list = useRef<HTMLUListElement>(null)
  return (
    <Dialog open onClose={onClose} title={t('title')} closeLabel={t('close')}>
      <ul ref={list} tabIndex={-1} className="-mx-2 max-h-[60dvh] overflow-y-auto outline-none">
        {people.map((person) => (
          <Person
            key={person.peerEmail}
            person={person}
            onUnblock={async () => {
              await unblock(person.peerEmail)
              // The button goes, and the focus must not go with it.
              list.current?.focus()
            }}
          />
        ))}
      </ul>
      <p role="status" className="text-muted text-sm empty:hidden">
        {status === 'loading' ? t('loading') : status === 'failed' ? t('failed') : people.length === 0 && t('none')}
      </p>
      {status === 'failed' && (
        <Button className="mt-4 w-full" onClick={load}>
          {t('retry')}
        </Button>
      )}
    </Dialog>
  )
}

function Person({ person: { peerEmail, since }, onUnblock }: { person: BlockedPeerBody; onUnblock(): Promise<void> }) {
  const t = useTranslations('blocked')
  const c = useTranslations('consent')
  const locale = useLocale()
  const [isAsked, setAsked] = useState(false)
  const ask = async () => {
    if (isAsked) return
    setAsked(true)
    await onUnblock()
    setAsked(false)
  }
  return (
    <li className="flex items-center gap-3 px-2 py-1.5">
      <Avatar email={peerEmail} className="size-9 text-sm" />
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">{nameOf(peerEmail)}</span>
        <span className="block truncate text-muted text-xs">{peerEmail}</span>
        <span className="block text-muted text-xs">
          {t('since', { day: new Date(since).toLocaleDateString(locale, { dateStyle: 'medium' }) })}
        </span>
      </span>
      <Button aria-label={t('unblock', { name: nameOf(peerEmail) })} aria-disabled={isAsked} onClick={ask}>
        {c('unblock')}
      </Button>
    </li>
  )
}

/** All whom the user blocks: page after page, of which some are empty. */
function useBlocked() {
  const client = useChatClient()
  const [people, setPeople] = useState<readonly BlockedPeerBody[]>([])
  const [status, setStatus] = useState<'loading' | 'ready' | 'failed'>('loading')
  const shown = useRef(true)
  const load = useCallback(async () => {
    setStatus('loading')
    try {
      const found: BlockedPeerBody[] = []
      for (let cursor: string | null | undefined; cursor !== null && shown.current; ) {
        const page = await client.blocked(cursor)
        found.push(...page.blocked)
        setPeople([...found])
        cursor = page.nextCursor
      }
      setStatus('ready')
    } catch {
      setStatus('failed')
    }
  }, [client])
  useEffect(() => {
    shown.current = true
    void load()
    return () => {
      shown.current = false
    }
  }, [load])
  const unblock = async (peer: string) => {
    if ((await client.decide('unblock', peer)) === 'done') setPeople((all) => all.filter(({ peerEmail }) => peerEmail !== peer))
  }
  return { people, status, load: () => void load(), unblock }
}
