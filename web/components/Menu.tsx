import { type ComponentType, type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react'
import { useLayer } from './layers'
import { useOutside } from './useOutside'

const MARGIN_PX = 8
/** What arrows lead through. */
const ITEM = '[role^="menuitem"]'

export interface MenuItem {
  readonly id: string
  readonly words: string
  readonly Icon: ComponentType<{ className?: string }>
  run(): void
}

interface Props {
  title: string
  items: readonly MenuItem[]
  /** What stands above the items, as more of them; `close` closes the menu, as each of them has to. */
  lead?(close: () => void): ReactNode
  /** What it is the menu of. */
  near: Element
  /** What is said below the items. */
  children?: ReactNode
  onClose(): void
}

/** What can be done with something: beside it, on a phone at the bottom of the screen. */
export function Menu({ title, items, near, lead, children, onClose }: Props) {
  const ref = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const dialog = ref.current
    if (dialog === null || dialog.open) return
    dialog.showModal()
    place(dialog, near)
    const first = dialog.querySelector<HTMLElement>('[data-items] > *') ?? dialog.querySelector<HTMLElement>(ITEM)
    first?.focus()
  }, [near])
  const close = () => ref.current?.close()
  useLayer(true, close)
  const outside = useOutside(close)

  return (
    <dialog
      ref={ref}
      aria-label={title}
      onClose={onClose}
      {...outside}
      onKeyDown={moveInMenu}
      className="menu rounded-2xl border border-line bg-surface p-1.5 text-text shadow-xl outline-none"
    >
      <div role="menu" aria-label={title}>
        {lead?.(close)}
        <div role="none" data-items>
          {items.map(({ id, words, Icon, run }) => (
            <button
              key={id}
              type="button"
              role="menuitem"
              onClick={() => {
                // First: while it is open nothing else can take the focus.
                close()
                run()
              }}
              className="flex min-h-11 w-full items-center gap-3 rounded-xl px-3 text-left outline-offset-[-2px] hover:bg-hover"
            >
              <Icon className="size-5 text-muted" />
              {words}
            </button>
          ))}
        </div>
      </div>
      {children}
    </dialog>
  )
}

/** Arrows lead through the menu and round it; what stands above the items is one line of it. Tab would lead out of the page. */
function moveInMenu(event: KeyboardEvent<HTMLDialogElement>): void {
  const itemsIn = (place: string) => [...event.currentTarget.querySelectorAll<HTMLElement>(`[${place}] ${ITEM}`)]
  const lead = itemsIn('data-lead')
  const lines = [...lead.slice(0, 1), ...itemsIn('data-items')]
  const active = document.activeElement as HTMLElement
  const inLead = lead.indexOf(active)
  const step = event.key === 'Tab' ? (event.shiftKey ? 'ArrowUp' : 'ArrowDown') : event.key
  event.stopPropagation()
  const aside = { ArrowRight: 1, ArrowLeft: -1 }[step]
  const at = inLead >= 0 ? 0 : lines.indexOf(active)
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[step]
  const next =
    aside !== undefined && inLead >= 0
      ? lead.at((inLead + aside) % lead.length)
      : to === undefined
        ? undefined
        : lines.at(to === lines.length ? 0 : to)
  if (next === undefined) return
  event.preventDefault()
  next.focus()
}

/** Below what it is of, or above it where there is no room. Styles are set as properties, which the page's policy allows. */
function place(dialog: HTMLDialogElement, near: Element): void {
  if (matchMedia('(width < 48rem)').matches) return
  const bubble = near.getBoundingClientRect()
  const { width, height } = dialog.getBoundingClientRect()
  const below = bubble.bottom + MARGIN_PX
  const top = below + height + MARGIN_PX <= innerHeight ? below : bubble.top - height - MARGIN_PX
  const side = bubble.left + bubble.width / 2 > innerWidth / 2 ? bubble.right - width : bubble.left
  const within = (value: number, size: number, room: number) => Math.max(MARGIN_PX, Math.min(value, room - size - MARGIN_PX))
  dialog.style.top = `${within(top, height, innerHeight)}px`
  dialog.style.left = `${within(side, width, innerWidth)}px`
}
