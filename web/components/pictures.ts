import { type Pending, type PendingChange, type Room, shownMessages, shownPending } from 'chat-core'
import type { ImageName } from './imageSource'
import { type Item, isStored, shownOf, timeOf } from './items'

/** A photo of a conversation. */
export interface Picture {
  readonly name: ImageName
  readonly alt: string | undefined
  readonly width: number
  readonly height: number
  /** The sender; `null` for what is one's own and not stored yet. */
  readonly sender: string | null
  readonly at: number
}

/** The photo of a message, if it is one. One that is pending has no key yet; it is shown from the bytes that the outbox keeps. */
export function pictureOf(item: Item): Picture | null {
  const { image } = shownOf(item)
  if (image === undefined) return null
  const { alt, width, height, contentType: type } = image
  const name = isStored(item)
    ? { id: item.clientMessageId, key: item.attachment?.key, type }
    : { id: item.id, key: undefined, type }
  return { name, alt, width, height, sender: isStored(item) ? item.senderEmail : null, at: timeOf(item) }
}

/** The photos of a conversation that are loaded, the oldest first; without those that `me` has deleted, sent or not. */
export function picturesOf(
  room: Room,
  { me, pending, changes }: { me: string; pending: readonly Pending[]; changes: readonly PendingChange[] },
): Picture[] {
  const isHere = ({ peer }: { peer: string }) => peer === room.peer
  const own = changes.filter(isHere)
  const items = [...shownMessages(room, own, me), ...shownPending(pending.filter(isHere), own)]
  return items.flatMap((item) => pictureOf(item) ?? [])
}
