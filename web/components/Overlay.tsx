import { createContext, type ReactNode, use, useCallback, useRef, useState } from 'react'
import { NotLoaded } from './NotLoaded'
import { OnDemand, type Part } from './OnDemand'

interface Closable {
  onClose(): void
}

/** Shows a part over the page until it is closed. */
type Show = <P extends Closable>(part: Part<P>, props: NoInfer<Omit<P, keyof Closable>>) => void

const Overlay = createContext<Show>(() => {})

export const useOverlay = (): Show => use(Overlay)

/** What is shown over the page is not part of the row that asked for it: scrolling takes rows away. Its code comes on demand. */
export function OverlayProvider({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<ReactNode>(null)
  const count = useRef(0)
  const show = useCallback<Show>((part, props) => {
    count.current += 1
    // What closes may have been replaced by what it led to.
    const onClose = () => setShown((now) => (now === overlay ? null : now))
    const overlay = (
      <OnDemand
        key={count.current}
        part={part}
        props={{ ...props, onClose } as typeof part extends Part<infer P> ? P : never}
        failed={(retry) => <NotLoaded onRetry={retry} onClose={onClose} />}
      />
    )
    setShown(overlay)
  }, [])
  return (
    <Overlay value={show}>
      {children}
      {shown}
    </Overlay>
  )
}
