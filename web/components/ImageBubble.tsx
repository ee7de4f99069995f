import { fitInside } from 'chat-core'
import { useEffect, useRef } from 'react'
import { useTranslations } from 'use-intl'
import { AlertIcon } from './icons'
import { type ImageName, useImageSource } from './imageSource'
import { Part } from './OnDemand'
import { useOverlay } from './Overlay'

const imageView = new Part(() => import('./ImageView'))

const SHOWN_MAX_WIDTH_PX = 320
const SHOWN_MAX_HEIGHT_PX = 360
/** Even an image of a few pixels has to be seen, and hit with a finger. */
const SHOWN_MIN_PX = 64
/** A part of what is long and narrow says more than the whole of it as a stripe. */
const SHOWN_SHORT_SIDE_PX = 160

interface Facts {
  readonly width: number
  readonly height: number
  readonly alt?: string
}

/** Words below an image are not narrower than this. */
const WORDS_MIN_PX = 240

/** The room that an image takes in the list, known before anything of it is loaded. */
export function shownSize(facts: Pick<Facts, 'width' | 'height'>, hasWords: boolean): { width: number; height: number } {
  const { width, height } = fitInside(facts, SHOWN_MAX_WIDTH_PX, SHOWN_MAX_HEIGHT_PX)
  const least = (side: number) => Math.max(SHOWN_MIN_PX, Math.min(side, SHOWN_SHORT_SIDE_PX))
  return { width: Math.max(width, least(facts.width), hasWords ? WORDS_MIN_PX : 0), height: Math.max(height, least(facts.height)) }
}

interface Props {
  name: ImageName
  facts: Facts
  peer: string
  /** How it stands: by itself, above words, or in the square of an album that is as wide as what it is in. */
  fit: 'bare' | 'worded' | 'cell'
}

export function ImageBubble({ name, facts, peer, fit }: Props) {
  const t = useTranslations('image')
  const show = useOverlay()
  const { source, refused, retry } = useImageSource(name)
  const { width, height } = shownSize(facts, fit === 'worded')
  const fills = fit === 'cell' || (facts.width >= width && facts.height >= height)
  const alt = facts.alt ?? t('photo')
  const frame = useRef<HTMLDivElement>(null)
  // The pressed button disappears; the frame has the focus until the next button is there.
  // biome-ignore lint/correctness/useExhaustiveDependencies: that is when there is
  useEffect(() => {
    if (document.activeElement === frame.current) frame.current?.querySelector('button')?.focus()
  }, [source.status])
  const again = () => {
    frame.current?.focus()
    retry()
  }
  return (
    <div
      ref={frame}
      tabIndex={-1}
      // By the element's own properties, which the page's policy allows: React sets no attribute.
      style={fit === 'cell' ? { aspectRatio: '1' } : { width, aspectRatio: `${width} / ${height}` }}
      className={`relative max-w-full overflow-hidden rounded-[inherit] bg-sunken ${fit === 'worded' ? 'rounded-b-none' : ''}`}
      data-image={source.status}
    >
      {source.status === 'ready' && (
        <button
          type="button"
          aria-label={t('view', { alt })}
          onClick={() => show(imageView, { id: name.id, peer })}
          className="block size-full cursor-zoom-in outline-offset-[-2px]"
        >
          <img
            src={source.src}
            alt={alt}
            width={width}
            height={height}
            decoding="async"
            draggable={false}
            onError={refused}
            className={`size-full ${fit === 'cell' ? 'object-cover' : fills ? 'object-cover object-top' : 'object-contain'}`}
          />
        </button>
      )}
      {source.status === 'failed' && (
        <button
          type="button"
          onClick={again}
          className="grid size-full place-content-center justify-items-center gap-1 p-2 text-center text-muted text-xs hover:bg-hover"
        >
          <AlertIcon className="size-5" />
          <span className={fit === 'cell' ? 'sr-only' : ''}>{t('failed')}</span>
          <span className="font-medium text-accent-text">{t('retry')}</span>
        </button>
      )}
    </div>
  )
}
