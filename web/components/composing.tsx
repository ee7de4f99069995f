import type { MessageBody, Target } from 'chat-core'
import { createContext, type ReactNode, use, useState } from 'react'

/** What is being written, if it is no message of its own: an answer to one, or other words for one. */
export type Composing =
  | { readonly kind: 'reply'; readonly to: MessageBody }
  | { readonly kind: 'edit'; readonly target: Target; readonly text: string }

interface Value {
  readonly composing: Composing | null
  /** `null`: a message of its own again. */
  compose(next: Composing | null): void
}

const Context = createContext<Value>({ composing: null, compose: () => {} })

export const useComposing = (): Value => use(Context)

export function ComposingProvider({ peer, children }: { peer: string; children: ReactNode }) {
  const [state, setState] = useState<{ peer: string; composing: Composing | null }>({ peer, composing: null })
  const composing = state.peer === peer ? state.composing : null
  return <Context value={{ composing, compose: (next) => setState({ peer, composing: next }) }}>{children}</Context>
}
