import { useEffect, useRef } from 'react'
import { useTranslations } from 'use-intl'
import { useChat } from '@/context/ChatSocketContext'
import { isStored } from './items'
import { lineOf, wordsOf } from './messageWords'
import { nameOf } from './people'
import { indexOf, type Messages, rowOf } from './rows'
import { useLocale } from './useLocale'

/** Copies a selection over several messages as text that can be read: when, who, what; also of rows that are not on the screen. */
export function useCopied(props: Messages): void {
  const t = useTranslations()
  const locale = useLocale()
  const me = useChat((state) => state.me)
  const textOf = (range: Range): string | null => {
    const { list, count, itemAt, room } = props
    const [first, last] = [endOf(list, range, true, count), endOf(list, range, false, count)]
    if (first === null || last === null || last.index <= first.index) return null
    const lines: string[] = []
    for (let index = first.index; index <= last.index; index += 1) {
      const item = itemAt(index)
      const part = index === first.index ? first.words : index === last.index ? last.words : null
      const words = part ?? wordsOf(item, locale, t)
      const mine = !isStored(item) || item.senderEmail === me
      if (words.trim() !== '') lines.push(lineOf(item, nameOf(mine ? me : room.peer), words, locale))
    }
    return lines.join('\n')
  }
  const made = useRef(textOf)
  made.current = textOf
  useEffect(() => {
    const copied = (event: ClipboardEvent) => {
      const selection = getSelection()
      const text = selection === null || selection.rangeCount === 0 ? null : made.current(selection.getRangeAt(0))
      if (text === null) return
      event.preventDefault()
      event.clipboardData?.setData('text/plain', text)
    }
    document.addEventListener('copy', copied)
    return () => document.removeEventListener('copy', copied)
  }, [])
}

/** A message in which a selection begins or ends, and what is selected of its words; `null` for all of it. */
function endOf(list: HTMLElement, range: Range, isFirst: boolean, count: number): { index: number; words: string | null } | null {
  const node = isFirst ? range.startContainer : range.endContainer
  if (!list.contains(node)) return null
  const row = rowOf(node)
  if (row === null) return count === 0 ? null : { index: isFirst ? 0 : count - 1, words: null }
  const text = row.querySelector('.message-text')
  if (text === null) return { index: indexOf(row), words: null }
  const part = document.createRange()
  part.selectNodeContents(text)
  if (isFirst && part.comparePoint(range.startContainer, range.startOffset) > 0) return { index: indexOf(row), words: '' }
  if (!isFirst && part.comparePoint(range.endContainer, range.endOffset) < 0) return { index: indexOf(row), words: '' }
  if (text.contains(node)) {
    if (isFirst) part.setStart(range.startContainer, range.startOffset)
    else part.setEnd(range.endContainer, range.endOffset)
  }
  return { index: indexOf(row), words: part.toString() }
}
