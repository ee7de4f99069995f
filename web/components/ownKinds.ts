import type { Part } from './OnDemand'

/** What a message of an application's own kind is shown by. */
export interface OwnProps {
  /** What the message says. It comes from somebody else's browser, so it may be anything that the server's validator admits. */
  readonly body: unknown
  readonly preview: string
  readonly mine: boolean
  readonly peer: string
}

/** How messages of an application's own kind look. */
export interface OwnKind {
  /** The component; its code comes when the first message of the kind is shown. */
  readonly part: Part<OwnProps>
  /** How tall most of them are, with the space around them, so that the list can leave room before it has measured them. */
  readonly heightPx: number
}

/** An application's own kinds by their names, such as `x-order`; docs/own-kinds.md has an example. A kind that is not here is shown by its preview. */
export const OWN_KINDS: Readonly<Record<string, OwnKind>> = {}
