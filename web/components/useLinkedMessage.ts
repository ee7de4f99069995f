import { atReader } from 'chat-core'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChatClient } from '@/context/ChatSocketContext'
import { isStored } from './items'
import { forgetLinkedMessage, linkedMessage } from './messageLink'
import type { Messages, Sought } from './rows'
import { focusRow, withRow } from './useRowKeys'

interface Wanted extends Sought {
  /** What is said when it is not there. */
  readonly lost: 'linkLost' | 'quoteLost'
}

const FLASH = [
  { backgroundColor: 'var(--selected)' },
  { backgroundColor: 'var(--selected)', offset: 0.6 },
  { backgroundColor: 'transparent' },
]
const FLASH_MS = 1_600

/**
 * Leads to the message that the address asks for, then to those that are `sought`, however far back they are. What is returned leads to
 * another one, which a message quotes.
 */
export function useLinkedMessage(
  props: Messages,
  sought: Sought | null,
  say: (words: string) => void,
): (timestamp: string) => void {
  const { room, count, itemAt, toIndex, list } = props
  const t = useTranslations('message')
  const w = useTranslations('window')
  const client = useChatClient()
  const [wanted, setWanted] = useState<Wanted | null>(() => {
    const timestamp = linkedMessage()
    return timestamp === null ? null : { timestamp, isStep: false, lost: 'linkLost' }
  })
  useEffect(() => {
    if (sought !== null) setWanted({ ...sought, lost: 'quoteLost' })
  }, [sought])
  const asked = useRef<Wanted | null>(null)
  useEffect(() => {
    if (wanted === null) return
    const over = (words: string) => {
      setWanted(null)
      forgetLinkedMessage()
      say(words)
    }
    const isWanted = (index: number) => {
      const item = itemAt(index)
      return isStored(item) && item.timestamp === wanted.timestamp
    }
    let index = count - 1
    while (index >= 0 && !isWanted(index)) index -= 1
    if (index >= 0) {
      over('')
      toIndex(index, 'center')
      if (!wanted.isStep) focusRow({ ...props, toIndex: () => {} }, index)
      withRow(list, index, (row) => row.animate(FLASH, FLASH_MS))
      return
    }
    if (asked.current === wanted) return
    asked.current = wanted
    say(t('seeking'))
    const isThere = () => atReader(client.state.rooms[room.peer] ?? room).messages.some((one) => one.timestamp === wanted.timestamp)
    void client.seek(room.peer, wanted.timestamp).then((found) => {
      if (asked.current !== wanted || (found === 'there' && isThere())) return
      over(found === 'failed' ? w('seekFailed') : t(wanted.lost))
    })
  }, [wanted, room, count, itemAt, toIndex, list, client, props, say, t, w])
  return useCallback((timestamp) => setWanted({ timestamp, isStep: false, lost: 'quoteLost' }), [])
}
