import type { ComponentType } from 'react'
import { ReportIcon } from './consentIcons'
import type { Item } from './items'
import { isStored } from './items'
import { CopyIcon, DeleteIcon, EditIcon, LinkIcon, ReplyIcon } from './messageIcons'

/** What actions are given to work with. */
export interface ActionContext {
  /** The words of the message. */
  readonly words: string
  /** Where the message can be opened again; `null` when that would not lead to it. */
  readonly link: string | null
  copy(text: string): void
  /** Shows it to whoever runs the chat; `null` of one's own. */
  readonly report: (() => void) | null
  /** `null` where it cannot be done. */
  readonly reply: (() => void) | null
  readonly edit: (() => void) | null
  readonly remove: (() => void) | null
}

/** Something that can be done with a message. */
export interface MessageAction {
  readonly id: string
  /** Its name among the texts of `message`. */
  readonly label: 'reply' | 'edit' | 'copy' | 'copyLink' | 'report' | 'remove'
  readonly Icon: ComponentType<{ className?: string }>
  /** Whether it is beside the message too, and not in its menu alone. */
  readonly isQuick: boolean
  run(): void
}

/** How emoji are left on a message: the user's own ones, what is done when one is pressed, and how all are shown. */
export interface Reacting {
  readonly own: readonly string[]
  press(emoji: string): void
  showAll(): void
}

/** What there is to do with a message, and to know of it. */
export interface MessageFacts {
  readonly title: string
  /** `null` where nobody can. */
  readonly reacting: Reacting | null
  readonly actions: readonly MessageAction[]
  /** `null` before it is stored. */
  readonly sentAt: number | null
  /** Whether the other one has read it, and when this page heard so; `null` of others' messages, whose reader looks at this. */
  readonly read: { readonly isRead: boolean; readonly at: number | null } | null
}

/** All that can be done with a message, in the order in which it is shown. What is added here is in the menu and the bar. */
export function actionsOf(item: Item, { words, link, copy, report, reply, edit, remove }: ActionContext): MessageAction[] {
  const actions: MessageAction[] = []
  if (reply !== null) actions.push({ id: 'reply', label: 'reply', Icon: ReplyIcon, isQuick: true, run: reply })
  if (edit !== null) actions.push({ id: 'edit', label: 'edit', Icon: EditIcon, isQuick: false, run: edit })
  if (words !== '' && item.kind !== 'erased' && item.kind !== 'deleted')
    actions.push({ id: 'copy', label: 'copy', Icon: CopyIcon, isQuick: true, run: () => copy(words) })
  if (isStored(item) && link !== null)
    actions.push({ id: 'link', label: 'copyLink', Icon: LinkIcon, isQuick: false, run: () => copy(link) })
  if (report !== null) actions.push({ id: 'report', label: 'report', Icon: ReportIcon, isQuick: false, run: report })
  if (remove !== null) actions.push({ id: 'remove', label: 'remove', Icon: DeleteIcon, isQuick: false, run: remove })
  return actions
}
