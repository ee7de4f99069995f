import { ALT_TEXT_MAX_BYTES, byteLength, checkText, cleanText, type ImageProblem, type ReadyImage } from 'chat-core'
import { prepareImage } from 'chat-core/prepare'
import { type FormEvent, useEffect, useId, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChatClient } from '@/context/ChatSocketContext'
import { useLimits } from '@/context/SessionContext'
import { Button } from './Button'
import { Dialog } from './Dialog'

type State =
  | { status: 'preparing' }
  | { status: 'ready'; image: ReadyImage; url: string }
  | { status: 'refused'; problem: ImageProblem }

/** What was picked, before it is sent: how it looks, what it shows, and a few words. */
export default function ImagePreview({
  file,
  peer,
  others,
  onClose,
}: {
  file: Blob
  peer: string
  /** How many more were picked: they are sent one by one. */
  others: number
  onClose(): void
}) {
  const t = useTranslations('image')
  const client = useChatClient()
  const limits = useLimits()
  const state = usePrepared(file, limits.imageBytes)
  const [caption, setCaption] = useState('')
  const [alt, setAlt] = useState('')
  const field = useId()
  const words = { caption: cleanText(caption), alt: cleanText(alt) }
  const tooLong = {
    caption: checkText(words.caption, limits.messageBytes) === 'messageTooLong',
    alt: byteLength(words.alt) > ALT_TEXT_MAX_BYTES,
  }
  const invisible = checkText(words.caption) === 'messageInvisible'
  const sendable = state.status === 'ready' && !tooLong.caption && !tooLong.alt && !invisible

  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!sendable) return
    void client.sendImage(peer, state.image, words)
    onClose()
  }

  return (
    <Dialog open onClose={onClose} title={t('title')} closeLabel={t('cancel')}>
      {state.status === 'refused' ? (
        <>
          <p role="alert" className="mb-5 text-danger">
            {t(state.problem)}
          </p>
          <Button className="w-full" data-autofocus onClick={onClose}>
            {t('close')}
          </Button>
        </>
      ) : (
        <form onSubmit={submit} noValidate className="grid gap-4">
          <div
            className="grid h-64 place-items-center overflow-hidden rounded-xl bg-sunken"
            aria-busy={state.status === 'preparing'}
          >
            {state.status === 'ready' ? (
              <img src={state.url} alt={t('preview')} data-testid="preview" className="max-h-64 max-w-full object-contain" />
            ) : (
              <p className="animate-pulse text-muted text-sm">{t('preparing')}</p>
            )}
          </div>
          {others > 0 && <p className="text-muted text-sm">{t('oneByOne', { count: others })}</p>}
          <Field
            id={`${field}-caption`}
            label={t('caption')}
            value={caption}
            onChange={setCaption}
            problem={tooLong.caption ? t('long') : invisible ? t('invisible') : null}
            autoFocus
          />
          <Field
            id={`${field}-alt`}
            label={t('alt')}
            hint={t('altHint')}
            value={alt}
            onChange={setAlt}
            problem={tooLong.alt ? t('long') : null}
          />
          <div className="flex gap-2">
            <Button className="flex-1" onClick={onClose}>
              {t('cancel')}
            </Button>
            <Button look="primary" type="submit" className="flex-1" disabled={!sendable}>
              {t('send')}
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  )
}

function Field({
  id,
  label,
  hint,
  value,
  onChange,
  problem,
  autoFocus = false,
}: {
  id: string
  label: string
  hint?: string
  value: string
  onChange(value: string): void
  problem: string | null
  autoFocus?: boolean
}) {
  const described = [hint === undefined ? '' : `${id}-hint`, problem === null ? '' : `${id}-problem`].join(' ').trim()
  return (
    <div>
      <label htmlFor={id} className="mb-1.5 block font-medium text-sm">
        {label}
      </label>
      <input
        id={id}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        data-autofocus={autoFocus || undefined}
        autoComplete="off"
        aria-invalid={problem !== null}
        aria-describedby={described === '' ? undefined : described}
        className="field w-full"
      />
      {hint !== undefined && (
        <p id={`${id}-hint`} className="mt-1 text-muted text-xs">
          {hint}
        </p>
      )}
      {problem !== null && (
        <p id={`${id}-problem`} role="alert" className="mt-1 text-danger text-sm">
          {problem}
        </p>
      )}
    </div>
  )
}

function usePrepared(file: Blob, maxBytes: number): State {
  const [state, setState] = useState<State>({ status: 'preparing' })
  useEffect(() => {
    const controller = new AbortController()
    let url: string | undefined
    setState({ status: 'preparing' })
    prepareImage(file, maxBytes, controller.signal).then(
      (prepared) => {
        if (controller.signal.aborted) return
        if ('problem' in prepared) return setState({ status: 'refused', problem: prepared.problem })
        url = URL.createObjectURL(new Blob([prepared.bytes], { type: prepared.contentType }))
        setState({ status: 'ready', image: prepared, url })
      },
      () => {
        if (!controller.signal.aborted) setState({ status: 'refused', problem: 'imageBroken' })
      },
    )
    return () => {
      controller.abort()
      if (url !== undefined) URL.revokeObjectURL(url)
    }
  }, [file, maxBytes])
  return state
}
