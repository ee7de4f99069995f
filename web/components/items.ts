import { bodyOf, type MessageBody, type Pending } from 'chat-core'

/** A row of the list: a message that is stored, or one that is not yet. */
export type Item = MessageBody | Pending

export const isStored = (item: Item): item is MessageBody => 'seq' in item
export const timeOf = (item: Item): number => (isStored(item) ? Date.parse(item.timestamp) : item.createdAt)

/** What a message shows, stored or not. An image of ours is shown before the server has a name for it. */
export function shownOf(item: Item) {
  const { attachment: image, ...body } = isStored(item) ? item : { attachment: undefined, ...bodyOf(item) }
  return { ...body, image: !isStored(item) && item.kind === 'image' ? item.image : image }
}

export type Shown = ReturnType<typeof shownOf>
