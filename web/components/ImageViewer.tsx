import { createContext, type ReactNode, use, useState } from 'react'
import type { Viewed } from './ImageView'
import { OnDemand, Part } from './OnDemand'

const Viewer = createContext<(image: Viewed) => void>(() => {})
const imageView = new Part(() => import('./ImageView'))

/** Shows an image as large as the screen. */
export function useViewer(): (image: Viewed) => void {
  return use(Viewer)
}

// The viewer is not part of the row that was pressed, because scrolling takes rows away.
export function ViewerProvider({ children }: { children: ReactNode }) {
  const [viewed, setViewed] = useState<Viewed | null>(null)
  return (
    <Viewer value={setViewed}>
      {children}
      {viewed !== null && <OnDemand part={imageView} props={{ ...viewed, onClose: () => setViewed(null) }} failed={() => null} />}
    </Viewer>
  )
}
