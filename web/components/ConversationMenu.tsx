import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { BlockIcon, ReportIcon } from './consentIcons'
import { Menu } from './Menu'
import { useOverlay } from './Overlay'
import { nameOf } from './people'
import { reportDialog } from './reportPart'

/** What can be done about whom a conversation is with. */
export default function ConversationMenu({ peer, near, onClose }: { peer: string; near: Element; onClose(): void }) {
  const t = useTranslations('consent')
  const client = useChatClient()
  const show = useOverlay()
  const blocked = useChat((state) => state.rooms[peer]?.blocked === true)
  const decision = blocked ? 'unblock' : 'block'
  const items = [
    { id: decision, words: t(decision), Icon: BlockIcon, run: () => void client.decide(decision, peer) },
    { id: 'report', words: t('report'), Icon: ReportIcon, run: () => show(reportDialog, { peer, chosen: [] }) },
  ]
  return <Menu title={t('menu', { name: nameOf(peer) })} items={items} near={near} onClose={onClose} />
}
