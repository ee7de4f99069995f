'use client'

import { type AddressProblem, checkPeer } from 'chat-core'
import { type FormEvent, useId, useState } from 'react'
import { useTranslations } from 'use-intl'
import { Button } from './Button'
import { Dialog } from './Dialog'

export default function NewChat({ onClose, me, onStart }: { onClose(): void; me: string; onStart(peer: string): void }) {
  const t = useTranslations('new')
  return (
    <Dialog open onClose={onClose} title={t('title')} closeLabel={t('cancel')}>
      <Form
        me={me}
        onStart={(peer) => {
          onClose()
          onStart(peer)
        }}
      />
    </Dialog>
  )
}

function Form({ me, onStart }: { me: string; onStart(peer: string): void }) {
  const t = useTranslations('new')
  const field = useId()
  const [address, setAddress] = useState('')
  const [problem, setProblem] = useState<AddressProblem | null>(null)

  const submit = (event: FormEvent) => {
    event.preventDefault()
    const checked = checkPeer(address, me)
    if ('problem' in checked) setProblem(checked.problem)
    else onStart(checked.email)
  }

  return (
    <form onSubmit={submit} noValidate>
      <label htmlFor={field} className="mb-1.5 block font-medium text-sm">
        {t('label')}
      </label>
      <input
        id={field}
        type="email"
        inputMode="email"
        autoComplete="off"
        data-autofocus
        placeholder="junho@example.com"
        value={address}
        onChange={(event) => {
          setAddress(event.target.value)
          setProblem(null)
        }}
        aria-invalid={problem !== null}
        aria-describedby={problem === null ? undefined : `${field}-problem`}
        className="field w-full"
      />
      {problem !== null && (
        <p id={`${field}-problem`} role="alert" className="mt-1.5 text-danger text-sm">
          {t(problem)}
        </p>
      )}
      <Button look="primary" type="submit" className="mt-5 w-full">
        {t('start')}
      </Button>
    </form>
  )
}
