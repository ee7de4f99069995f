'use client'

import { useEffect, useId, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { inLocale, LOCALE_KEY, LOCALES, type Locale } from '@/lib/locale'
import { browserMemory } from '@/lib/storage'
import { chooseTheme, chosenTheme, THEMES } from '@/lib/theme'
import { Button } from './Button'
import { Dialog } from './Dialog'
import { askToNotify, type NotifyState, notifyState, stopNotifying } from './notify'
import { useLocale } from './useLocale'

const LANGUAGES: Record<Locale, string> = { ko: '한국어', en: 'English' }

export default function Settings({
  onClose,
  email,
  endEverywhere,
  onSignOut,
  onShortcuts,
  onBlocked,
}: {
  onClose(): void
  email: string
  endEverywhere: (() => Promise<void>) | null
  onSignOut(): void
  onShortcuts(): void
  onBlocked(): void
}) {
  const t = useTranslations('settings')
  return (
    <Dialog open onClose={onClose} title={t('title')} closeLabel={t('close')}>
      <div className="grid gap-5">
        <Language />
        <Theme />
        <Notifications />
        <div className="grid gap-2">
          <Button className="w-full" onClick={onBlocked}>
            {t('blocked')}
          </Button>
          {/* Where there is a keyboard, as far as that can be known. */}
          <Button className="w-full pointer-coarse:hidden" onClick={onShortcuts}>
            {t('shortcuts')}
          </Button>
        </div>
        <div className="border-t border-line pt-4">
          <p className="mb-3 break-all text-sm text-muted">{t('signedInAs', { email })}</p>
          <SignOut email={email} endEverywhere={endEverywhere} onSignOut={onSignOut} />
        </div>
      </div>
    </Dialog>
  )
}

interface SignOutProps {
  email: string
  endEverywhere: (() => Promise<void>) | null
  onSignOut(): void
}

/** Asks first when something has not been sent, and says what becomes of it. */
function SignOut({ email, endEverywhere, onSignOut }: SignOutProps) {
  const t = useTranslations('settings')
  const client = useChatClient()
  const pending = useChat((state) => state.pending)
  const [asked, setAsked] = useState<'here' | 'everywhere' | null>(null)
  const [failed, setFailed] = useState(false)
  const said = useId()
  const begin = useRef<HTMLButtonElement>(null)
  const cancel = useRef<HTMLButtonElement>(null)
  const wasAsked = useRef(false)
  const leave = async (from: 'here' | 'everywhere') => {
    setFailed(false)
    try {
      if (from === 'everywhere') await endEverywhere?.()
      onSignOut()
    } catch {
      setAsked(null)
      setFailed(true)
    }
  }
  const ask = (from: 'here' | 'everywhere') => (pending.length === 0 ? void leave(from) : setAsked(from))

  // When one button replaces another, the focus moves to the one that changes nothing.
  useEffect(() => {
    if (asked !== null) cancel.current?.focus()
    else if (wasAsked.current) begin.current?.focus()
    wasAsked.current = asked !== null
  }, [asked])

  if (asked === null) {
    return (
      <div className="grid gap-2">
        <Button ref={begin} onClick={() => ask('here')} className="w-full">
          {t('signOut')}
        </Button>
        {endEverywhere !== null && (
          <Button onClick={() => ask('everywhere')} className="w-full">
            {t('signOutEverywhere')}
          </Button>
        )}
        {failed && (
          <p role="alert" className="text-danger text-sm">
            {t('signOutEverywhereFailed')}
          </p>
        )}
      </div>
    )
  }
  const { kept, lost } = client.unsent()
  return (
    <fieldset aria-labelledby={said}>
      <div id={said} className="mb-3 grid gap-2 rounded-xl bg-warn p-3 text-on-warn text-sm">
        {kept > 0 && <p>{t('unsentKept', { count: kept, email })}</p>}
        {lost > 0 && <p>{t('unsentLost', { count: lost })}</p>}
        {kept + lost === 0 && <p>{t('allSent')}</p>}
      </div>
      <div className="grid grid-cols-2 gap-2">
        <Button ref={cancel} onClick={() => setAsked(null)}>
          {t('stay')}
        </Button>
        <Button look="primary" onClick={() => void leave(asked)}>
          {t(asked === 'here' ? 'signOut' : 'signOutEverywhere')}
        </Button>
      </div>
    </fieldset>
  )
}

function Choice({
  legend,
  options,
  value,
  onChoose,
}: {
  legend: string
  options: readonly (readonly [string, string])[]
  value: string
  onChoose(value: string): void
}) {
  const name = useId()
  return (
    <fieldset>
      <legend className="mb-2 text-sm font-medium">{legend}</legend>
      <div className="flex gap-1 rounded-xl bg-sunken p-1">
        {options.map(([key, label]) => (
          <label
            key={key}
            className="flex min-h-9 pointer-coarse:min-h-11 flex-1 cursor-pointer items-center justify-center rounded-lg px-2 text-center text-sm text-muted transition-colors has-checked:bg-surface dark:has-checked:bg-line has-checked:font-medium has-checked:text-text has-checked:shadow-sm has-focus-visible:outline-2 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              name={name}
              value={key}
              checked={value === key}
              onChange={() => onChoose(key)}
              className="sr-only"
            />
            {label}
          </label>
        ))}
      </div>
    </fieldset>
  )
}

function Language() {
  const t = useTranslations('settings')
  const locale = useLocale()
  const choose = (chosen: string) => {
    browserMemory.set(LOCALE_KEY, chosen)
    location.assign(`${inLocale(location.pathname, chosen as Locale)}${location.search}`)
  }
  return (
    <Choice
      legend={t('language')}
      options={LOCALES.map((key) => [key, LANGUAGES[key]] as const)}
      value={locale}
      onChoose={choose}
    />
  )
}

function Theme() {
  const t = useTranslations('settings')
  const [theme, setTheme] = useState(chosenTheme)
  const choose = (key: string) => {
    const chosen = THEMES.find((known) => known === key) ?? 'system'
    chooseTheme(chosen)
    setTheme(chosen)
  }
  return <Choice legend={t('theme')} options={THEMES.map((key) => [key, t(key)] as const)} value={theme} onChoose={choose} />
}

function Notifications() {
  const t = useTranslations('settings')
  const [state, setState] = useState<NotifyState>(notifyState)
  const hint = useId()
  const blocked = state === 'denied' || state === 'unsupported'
  const change = async (on: boolean) => setState(on ? await askToNotify() : stopNotifying())
  return (
    <fieldset>
      <legend className="mb-2 text-sm font-medium">{t('notifications')}</legend>
      <label className="flex min-h-11 items-center justify-between gap-3">
        <span className={blocked ? 'text-muted' : ''}>{t('notify')}</span>
        <input
          type="checkbox"
          role="switch"
          aria-checked={state === 'on'}
          checked={state === 'on'}
          disabled={blocked}
          aria-describedby={hint}
          onChange={(event) => void change(event.target.checked)}
          className="switch"
        />
      </label>
      <p id={hint} className="mt-1 text-sm text-muted">
        {t(state === 'denied' ? 'notifyDenied' : state === 'unsupported' ? 'notifyUnsupported' : 'notifyOn')}
      </p>
    </fieldset>
  )
}
