import { emptyRoom } from 'chat-core'
import { type KeyboardEvent, type ReactNode, type RefObject, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChat } from '@/context/ChatSocketContext'
import { formatExact } from '@/lib/format'
import { CloseIcon } from './icons'
import { useImageSource } from './imageSource'
import { useLayer } from './layers'
import { nameOf } from './people'
import { type Picture, picturesOf } from './pictures'
import { useLocale } from './useLocale'
import { useZoom } from './useZoom'
import { MinusIcon, NextIcon, PlusIcon, PreviousIcon, SaveIcon } from './viewerIcons'
import type { Size, View } from './zoom'

/** The photos of a conversation on the whole screen, beginning with one of them. */
export default function ImageView({ id, peer, onClose }: { id: string; peer: string; onClose(): void }) {
  const all = usePictures(peer)
  const [shown, setShown] = useState(id)
  const found = all.findIndex(({ name }) => name.id === shown)
  // One that is not there any more leaves its place to the next.
  const last = useRef(found)
  if (found >= 0) last.current = found
  const index = Math.min(Math.max(last.current, 0), all.length - 1)
  const picture = all[index]
  const ref = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const dialog = ref.current
    if (dialog !== null && !dialog.open) dialog.showModal()
  }, [])
  const pressedLast = useRef<string | null>(null)
  const close = () => ref.current?.close()
  useLayer(true, close)
  const isEmpty = all.length === 0
  useEffect(() => {
    // The last one was deleted, here or by its sender.
    if (isEmpty) ref.current?.close()
  }, [isEmpty])
  const turn = (step: number) => {
    const next = all[index + step]
    if (next === undefined) return
    pressedLast.current = document.activeElement?.getAttribute('aria-label') ?? null
    setShown(next.name.id)
  }
  const t = useTranslations('image')
  return (
    <dialog
      ref={ref}
      aria-label={t('viewer')}
      onClose={onClose}
      className="m-0 h-dvh max-h-none w-dvw max-w-none overflow-hidden bg-black p-0 text-white backdrop:bg-transparent"
    >
      {picture !== undefined && (
        <Shown
          key={picture.name.id}
          picture={picture}
          place={[index, all.length]}
          pressedLast={pressedLast}
          onTurn={turn}
          onClose={close}
        />
      )}
    </dialog>
  )
}

/** The photos of a conversation, as they are by now. */
function usePictures(peer: string): Picture[] {
  const room = useChat((state) => state.rooms[peer]) ?? emptyRoom(peer)
  const me = useChat((state) => state.me)
  const pending = useChat((state) => state.pending)
  const changes = useChat((state) => state.changes)
  return useMemo(() => picturesOf(room, { me, pending, changes }), [room, me, pending, changes])
}

interface ShownProps {
  picture: Picture
  /** Which one it is, and of how many. */
  place: readonly [number, number]
  /** The name of the button that led to it, which keeps the focus. */
  pressedLast: RefObject<string | null>
  onTurn(step: number): void
  onClose(): void
}

function Shown({ picture, place, pressedLast, onTurn, onClose }: ShownProps) {
  const t = useTranslations('image')
  const stage = useRef<HTMLDivElement>(null)
  const image = useImageSource(picture.name)
  const { source } = image
  const size = useMemo(() => ({ width: picture.width, height: picture.height }), [picture.width, picture.height])
  const { stage: room, view, zoomIn, zoomOut, press } = useZoom(stage, size, { onTurn, onLeave: onClose })
  const { save, failed } = useSave(picture, source.status === 'ready' ? source.src : null)
  const frame = useFrame(pressedLast)
  const pressed = (event: KeyboardEvent<HTMLDivElement>) => {
    event.stopPropagation()
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'Tab' ? wrapTab(event) : press(event.key)) event.preventDefault()
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the whole dialog
    <div ref={frame} tabIndex={-1} onKeyDown={pressed} className="relative h-full outline-none">
      <div ref={stage} className="absolute inset-x-0 inset-y-14 touch-none overflow-hidden md:inset-x-14">
        {room !== null && <Photo picture={picture} image={image} fit={room.fit} view={view} />}
      </div>
      <Waiting image={image} />
      <Bar picture={picture} place={place}>
        <Round label={t('zoomOut')} onPress={zoomOut} className="max-md:hidden">
          <MinusIcon />
        </Round>
        <Round label={t('zoomIn')} onPress={zoomIn} className="max-md:hidden">
          <PlusIcon />
        </Round>
        <Round label={t('save')} onPress={save} disabled={source.status !== 'ready'}>
          <SaveIcon />
        </Round>
        <Round label={t('close')} onPress={onClose}>
          <CloseIcon />
        </Round>
      </Bar>
      <Neighbours place={place} onTurn={onTurn} />
      <div aria-live="polite" className="absolute inset-x-0 bottom-0 grid h-14 place-content-center px-4 text-center text-sm">
        {failed ? (
          <p className="text-red-300">{t('notSaved')}</p>
        ) : (
          picture.alt !== undefined && <p className="line-clamp-2">{picture.alt}</p>
        )}
      </div>
    </div>
  )
}

/** What everything is in. It takes the focus, or gives it to the button that was pressed last. */
function useFrame(pressedLast: ShownProps['pressedLast']): RefObject<HTMLDivElement | null> {
  const frame = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const buttons = frame.current?.querySelectorAll('button') ?? []
    const same = [...buttons].find((button) => button.getAttribute('aria-label') === pressedLast.current)
    ;(same ?? frame.current)?.focus()
  }, [pressedLast])
  return frame
}

