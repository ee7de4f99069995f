'use client'

import { type ReactNode, useEffect, useId, useLayoutEffect, useRef } from 'react'
import { IconButton } from './Button'
import { CloseIcon } from './icons'
import { useLayer } from './layers'
import { useOutside } from './useOutside'

/** A modal dialog: the platform's, which keeps the focus inside, closes on Escape, and gives the focus back. */
export function Dialog({
  open,
  onClose,
  title,
  closeLabel,
  children,
}: {
  open: boolean
  onClose(): void
  title: string
  closeLabel: string
  children: ReactNode
}) {
  const ref = useRef<HTMLDialogElement>(null)
  const heading = useId()
  const close = () => ref.current?.close()
  useLayer(open, close)
  const outside = useOutside(close)

  useEffect(() => {
    const dialog = ref.current
    if (dialog === null || dialog.open === open) return
    if (!open) return dialog.close()
    dialog.showModal()
    dialog.querySelector<HTMLElement>('[data-autofocus]')?.focus()
  }, [open])
  useLayoutEffect(() => {
    const { current: dialog } = ref
    // One that is taken away while it is open would keep the focus, and leave none.
    return () => dialog?.close()
  }, [])

  return (
    <dialog
      ref={ref}
      aria-labelledby={heading}
      onClose={onClose}
      {...outside}
      className="m-auto w-[min(26rem,calc(100vw-2rem))] rounded-2xl border border-line bg-surface p-0 text-text shadow-xl backdrop:bg-black/40"
    >
      {open && (
        <div className="p-5">
          <div className="mb-4 flex items-center justify-between gap-2">
            <h2 id={heading} className="text-lg font-semibold">
              {title}
            </h2>
            <IconButton label={closeLabel} onClick={close} className="-mr-2">
              <CloseIcon />
            </IconButton>
          </div>
          {children}
        </div>
      )}
    </dialog>
  )
}
