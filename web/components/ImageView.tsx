import { useEffect, useRef } from 'react'
import { useTranslations } from 'use-intl'
import { CloseIcon } from './icons'
import { type ImageName, useImageSource } from './imageSource'

/** An image to be looked at. */
export interface Viewed {
  readonly name: ImageName
  readonly alt: string
}

/** An image on the whole screen. The platform's dialog keeps the focus, closes on Escape, and gives the focus back. */
export default function ImageView({ name, alt, onClose }: Viewed & { onClose(): void }) {
  const t = useTranslations('image')
  const ref = useRef<HTMLDialogElement>(null)
  const { source, refused } = useImageSource(name)

  useEffect(() => {
    const dialog = ref.current
    if (dialog !== null && !dialog.open) dialog.showModal()
  }, [])
  const close = () => ref.current?.close()

  return (
    <dialog
      ref={ref}
      aria-label={alt}
      onClose={onClose}
      onClick={close}
      // The dialog has a single button, so Tab would lead out of the page into the browser.
      onKeyDown={(event) => event.key === 'Tab' && event.preventDefault()}
      className="m-0 h-dvh max-h-none w-dvw max-w-none bg-black/90 p-0 text-white backdrop:bg-transparent"
    >
      <div className="grid h-full grid-cols-1 grid-rows-1 place-items-center p-2 pt-14 md:p-14">
        {source.status === 'ready' && (
          <img src={source.src} alt={alt} onError={refused} className="max-h-full max-w-full object-contain" data-testid="viewed" />
        )}
        {source.status === 'failed' && <p role="alert">{t('failed')}</p>}
      </div>
      <button
        type="button"
        aria-label={t('close')}
        title={t('close')}
        onClick={close}
        className="absolute top-2 right-2 grid size-11 place-items-center rounded-full bg-black/60 text-white outline-white hover:bg-black/80"
      >
        <CloseIcon />
      </button>
    </dialog>
  )
}
