import { parameter } from './usePeer'

/** Opens a conversation at a message, for either of its members. */
export function messageLink(peer: string, me: string, timestamp: string): string {
  const url = new URL(location.pathname, location.origin)
  url.search = new URLSearchParams({ with: peer, and: me, at: timestamp }).toString()
  return url.href
}

/** The timestamp of the message that the address asks for, or `null`. */
export const linkedMessage = (): string | null => parameter('at')

/** The conversation is where it was to be opened: scrolling is the reader's from here on. */
export function forgetLinkedMessage(): void {
  const url = new URL(location.href)
  url.searchParams.delete('at')
  history.replaceState(history.state, '', url)
}
