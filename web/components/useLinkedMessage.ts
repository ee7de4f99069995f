import { useCallback, useEffect, useRef, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChatClient } from '@/context/ChatSocketContext'
import { isStored } from './items'
import { forgetLinkedMessage, LINK_REACH, linkedMessage } from './messageLink'
import type { Messages } from './rows'
import { focusRow } from './useRowKeys'

/**
 * Loads as many earlier messages as are needed for the one that the address asks for, and leads to it. What is returned leads to another
 * one, which a message quotes.
 */
export function useLinkedMessage(props: Messages, say: (words: string) => void): (timestamp: string) => void {
  const { room, count, itemAt, toIndex } = props
  const t = useTranslations('message')
  const w = useTranslations('window')
  const client = useChatClient()
  const [wanted, setWanted] = useState(linkedMessage)
  const [isQuoted, setQuoted] = useState(false)
  /** How many messages were loaded when it was asked for. */
  const begun = useRef(room.messages.length)
  useEffect(() => {
    if (wanted === null) return
    const [oldest] = room.messages
    const isBehind = oldest !== undefined && oldest.timestamp > wanted
    const isFar = isBehind && room.messages.length - begun.current >= LINK_REACH
    if (isBehind && room.older === 'more' && !isFar) {
      say(t('seeking'))
      void client.loadOlder(room.peer)
      return
    }
    if (isBehind && room.older === 'loading') return
    let index = count - 1
    for (; index >= 0; index -= 1) {
      const item = itemAt(index)
      if (isStored(item) && item.timestamp === wanted) break
    }
    setWanted(null)
    forgetLinkedMessage()
    if (index < 0) {
      if (isFar) return say(t('tooFar', { count: LINK_REACH }))
      return say(isBehind && room.older === 'failed' ? w('olderFailed') : t(isQuoted ? 'quoteLost' : 'linkLost'))
    }
    if (begun.current < room.messages.length) say('')
    toIndex(index, 'center')
    focusRow({ ...props, toIndex: () => {} }, index)
  }, [wanted, room, count, itemAt, toIndex, client, props, say, t, w, isQuoted])
  const now = useRef(room)
  now.current = room
  return useCallback(
    (timestamp) => {
      begun.current = now.current.messages.length
      // Perhaps there is a network again.
      if (now.current.older === 'failed') void client.loadOlder(now.current.peer)
      setQuoted(true)
      setWanted(timestamp)
    },
    [client],
  )
}
