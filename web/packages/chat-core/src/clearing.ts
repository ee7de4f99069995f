import { knownSeq, type Room, unreadOf } from './state'
import type { MessageBody } from './wire'

/** Those of some messages that the user has not cleared for themselves. */
export const uncleared = (found: readonly MessageBody[], clearedTo: string | null): readonly MessageBody[] =>
  clearedTo === null ? found : found.filter(({ timestamp }) => timestamp > clearedTo)

/** A conversation without what was said up to `to`, which the user has cleared for themselves. What is unread stays so. */
export function clearedUpTo(room: Room, to: string | null | undefined): Room {
  if (to == null || to <= (room.clearedTo ?? '')) return room
  const { last, anchor } = room
  const kept = leftOf(room, to)
  const gone = room.messages[room.messages.length - kept.messages.length - 1]
  // What is cleared is not missing.
  const known = Math.max(knownSeq(room) ?? 0, gone?.seq ?? 0, last !== null && last.timestamp <= to ? last.seq : 0)
  const said = last?.at ?? last?.timestamp ?? ''
  const detached = room.detached && { ...room.detached, ...leftOf(room.detached, to) }
  return {
    ...room,
    ...kept,
    clearedTo: to,
    detached: detached?.messages.length === 0 ? null : detached,
    learnt: Object.fromEntries(Object.entries(room.learnt).filter(([timestamp]) => timestamp > to)),
    anchor: anchor === null ? null : Math.max(anchor, Math.min(known, kept.messages[0]?.seq ?? known)),
    last: last !== null && said <= to ? { ...last, at: said, preview: '' } : last,
    counted: last === null ? room.counted : { unread: unreadOf(room), seq: last.seq, at: last.timestamp },
  }
}

/** Of some messages those after `to`. Below what was cleared there is nothing to load. */
function leftOf({ messages, older }: Pick<Room, 'messages' | 'older'>, to: string): Pick<Room, 'messages' | 'older'> {
  const left = uncleared(messages, to)
  return { messages: left, older: left.length === messages.length ? older : 'none' }
}
