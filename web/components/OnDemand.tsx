'use client'

import { type ComponentType, type ReactNode, useEffect, useState } from 'react'

/** A component whose code is loaded on demand. React's `lazy` would remember for ever that loading failed. */
export class Part<P extends object> {
  found: ComponentType<P> | null = null
  #loading: Promise<void> | null = null

  constructor(private readonly load: () => Promise<{ default: ComponentType<P> }>) {}

  fetch(): Promise<void> {
    this.#loading ??= this.load().then(
      (module) => {
        this.found = module.default
      },
      (error: unknown) => {
        this.#loading = null
        throw error
      },
    )
    return this.#loading
  }

  /** Fetches it before it is shown, if that works. */
  readonly preload = (): void => void this.fetch().catch(() => {})
}

interface Props<P extends object> {
  part: Part<P>
  props: P
  /** While the code is on its way. */
  waiting?: ReactNode
  /** When it did not come. */
  failed(retry: () => void): ReactNode
}

/** Loads the code of a part, and shows it. */
export function OnDemand<P extends object>({ part, props, waiting = null, failed }: Props<P>) {
  const [state, setState] = useState<'loading' | 'ready' | 'failed'>(part.found === null ? 'loading' : 'ready')
  useEffect(() => {
    if (state !== 'loading') return
    let shown = true
    const tell = (next: 'ready' | 'failed') => shown && setState(next)
    part.fetch().then(
      () => tell('ready'),
      () => tell('failed'),
    )
    return () => {
      shown = false
    }
  }, [part, state])
  if (state === 'failed') return failed(() => setState('loading'))
  const Found = part.found
  return Found === null ? waiting : <Found {...props} />
}
