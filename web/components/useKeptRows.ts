import { defaultRangeExtractor, type Range } from '@tanstack/react-virtual'
import { type RefObject, useCallback, useEffect, useState } from 'react'
import { rowOf } from './rows'

/**
 * Rows that stay although they are scrolled away: the one that has the focus, and those in which a selection begins and ends. Rows
 * between these come and go within the selection.
 */
export function useKeptRows(scroller: RefObject<HTMLElement | null>, keyOf: (index: number) => string, count: number) {
  const [kept, setKept] = useState<readonly string[]>([])
  useEffect(() => {
    const look = () => {
      const selection = getSelection()
      const ends = selection === null || selection.isCollapsed ? [] : [selection.anchorNode, selection.focusNode]
      const rows = [document.activeElement, ...ends].map(rowOf).filter((row) => row !== null && scroller.current?.contains(row))
      const keys = [...new Set(rows.map((row) => row?.dataset.key ?? ''))]
      setKept((before) => (before.join() === keys.join() ? before : keys))
    }
    const kinds = ['selectionchange', 'focusin', 'focusout'] as const
    for (const kind of kinds) document.addEventListener(kind, look)
    return () => {
      for (const kind of kinds) document.removeEventListener(kind, look)
    }
  }, [scroller])
  return useCallback(
    (range: Range) => {
      const shown = defaultRangeExtractor(range)
      if (kept.length === 0) return shown
      const indexes = new Set(shown)
      for (let index = 0; index < count; index += 1) if (kept.includes(keyOf(index))) indexes.add(index)
      return [...indexes].sort((a, b) => a - b)
    },
    [kept, keyOf, count],
  )
}