type Image = ReturnType<typeof useImageSource>

function Photo({ picture, image, fit, view }: { picture: Picture; image: Image; fit: Size; view: View }) {
  const t = useTranslations('image')
  if (image.source.status !== 'ready') return null
  return (
    <img
      src={image.source.src}
      alt={picture.alt ?? t('photo')}
      onError={image.refused}
      draggable={false}
      data-testid="viewed"
      data-scale={view.scale}
      className="-translate-x-1/2 -translate-y-1/2 absolute top-1/2 left-1/2 max-w-none cursor-zoom-in select-none"
      style={{
        width: fit.width * view.scale,
        height: fit.height * view.scale,
        transform: `translate(${view.x}px, ${view.y}px)`,
      }}
    />
  )
}

/** What is there instead of the photo: that it is on its way, or that it cannot be shown. */
function Waiting({ image: { source, retry } }: { image: Image }) {
  const t = useTranslations('image')
  if (source.status === 'loading') {
    return <p className="absolute inset-0 grid place-content-center motion-safe:animate-pulse">{t('loading')}</p>
  }
  if (source.status !== 'failed') return null
  return (
    <div role="alert" className="absolute inset-0 grid place-content-center justify-items-center gap-3">
      {t('failed')}
      <button type="button" onClick={retry} className="min-h-11 rounded-lg border border-white/60 px-4 outline-white">
        {t('retry')}
      </button>
    </div>
  )
}

/** The ways to the photo before this one, and to the next. */
function Neighbours({ place: [index, count], onTurn }: Pick<ShownProps, 'place' | 'onTurn'>) {
  const t = useTranslations('image')
  return (
    <>
      {index > 0 && (
        <Round label={t('previous')} onPress={() => onTurn(-1)} className="absolute top-1/2 left-1 -translate-y-1/2">
          <PreviousIcon />
        </Round>
      )}
      {index + 1 < count && (
        <Round label={t('next')} onPress={() => onTurn(1)} className="absolute top-1/2 right-1 -translate-y-1/2">
          <NextIcon />
        </Round>
      )}
    </>
  )
}

/** From the last button to the first one, and back: Tab would lead out of the page into the browser. */
function wrapTab({ currentTarget, shiftKey }: KeyboardEvent<HTMLDivElement>): boolean {
  const buttons = [...currentTarget.querySelectorAll<HTMLButtonElement>('button:not(:disabled)')].filter(
    (button) => button.offsetParent !== null,
  )
  const at = buttons.indexOf(document.activeElement as HTMLButtonElement)
  const next = buttons.at((at + (shiftKey ? -1 : 1)) % buttons.length) ?? buttons[0]
  next?.focus()
  return true
}

/** Who sent it and when, which one it is, and what can be done. */
function Bar({ picture, place: [index, count], children }: Pick<ShownProps, 'picture' | 'place'> & { children: ReactNode }) {
  const t = useTranslations()
  const locale = useLocale()
  const me = useChat((state) => state.me)
  const mine = picture.sender === null || picture.sender === me
  return (
    <div className="absolute inset-x-0 top-0 flex h-14 items-center gap-1 pr-1.5 pl-4">
      <p aria-live="polite" className="min-w-0 flex-1 leading-tight">
        <span className="block truncate font-medium">
          <span>{mine ? t('message.mine') : nameOf(picture.sender ?? '')}</span>
          {count > 1 && (
            <span className="ml-2 font-normal text-white/75 text-xs tabular-nums">
              {t('image.place', { index: index + 1, count })}
            </span>
          )}
        </span>
        <time dateTime={new Date(picture.at).toISOString()} className="block truncate text-white/75 text-xs">
          {formatExact(locale, picture.at)}
        </time>
      </p>
      {children}
    </div>
  )
}

function Round({
  label,
  onPress,
  disabled = false,
  className = '',
  children,
}: {
  label: string
  onPress(): void
  disabled?: boolean
  className?: string
  children: ReactNode
}) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={onPress}
      className={`grid size-11 shrink-0 place-items-center rounded-full bg-black/50 text-white outline-white hover:bg-white/20 disabled:opacity-50 ${className}`}
    >
      {children}
    </button>
  )
}

const SAVED_MS = 60_000

async function fetched(src: string): Promise<string> {
  const answer = await fetch(src)
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`)
  return URL.createObjectURL(await answer.blob())
}

/** Keeps a photo as a file. Of another origin it has to be fetched first, or the browser would leave for it. */
function useSave(picture: Picture, src: string | null) {
  const [failed, setFailed] = useState(false)
  const save = async () => {
    if (src === null) return
    setFailed(false)
    try {
      // What is in memory needs no fetching, and may not be fetched.
      const url = src.startsWith('blob:') ? src : await fetched(src)
      const link = document.createElement('a')
      const moment = new Date(picture.at)
        .toISOString()
        .replace(/\.\d+Z$/, '')
        .replaceAll(':', '-')
      link.href = url
      link.download = `photo-${moment}.${picture.name.type.replace('image/', '').replace('jpeg', 'jpg')}`
      link.click()
      // The browser has begun to read it by then.
      if (url !== src) setTimeout(() => URL.revokeObjectURL(url), SAVED_MS)
    } catch {
      setFailed(true)
    }
  }
  return { save: () => void save(), failed }
}
