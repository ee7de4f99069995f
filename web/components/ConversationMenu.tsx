import { isCleared } from 'chat-core'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { BlockIcon, ReportIcon } from './consentIcons'
import { Menu } from './Menu'
import { DeleteIcon } from './messageIcons'
import { Part } from './OnDemand'
import { useOverlay } from './Overlay'
import { nameOf } from './people'
import { reportDialog } from './reportPart'

const clearDialog = new Part(() => import('./ClearDialog'))

/** What can be done about a conversation, and whom a conversation is with. */
export default function ConversationMenu({ peer, near, onClose }: { peer: string; near: Element; onClose(): void }) {
  const t = useTranslations('consent')
  const client = useChatClient()
  const show = useOverlay()
  const blocked = useChat((state) => state.rooms[peer]?.blocked === true)
  const isEmpty = useChat(({ rooms }) => rooms[peer] == null || rooms[peer].last === null || isCleared(rooms[peer]))
  const decision = blocked ? 'unblock' : 'block'
  const clear = { id: 'clear', words: t('clear'), Icon: DeleteIcon, run: () => show(clearDialog, { peer }) }
  const items = [
    { id: decision, words: t(decision), Icon: BlockIcon, run: () => void client.decide(decision, peer) },
    { id: 'report', words: t('report'), Icon: ReportIcon, run: () => show(reportDialog, { peer, chosen: [] }) },
    ...(isEmpty ? [] : [clear]),
  ]
  return <Menu title={t('menu', { name: nameOf(peer) })} items={items} near={near} onClose={onClose} />
}
