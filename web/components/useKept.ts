import type { ChatClient } from 'chat-core'
import { useState } from 'react'
import { useChatClient } from '@/context/ChatSocketContext'

/** By user's client, so that it ends when they sign out. */
const all = new WeakMap<ChatClient, Map<string, string>>()

function wordsOf(client: ChatClient): Map<string, string> {
  const words = all.get(client) ?? new Map<string, string>()
  all.set(client, words)
  return words
}

/** What is typed in a dialog. It is there again when the dialog was closed before it was sent. */
export function useKept(name: string, initial = '') {
  const words = wordsOf(useChatClient())
  const [text, setText] = useState(() => words.get(name) ?? initial)
  const change = (next: string) => {
    words.set(name, next)
    setText(next)
  }
  return { text, change, forget: () => void words.delete(name) }
}
