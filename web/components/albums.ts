import { isSameDay } from '@/lib/format'
import { type Item, isStored, shownOf, timeOf } from './items'

/** Messages of one person within this time belong together. */
const GROUP_MS = 3 * 60_000

/** The sender, or `null` for everything that is not stored yet: one person wrote all of it. */
const senderOf = (item: Item): string | null => (isStored(item) ? item.senderEmail : null)

/** Whether messages are one group, of which only the last says when it was sent. */
export const belongTogether = (a: Item | null, b: Item | null): boolean =>
  a !== null && b !== null && senderOf(a) === senderOf(b) && areClose(a, b)

function areClose(a: Item, b: Item): boolean {
  const [from, to] = [timeOf(a), timeOf(b)]
  return Math.abs(to - from) < GROUP_MS && isSameDay(from, to)
}

/** The place of a photo among those that were sent with it. */
export interface Cell {
  readonly column: number
  readonly columns: number
  readonly line: number
  readonly lines: number
}

export const endsLine = ({ column, columns }: Cell): boolean => column + 1 === columns
export const endsAlbum = (cell: Cell): boolean => endsLine(cell) && cell.line + 1 === cell.lines

/** Equal places are one object, so that a row whose place stays is not made again. */
const cells = new Map<string, Cell>()

function cellOf(column: number, columns: number, line: number, lines: number): Cell {
  const key = `${column} ${columns} ${line} ${lines}`
  const known = cells.get(key) ?? { column, columns, line, lines }
  cells.set(key, known)
  return known
}

/** By index, the places of the photos that stand together; `divider` begins a new album, for a line is drawn above it. */
export function albumsOf(count: number, itemAt: (index: number) => Item, divider: number | null): ReadonlyMap<number, Cell> {
  const places = new Map<number, Cell>()
  let from = 0
  for (let index = 1; index <= count; index += 1) {
    if (index < count && goesOn(itemAt(index - 1), itemAt(index), divider)) continue
    if (index - from > 1) lay(places, from, index - from)
    from = index
  }
  return places
}

function goesOn(before: Item, item: Item, divider: number | null): boolean {
  // Photos leave one after the other, and stay together meanwhile: with one receiver they have one sender.
  if (!isPhoto(before) || !isPhoto(item) || receiverOf(before) !== receiverOf(item) || !areClose(before, item)) return false
  // Words end an album: they stand below it.
  return shownOf(before).message === '' && !(isStored(item) && item.seq === divider)
}

const receiverOf = (item: Item): string => (isStored(item) ? item.receiverEmail : item.peer)

/** What did not leave, what replies, and what has emoji below it has more to say than there is room for in an album. */
const isPhoto = (item: Item): boolean =>
  item.kind === 'image' &&
  item.replyTo === undefined &&
  (isStored(item) ? item.reactions === undefined : item.status === 'queued' && item.reason === undefined)

/** Three stand in a line, and two where three would leave one alone. */
function lay(places: Map<number, Cell>, from: number, count: number): void {
  const twos = (3 - (count % 3)) % 3
  const threes = (count - 2 * twos) / 3
  const lines = threes + twos
  let index = from
  for (let line = 0; line < lines; line += 1) {
    const columns = line < threes ? 3 : 2
    for (let column = 0; column < columns; column += 1, index += 1) places.set(index, cellOf(column, columns, line, lines))
  }
}
