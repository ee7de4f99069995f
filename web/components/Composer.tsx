'use client'

import { beginning, byteLength, checkText, cleanText, ENTER_START, type EnterEvent, enterReducer, fitBytes } from 'chat-core'
import {
  type ClipboardEvent,
  type CompositionEvent,
  type KeyboardEvent,
  type RefObject,
  useCallback,
  useEffect,
  useId,
  useRef,
  useState,
} from 'react'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { useLimits } from '@/context/SessionContext'
import { type Composing, useComposing } from './composing'
import { ImageIcon, SendIcon } from './conversationIcons'
import { draftTo } from './drafts'
import { OnDemand, Part } from './OnDemand'
import { PartMissing } from './PartMissing'
import { nameOf } from './people'

const counter = new Part(() => import('./Counter'))
const composingBar = new Part(() => import('./ComposingBar'))

/** The counter appears when less than this share of the room is left. */
const COUNT_FROM = 0.8
/** More than fills the field at its highest. */
const MEASURED_CHARACTERS = 2_000

/** `onPick`: files were chosen to be sent; `null` where none can be. */
export function Composer({ peer, onPick }: { peer: string; onPick: ((files: FileList) => void) | null }) {
  const t = useTranslations('composer')
  const problem = useId()
  const { field, used, max, invisible, send, cut, written } = useWriting(peer)
  const { composing, cancel, left } = useLeaving(field)
  const { wasCut, pasted } = usePaste(max)
  const enterHandlers = useEnterToSend(send)
  const over = used - max
  const refused = over > 0 || invisible
  const isEdit = composing?.kind === 'edit'
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the key is that of the field and the buttons in it
    <div onKeyDown={left} className="shrink-0 pt-1 pb-[max(0.625rem,env(safe-area-inset-bottom))] md:pb-4">
      <div className="column px-3 md:px-6">
        {invisible && (
          <p id={problem} role="alert" className="mb-2 text-danger text-sm">
            {t('invisible')}
          </p>
        )}
        {used > max * COUNT_FROM && (
          <OnDemand
            part={counter}
            props={{ used, max, problem: invisible ? undefined : problem, wasCut: wasCut && over > 0, onCut: cut }}
            failed={missing}
          />
        )}
        {composing !== null && <OnDemand part={composingBar} props={{ composing, onCancel: cancel }} failed={missing} />}
        <div className="flex items-end gap-2 rounded-2xl border border-line bg-surface p-1 shadow-sm transition-colors focus-within:border-accent">
          {onPick !== null && !isEdit && <ImagePicker onPick={onPick} />}
          <div
            className={`growing ${onPick === null || isEdit ? 'pl-3' : ''} min-w-0 flex-1 self-center text-base leading-normal md:text-[0.9375rem]`}
          >
            <textarea
              ref={field}
              data-composer
              rows={1}
              aria-label={t('label', { name: nameOf(peer) })}
              aria-invalid={refused}
              aria-describedby={refused ? problem : undefined}
              placeholder={t('placeholder')}
              enterKeyHint="enter"
              onInput={written}
              onPaste={pasted}
              {...enterHandlers}
              className="resize-none bg-transparent outline-none placeholder:text-muted"
            />
          </div>
          <SendButton
            label={t(isEdit ? 'save' : 'send')}
            disabled={used === 0 || refused}
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

const missing = (retry: () => void) => <PartMissing onRetry={retry} />

/** What is being written, if it is no message of its own, and the ways out of it. */
function useLeaving(field: RefObject<HTMLTextAreaElement | null>) {
  const { composing, compose } = useComposing()
  const cancel = () => {
    compose(null)
    field.current?.focus()
  }
  const left = (event: KeyboardEvent) => {
    if (composing === null || event.key !== 'Escape' || event.nativeEvent.isComposing) return
    // It leaves this alone, and not the conversation.
    event.preventDefault()
    cancel()
  }
  return { composing, cancel, left }
}

/** What is written to `peer`. The field itself holds the text: what it holds at the end of a composition is what is sent. */
function useWriting(peer: string) {
  const client = useChatClient()
  const max = useLimits().messageBytes
  const field = useRef<HTMLTextAreaElement>(null)
  const [used, setUsed] = useState(0)
  const [invisible, setInvisible] = useState(false)

  const measure = useCallback(() => {
    const element = field.current
    if (element === null) return
    const text = cleanText(element.value)
    setUsed(byteLength(text))
    setInvisible(checkText(text, Number.POSITIVE_INFINITY) === 'messageInvisible')
    // The copy behind the field gives it its height. Measuring the field itself would make it small first, and move the messages above.
    if (element.parentElement !== null) element.parentElement.dataset.text = element.value.slice(0, MEASURED_CHARACTERS)
  }, [])
  const { composing, compose } = useComposing()
  const isEdit = composing?.kind === 'edit'
  const { draft, changed, typed } = useDraft(peer, field, max, measure, composing)

  const send = useCallback(() => {
    const element = field.current
    if (element === null || checkText(cleanText(element.value), max) !== null) return
    const text = element.value
    if (composing !== null) compose(null)
    if (composing?.kind === 'edit') {
      if (cleanText(text) !== composing.text) void client.edit(peer, composing.target, text)
      return
    }
    // Until it is kept as a message it is kept as a draft. Another tab may have one of its own here.
    void client.send(peer, text, composing?.to.timestamp).then(() => {
      if (draft.load() === text) draft.keep('')
    })
    draft.tell(text, '')
    element.value = ''
    changed(false)
  }, [client, peer, max, draft, changed, composing, compose])

  const written = () => {
    typed()
    if (field.current?.value !== '' && !isEdit) client.typing(peer)
  }
  const cut = () => {
    const element = field.current
    if (element === null) return
    element.value = fitBytes(cleanText(element.value), max)
    typed()
    element.focus()
  }
  return { field, used, max, invisible, send, cut, written }
}

/** What a field holds is kept as a draft, and is the same in all tabs until somebody writes in two of them. */
function useDraft(
  peer: string,
  field: RefObject<HTMLTextAreaElement | null>,
  max: number,
  measure: () => void,
  composing: Composing | null,
) {
  const me = useChat((state) => state.me)
  const [draft] = useState(() => draftTo(me, peer))
  /** What the field held when it was changed last, and whether somebody wrote that here. */
  const held = useRef({ text: '', isOwn: false })
  /** Whether it holds the words of a message that is edited, which are no draft. */
  const edits = useRef(false)
  const changed = useCallback(
    (isOwn: boolean) => {
      const text = field.current?.value ?? ''
      held.current = { text, isOwn: isOwn && text !== '' }
      measure()
    },
    [field, measure],
  )

  useEffect(() => {
    const element = field.current
    if (element === null) return
    // One that was kept before there was a limit would stall the page each time.
    if (element.value === '') element.value = beginningOf(draft.load(), max)
    changed(held.current.isOwn)
    if (!matchMedia('(pointer: coarse)').matches) element.focus()
  }, [field, draft, changed, max])

  useEffect(
    () =>
      // What another tab has written here, or sent, is here too. What was changed here since stays.
      draft.onChange((before, now) => {
        const element = field.current
        if (element === null || edits.current) return
        if (held.current.isOwn && element.value !== before) {
          // That tab may have taken this one's words for its own, which it has sent.
          if (now === '') draft.keep(element.value)
          return
        }
        element.value = now
        changed(false)
      }),
    [field, draft, changed],
  )

  useEdited({ field, composing, edits, changed, draft: () => beginningOf(draft.load(), max) })

  const typed = useCallback(() => {
    if (edits.current) {
      measure()
      return
    }
    const text = field.current?.value ?? ''
    draft.keep(text)
    draft.tell(held.current.text, text)
    changed(true)
  }, [field, draft, changed, measure])
  return { draft, changed, typed }
}

interface Edited {
  field: RefObject<HTMLTextAreaElement | null>
  composing: Composing | null
  edits: RefObject<boolean>
  changed(isOwn: boolean): void
  /** What was being written. */
  draft(): string
}

/** Gives the field the words of a message that is edited, and afterwards what was being written. Whatever is begun takes the focus. */
function useEdited({ field, composing, edits, changed, draft }: Edited): void {
  const load = useRef(draft)
  load.current = draft
  const edited = composing?.kind === 'edit' ? composing : null
  useEffect(() => {
    const element = field.current
    if (element === null || (edited === null && !edits.current)) return
    edits.current = edited !== null
    element.value = edited?.text ?? load.current()
    changed(false)
  }, [field, changed, edits, edited])
  useEffect(() => {
    const element = field.current
    if (composing === null || element === null) return
    element.focus()
    element.setSelectionRange(element.value.length, element.value.length)
  }, [field, composing])
}

/** The field takes at once a text this many times as long as one that can be sent, and leaves out the rest. */
const TAKEN = 2

/** As much of a text as the field takes at once. */
const beginningOf = (text: string, max: number): string =>
  text.length > TAKEN * max ? beginning(text.slice(0, 2 * TAKEN * max), TAKEN * max) : text

/** A pasted text that is far too long would stall the page. The field takes its beginning, enough to show that it is too long. */
function usePaste(max: number) {
  const [wasCut, setWasCut] = useState(false)
  const pasted = (event: ClipboardEvent<HTMLTextAreaElement>) => {
    const text = event.clipboardData.getData('text/plain')
    const short = beginningOf(text, max)
    setWasCut(short.length < text.length)
    if (short.length === text.length) return
    event.preventDefault()
    // The only way that the browser can undo.
    document.execCommand('insertText', false, short)
  }
  return { wasCut, pasted }
}

function SendButton({ label, disabled, onPress }: { label: string; disabled: boolean; onPress(): void }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={onPress}
      className="grid size-9 pointer-coarse:size-11 shrink-0 place-items-center rounded-xl bg-accent text-on-accent transition hover:bg-accent-strong active:scale-95 disabled:bg-transparent disabled:text-muted"
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
        className="grid size-9 pointer-coarse:size-11 shrink-0 place-items-center rounded-xl text-muted transition-colors hover:bg-hover hover:text-text"
      >
        <ImageIcon />
      </button>
      <input
        ref={picker}
        type="file"
        accept="image/*"
        multiple
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
