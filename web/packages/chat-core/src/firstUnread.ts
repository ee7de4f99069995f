import type { Room } from './state'

/**
 * The number of the peer's first message after a read mark (`null`: nothing was read before); `null` when there is none, or when
 * what is loaded does not reach back far enough to tell.
 */
export function firstUnread({ messages, peer }: Pick<Room, 'messages' | 'peer'>, mark: string | null): number | null {
  const [oldest] = messages
  if (oldest === undefined || (oldest.seq !== 1 && (mark === null || oldest.timestamp > mark))) return null
  return (
    messages.find(({ senderEmail, timestamp, kind }) => senderEmail === peer && kind !== 'change' && timestamp > (mark ?? ''))
      ?.seq ?? null
  )
}
