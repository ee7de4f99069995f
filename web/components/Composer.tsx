'use client'

import { byteLength, checkText, cleanText, ENTER_START, type EnterEvent, enterReducer, fitBytes } from 'chat-core'
import { type CompositionEvent, type KeyboardEvent, useCallback, useEffect, useId, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { useLimits } from '@/context/SessionContext'
import { browserMemory } from '@/lib/storage'
import { ImageIcon, SendIcon } from './conversationIcons'
import { nameOf } from './people'

/** The counter appears when less than this share of the room is left. */
const COUNT_FROM = 0.8
const HEIGHT_MAX_PX = 180

/** `onPick`: files were chosen to be sent. */
export function Composer({ peer, onPick }: { peer: string; onPick(files: FileList): void }) {
  const t = useTranslations('composer')
  const client = useChatClient()
  const max = useLimits().messageBytes
  const field = useRef<HTMLTextAreaElement>(null)
  const draft = useDraft(peer)
  // The field itself holds the text: what it holds at the end of a composition is what is sent.
  const [used, setUsed] = useState(0)
  const [invisible, setInvisible] = useState(false)
  const problem = useId()

  const changed = useCallback(() => {
    const element = field.current
    if (element === null) return
    const text = cleanText(element.value)
    setUsed(byteLength(text))
    setInvisible(checkText(text, Number.POSITIVE_INFINITY) === 'messageInvisible')
    element.style.height = 'auto'
    element.style.height = `${Math.min(element.scrollHeight, HEIGHT_MAX_PX)}px`
  }, [])

  useEffect(() => {
    const element = field.current
    if (element === null) return
    element.value = draft.load()
    changed()
    if (!matchMedia('(pointer: coarse)').matches) element.focus()
  }, [draft, changed])

  const send = useCallback(() => {
    const element = field.current
    if (element === null || checkText(cleanText(element.value), max) !== null) return
    const text = element.value
    // Until it is kept as a message it is kept as a draft. Another tab may have one of its own here.
    void client.send(peer, text).then(() => {
      if (draft.load() === text) draft.save('')
    })
    element.value = ''
    changed()
  }, [client, peer, max, draft, changed])

  const enterHandlers = useEnterToSend(send)
  const cut = () => {
    const element = field.current
    if (element === null) return
    element.value = fitBytes(cleanText(element.value), max)
    draft.save(element.value)
    changed()
    element.focus()
  }

  const over = used - max
  return (
    <div className="shrink-0 border-line border-t bg-surface px-3 pt-2.5 pb-[max(0.625rem,env(safe-area-inset-bottom))] md:px-6">
      <div className="mx-auto max-w-3xl">
        {invisible && (
          <p id={problem} role="alert" className="mb-2 text-danger text-sm">
            {t('invisible')}
          </p>
        )}
        {used > max * COUNT_FROM && <Counter used={used} max={max} problem={invisible ? undefined : problem} onCut={cut} />}
        <div className="flex items-end gap-2 rounded-2xl border border-line bg-ground p-1 focus-within:border-accent">
          <ImagePicker onPick={onPick} />
          <textarea
            ref={field}
            data-composer
            rows={1}
            aria-label={t('label', { name: nameOf(peer) })}
            aria-invalid={over > 0 || invisible}
            aria-describedby={over > 0 || invisible ? problem : undefined}
            placeholder={t('placeholder')}
            enterKeyHint="enter"
            onInput={(event) => {
              changed()
              draft.save(event.currentTarget.value)
              if (event.currentTarget.value !== '') client.typing(peer)
            }}
            {...enterHandlers}
            className="min-h-9 min-w-0 flex-1 resize-none self-center bg-transparent py-1.5 text-base leading-normal outline-none placeholder:text-muted md:text-[0.9375rem]"
          />
          <SendButton
            disabled={used === 0 || over > 0 || invisible}
            onPress={() => {
              send()
              field.current?.focus()
            }}
          />
        </div>
      </div>
    </div>
  )
}

/** How much of the room is used, and what to do when it is not enough; `problem` is the id of what says so. */
function Counter({ used, max, problem, onCut }: { used: number; max: number; problem: string | undefined; onCut(): void }) {
  const t = useTranslations('composer')
  const over = used - max
  return (
    <div className="mb-2 flex flex-wrap items-center gap-x-3 text-sm">
      {over > 0 && problem !== undefined && (
        <p id={problem} role="alert" className="text-danger">
          {t('tooLong', { over })}
        </p>
      )}
      {over > 0 && (
        <button type="button" className="rounded px-1 font-medium text-accent-text underline underline-offset-2" onClick={onCut}>
          {t('cut')}
        </button>
      )}
      <span data-testid="bytes" className={`ml-auto tabular-nums ${over > 0 ? 'font-medium text-danger' : 'text-muted'}`}>
        {t('bytes', { used, max })}
      </span>
    </div>
  )
}

function SendButton({ disabled, onPress }: { disabled: boolean; onPress(): void }) {
  const t = useTranslations('composer')
  return (
    <button
      type="button"
      aria-label={t('send')}
      title={t('send')}
      disabled={disabled}
      onClick={onPress}
      className="grid size-9 shrink-0 place-items-center rounded-xl bg-accent text-on-accent transition-colors hover:bg-accent-strong disabled:bg-transparent disabled:text-muted"
    >
      <SendIcon />
    </button>
  )
}

function ImagePicker({ onPick }: { onPick(files: FileList): void }) {
  const t = useTranslations('composer')
  const picker = useRef<HTMLInputElement>(null)
  return (
    <>
      <button
        type="button"
        aria-label={t('image')}
        title={t('image')}
        onClick={() => picker.current?.click()}
        className="grid size-9 shrink-0 place-items-center rounded-xl text-muted transition-colors hover:bg-hover hover:text-text"
      >
        <ImageIcon />
      </button>
      <input
        ref={picker}
        type="file"
        accept="image/*"
        hidden
        data-testid="picker"
        onChange={({ currentTarget }) => {
          if (currentTarget.files !== null && currentTarget.files.length > 0) onPick(currentTarget.files)
          // The same file may be chosen again.
          currentTarget.value = ''
        }}
      />
    </>
  )
}

/** What a field listens to, so that Enter sends under every input method. */
function useEnterToSend(send: () => void) {
  const enter = useRef(ENTER_START)
  const reduce = (event: EnterEvent): boolean => {
    const [next, action] = enterReducer(enter.current, event)
    enter.current = next
    if (action === 'send') send()
    if (action === 'sendNext') setTimeout(send, 0)
    return action === 'send' || action === 'swallow'
  }
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // Under an input method the key may be called `Process`; where it is on the keyboard is what it is.
    if (event.key !== 'Enter' && !(event.key === 'Process' && /^(Numpad)?Enter$/.test(event.code))) return
    const { isComposing, keyCode, timeStamp } = event.nativeEvent
    // On a touch screen Enter is the only way to a new line, and there is a button for sending.
    const shift = event.shiftKey || event.altKey || (matchMedia('(pointer: coarse)').matches && !event.ctrlKey && !event.metaKey)
    if (reduce({ type: 'enter', isComposing, keyCode, shift, empty: event.currentTarget.value === '', at: timeStamp }))
      event.preventDefault()
  }
  return {
    onKeyDown,
    onCompositionStart: () => void reduce({ type: 'compositionstart' }),
    onCompositionUpdate: ({ data }: CompositionEvent) => void reduce({ type: 'compositionupdate', data }),
    onCompositionEnd: ({ data, nativeEvent }: CompositionEvent) =>
      void reduce({ type: 'compositionend', data, at: nativeEvent.timeStamp }),
    onBlur: () => void reduce({ type: 'blur' }),
  }
}

/** What was written and not sent, kept for each conversation. */
function useDraft(peer: string): { load(): string; save(text: string): void } {
  const me = useChat((state) => state.me)
  const [drafts] = useState(() => {
    const key = `chat.draft:${me}:${peer}`
    return {
      load: () => browserMemory.get(key) ?? '',
      save: (text: string) => browserMemory.set(key, text === '' ? null : text),
    }
  })
  return drafts
}
