'use client'

import { type ComponentType, type ReactNode, useEffect, useState } from 'react'

const parts = new Set<Pick<Part<never>, 'fetch' | 'preload'>>()
let areFetched = false

/** Fetches one part after the other, so that each can be shown without a network; those too that other parts bring, and other pages. */
export async function fetchParts(): Promise<void> {
  // What is added meanwhile is gone through as well.
  for (const part of parts) await part.fetch()
  areFetched = true
}

/** A component whose code is loaded on demand. React's `lazy` would remember for ever that loading failed. */
export class Part<P extends object> {
  found: ComponentType<P> | null = null
  #loading: Promise<void> | null = null

  constructor(private readonly load: () => Promise<{ default: ComponentType<P> }>) {
    parts.add(this)
    if (areFetched) this.preload()
  }

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

/** Loads the code of a part, and shows it. What did not come is asked for again when the network is back. */
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
  useEffect(() => {
    if (state !== 'failed') return
    const again = () => setState('loading')
    window.addEventListener('online', again)
    return () => window.removeEventListener('online', again)
  }, [state])
  if (state === 'failed') return failed(() => setState('loading'))
  const Found = part.found
  return Found === null ? waiting : <Found {...props} />
}
