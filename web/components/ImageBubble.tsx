import { fitInside } from 'chat-core'
import { useEffect, useRef } from 'react'
import { useTranslations } from 'use-intl'
import { useViewer } from './ImageViewer'
import { AlertIcon } from './icons'
import { type ImageName, useImageSource } from './imageSource'

const SHOWN_MAX_WIDTH_PX = 320
const SHOWN_MAX_HEIGHT_PX = 360
/** Even an image of a few pixels has to be seen, and hit with a finger. */
const SHOWN_MIN_PX = 64

interface Facts {
  readonly width: number
  readonly height: number
  readonly alt?: string
}

/** The room that an image takes in the list, known before anything of it is loaded. */
export function shownSize(facts: Pick<Facts, 'width' | 'height'>): { width: number; height: number } {
  const { width, height } = fitInside(facts, SHOWN_MAX_WIDTH_PX, SHOWN_MAX_HEIGHT_PX)
  return { width: Math.max(width, SHOWN_MIN_PX), height: Math.max(height, SHOWN_MIN_PX) }
}

export function ImageBubble({ name, facts }: { name: ImageName; facts: Facts }) {
  const t = useTranslations('image')
  const view = useViewer()
  const { source, refused, retry } = useImageSource(name)
  const { width, height } = shownSize(facts)
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
      style={{ width, aspectRatio: `${width} / ${height}` }}
      className="relative max-w-full overflow-hidden rounded-xl bg-sunken"
      data-image={source.status}
    >
      {source.status === 'ready' && (
        <button
          type="button"
          aria-label={t('view', { alt })}
          onClick={() => view({ name, alt })}
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
            className="size-full object-contain"
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
          {t('failed')}
          <span className="font-medium text-accent-text">{t('retry')}</span>
        </button>
      )}
    </div>
  )
}
