import {
  ALT_TEXT_MAX_BYTES,
  byteLength,
  type ChatClient,
  checkText,
  cleanText,
  type ImageProblem,
  type ReadyImage,
} from 'chat-core'
import { prepareImage } from 'chat-core/prepare'
import { type FormEvent, type ReactNode, useEffect, useId, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChatClient } from '@/context/ChatSocketContext'
import { useLimits } from '@/context/SessionContext'
import { Button } from './Button'
import { useComposing } from './composing'
import { Dialog } from './Dialog'
import { AlertIcon } from './icons'
import { useKept } from './useKept'

type State =
  | { status: 'preparing' }
  | { status: 'ready'; image: ReadyImage; url: string }
  | { status: 'refused'; problem: ImageProblem }

/** What is sent at once is kept in memory until then. */
const FILES_MAX = 20

/** What was picked, before it is sent: how it looks, what it shows, and a few words. Each photo becomes a message of its own. */
export default function ImagePreview({ files, peer, onClose }: { files: readonly Blob[]; peer: string; onClose(): void }) {
  const t = useTranslations('image')
  const client = useChatClient()
  const states = usePrepared(files, useLimits().imageBytes)
  const ready = states.flatMap((state) => (state.status === 'ready' ? [state.image] : []))
  const isPrepared = states.every(({ status }) => status !== 'preparing')
  const { composing, compose } = useComposing()
  const send = (words: Words) => {
    const isReply = composing?.kind === 'reply'
    void sendAll(client, peer, ready, words, isReply ? composing.to.timestamp : undefined)
    if (isReply) compose(null)
    onClose()
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title={states.length === 1 ? t('title') : t('titleMany', { count: states.length })}
      closeLabel={t('cancel')}
    >
      {isPrepared && ready.length === 0 ? (
        <>
          <p role="alert" className="mb-5 text-danger">
            <Refusals states={states} />
          </p>
          <Button className="w-full" data-autofocus onClick={onClose}>
            {t('close')}
          </Button>
        </>
      ) : (
        <WordsForm peer={peer} files={files} isReady={isPrepared} onSend={send} onCancel={onClose}>
          {states.length === 1 ? <Single state={states[0]} /> : <Several states={states} />}
          {states.some(({ status }) => status === 'refused') && (
            <p role="alert" className="text-danger text-sm">
              {t('someRefused', { count: states.filter(({ status }) => status === 'refused').length })} <Refusals states={states} />
            </p>
          )}
          {files.length > FILES_MAX && <p className="text-muted text-sm">{t('tooMany', { max: FILES_MAX })}</p>}
        </WordsForm>
      )}
    </Dialog>
  )
}

/** Why some of them cannot be sent, each reason once. */
function Refusals({ states }: { states: readonly State[] }) {
  const t = useTranslations('image')
  return [...new Set(states.flatMap((state) => (state.status === 'refused' ? [t(state.problem)] : [])))].join(' ')
}

interface Words {
  readonly caption: string
  readonly alt: string
}

interface WordsFormProps {
  peer: string
  files: readonly Blob[]
  isReady: boolean
  onSend(words: Words): void
  onCancel(): void
  children: ReactNode
}

