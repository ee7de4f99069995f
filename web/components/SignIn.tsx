'use client'

import { normaliseEmail } from 'chat-core'
import { type FormEvent, useId, useState } from 'react'
import { useTranslations } from 'use-intl'
import type { SessionState } from '@/context/SessionContext'
import { Button } from './Button'
import { AlertIcon, Icon } from './icons'
import { Avatar, nameOf } from './people'

type SignedOutState = Extract<SessionState, { status: 'signedOut' }>

export default function SignIn({ state }: { state: SignedOutState }) {
  const t = useTranslations('signIn')
  const app = useTranslations('app')
  return (
    <main className="patterned grid min-h-dvh place-items-center overflow-y-auto px-5 py-10">
      <div className="w-full max-w-[26rem] sm:rounded-3xl sm:border sm:border-line sm:bg-surface sm:p-8 sm:shadow-sm">
        <p className="mb-6 flex items-center gap-3 font-semibold text-lg">
          <img src="/icon.svg" alt="" width={44} height={44} />
          {app('name')}
        </p>
        <h1 className="mb-2 text-2xl font-semibold tracking-tight">{t('title')}</h1>
        {(state.refused || state.expired !== null) && (
          <p role="alert" className="mb-4 flex gap-2 rounded-xl bg-warn p-3 text-sm text-on-warn">
            <AlertIcon className="mt-px size-4.5" />
            {t(state.refused ? 'refused' : 'expired')}
          </p>
        )}
        {state.config.auth.mode === 'dev' ? (
          <DevSignIn state={state} users={usersFor(state.config.auth.users, state.expired)} />
        ) : (
          <OidcSignIn state={state} />
        )}
      </div>
    </main>
  )
}

/** The person who was signed in comes first. */
function usersFor(ready: readonly string[], expired: string | null): readonly string[] {
  return expired === null ? ready : [expired, ...ready.filter((email) => email !== expired)]
}

function OidcSignIn({ state }: { state: SignedOutState }) {
  const t = useTranslations('signIn')
  return (
    <>
      <p className="mb-6 text-muted">{t('oidc')}</p>
      <Button look="primary" className="w-full" onClick={() => state.signInOidc()}>
        {t('oidcButton')}
      </Button>
    </>
  )
}

/** Signs in without a password, in a page of development. */
function DevSignIn({ state, users }: { state: SignedOutState; users: readonly string[] }) {
  const t = useTranslations('signIn')
  return (
    <>
      <p className="mb-6 text-muted">{t('dev')}</p>
      <ul className="mb-6 grid gap-2">
        {users.map((email) => (
          <User key={email} email={email} onSignIn={() => state.signInDev(email)} />
        ))}
      </ul>
      <OtherUser onSignIn={state.signInDev} />
    </>
  )
}

function User({ email, onSignIn }: { email: string; onSignIn(): void }) {
  const t = useTranslations('signIn')
  const name = nameOf(email)
  return (
    <li className="flex overflow-hidden rounded-xl border border-line bg-surface">
      <button
        type="button"
        onClick={onSignIn}
        className="flex min-w-0 flex-1 items-center gap-3 p-3 text-left transition-colors hover:bg-hover"
      >
        <Avatar email={email} className="size-10 text-base" />
        <span className="min-w-0">
          <span className="block truncate font-medium">{t('as', { name })}</span>
          <span className="block truncate text-sm text-muted">{email}</span>
        </span>
      </button>
      <a
        href={`?as=${encodeURIComponent(email)}`}
        target="_blank"
        rel="noopener"
        aria-label={t('sideOpen', { name })}
        title={t('sideOpen', { name })}
        className="grid w-12 shrink-0 place-items-center border-l border-line text-muted transition-colors hover:bg-hover hover:text-text"
      >
        <Icon className="size-4.5">
          <path d="M13 4h7v7M20 4l-9 9M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5" />
        </Icon>
      </a>
    </li>
  )
}

function OtherUser({ onSignIn }: { onSignIn(email: string): void }) {
  const t = useTranslations('signIn')
  const tNew = useTranslations('new')
  const field = useId()
  const [address, setAddress] = useState('')
  const [invalid, setInvalid] = useState(false)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const email = normaliseEmail(address)
    setInvalid(email === null)
    if (email !== null) onSignIn(email)
  }
  return (
    <form onSubmit={submit} noValidate>
      <label htmlFor={field} className="mb-1.5 block text-sm font-medium">
        {t('other')}
      </label>
      <div className="flex gap-2">
        <input
          id={field}
          type="email"
          autoComplete="email"
          placeholder={t('address')}
          value={address}
          onChange={(event) => {
            setAddress(event.target.value)
            setInvalid(false)
          }}
          aria-invalid={invalid}
          aria-describedby={invalid ? `${field}-problem` : undefined}
          className="field min-w-0 flex-1"
        />
        <Button type="submit">{t('enter')}</Button>
      </div>
      {invalid && (
        <p id={`${field}-problem`} role="alert" className="mt-1.5 text-sm text-danger">
          {tNew('invalidEmail')}
        </p>
      )}
    </form>
  )
}
