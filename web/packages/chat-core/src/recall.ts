import { EPOCH, type Queued } from './pending'
import type { Rest } from './rest'
import type { MessageBody } from './wire'

type History = Pick<Rest, 'history'>

/** The timestamp of the newest message of a conversation, as an `after`. */
export async function newestTimestamp(rest: History, peer: string): Promise<string> {
  const { messages, clearedTo } = await rest.history(peer, { limit: '1' })
  return messages[0]?.timestamp ?? clearedTo ?? EPOCH
}

/**
 * Looks for what `user` sent in everything that was stored since it was written; says how far that was searched, or `null` when a part
 * of that has been cleared, so that nobody can look.
 */
export async function findStored(
  rest: History,
  user: string,
  { id, peer, after }: Queued,
): Promise<{ message: MessageBody | undefined; searchedTo: string | null }> {
  let searchedTo = after ?? EPOCH
  for (;;) {
    const page = await rest.history(peer, { after: searchedTo })
    const message = page.messages.find(({ clientMessageId, senderEmail }) => clientMessageId === id && senderEmail === user)
    if (message === undefined && (page.clearedTo ?? '') > searchedTo) return { message, searchedTo: null }
    searchedTo = page.nextAfter ?? page.messages.at(-1)?.timestamp ?? searchedTo
    if (message !== undefined || !page.hasMore) return { message, searchedTo }
  }
}