/** A few words about what is sent, below `children`, which shows it. */
function WordsForm({ peer, files, isReady, onSend, onCancel, children }: WordsFormProps) {
  const t = useTranslations('image')
  const max = useLimits().messageBytes
  // A single photo can be described, and other photos have other descriptions.
  const [single, second] = files
  const isSingle = single !== undefined && second === undefined
  const caption = useKept(`caption ${peer}`)
  const alt = useKept(`alt ${peer} ${single instanceof File ? `${single.name} ${single.size}` : ''}`)
  const field = useId()
  const words = { caption: cleanText(caption.text), alt: isSingle ? cleanText(alt.text) : '' }
  const captionProblem = checkText(words.caption, max)
  const isAltTooLong = byteLength(words.alt) > ALT_TEXT_MAX_BYTES
  const isSendable = isReady && !isAltTooLong && (captionProblem === null || captionProblem === 'messageEmpty')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!isSendable) return
    caption.forget()
    alt.forget()
    onSend(words)
  }
  return (
    <form onSubmit={submit} noValidate className="grid gap-4">
      {children}
      <Field
        id={`${field}-caption`}
        label={t('caption')}
        value={caption.text}
        onChange={caption.change}
        problem={captionProblem === 'messageTooLong' ? t('long') : captionProblem === 'messageInvisible' ? t('invisible') : null}
        autoFocus
      />
      {isSingle && (
        <Field
          id={`${field}-alt`}
          label={t('alt')}
          hint={t('altHint')}
          value={alt.text}
          onChange={alt.change}
          problem={isAltTooLong ? t('long') : null}
        />
      )}
      <div className="flex gap-2">
        <Button className="flex-1" onClick={onCancel}>
          {t('cancel')}
        </Button>
        <Button look="primary" type="submit" className="flex-1" disabled={!isSendable}>
          {t('send')}
        </Button>
      </div>
    </form>
  )
}

/** In their order, each once the one before is kept. The words are those of the last one, below which they are seen. */
async function sendAll(client: ChatClient, peer: string, images: readonly ReadyImage[], words: Words, replyTo?: string) {
  for (const [index, image] of images.entries()) {
    const isLast = index === images.length - 1
    await client.sendImage(peer, image, { caption: isLast ? words.caption : '', alt: words.alt }, index === 0 ? replyTo : undefined)
  }
}

function Single({ state }: { state: State | undefined }) {
  const t = useTranslations('image')
  return (
    <div className="grid h-64 place-items-center overflow-hidden rounded-xl bg-sunken" aria-busy={state?.status === 'preparing'}>
      {state?.status === 'ready' ? (
        <img src={state.url} alt={t('preview')} data-testid="preview" className="max-h-64 max-w-full object-contain" />
      ) : (
        <p className="text-muted text-sm motion-safe:animate-pulse">{t('preparing')}</p>
      )}
    </div>
  )
}

function Several({ states }: { states: readonly State[] }) {
  const t = useTranslations('image')
  return (
    <ul
      className="grid max-h-72 grid-cols-3 gap-1 overflow-y-auto rounded-xl"
      aria-busy={states.some(({ status }) => status === 'preparing')}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
      tabIndex={0}
    >
      {states.map((state, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: what was picked stays in its order
        <li key={index} className="grid aspect-square place-items-center overflow-hidden bg-sunken">
          {state.status === 'ready' ? (
            <img src={state.url} alt={t('nth', { index: index + 1 })} data-testid="preview" className="size-full object-cover" />
          ) : state.status === 'refused' ? (
            <AlertIcon className="size-6 text-danger" />
          ) : (
            <span className="size-6 rounded-full bg-line motion-safe:animate-pulse" />
          )}
        </li>
      ))}
    </ul>
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

/** Prepares files one after the other: each needs much memory while it is drawn. */
function usePrepared(files: readonly Blob[], maxBytes: number): readonly State[] {
  const [states, setStates] = useState<readonly State[]>(() => files.slice(0, FILES_MAX).map(() => ({ status: 'preparing' })))
  useEffect(() => {
    const controller = new AbortController()
    const { signal } = controller
    const urls: string[] = []
    const prepare = async (file: Blob): Promise<State> => {
      const prepared = await prepareImage(file, maxBytes, signal).catch(() => ({ problem: 'imageBroken' }) as const)
      if ('problem' in prepared) return { status: 'refused', problem: prepared.problem }
      const url = URL.createObjectURL(new Blob([prepared.bytes], { type: prepared.contentType }))
      urls.push(url)
      return { status: 'ready', image: prepared, url }
    }
    const prepareAll = async () => {
      for (const [index, file] of files.slice(0, FILES_MAX).entries()) {
        const state = await prepare(file)
        if (signal.aborted) return
        setStates((before) => before.map((other, at) => (at === index ? state : other)))
      }
    }
    void prepareAll()
    return () => {
      controller.abort()
      for (const url of urls) URL.revokeObjectURL(url)
    }
  }, [files, maxBytes])
  return states
}
