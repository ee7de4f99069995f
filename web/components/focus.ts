const focus = (selector: string): void => document.querySelector<HTMLElement>(selector)?.focus()

/** Gives the focus to the messages of the conversation. */
export const focusMessages = (): void => focus('[data-messages]')

/** Gives the focus to the conversation: to its field, or where that would bring up a keyboard to its messages. */
export function focusConversation(): void {
  if (matchMedia('(pointer: coarse)').matches) focusMessages()
  else focus('[data-composer]')
}
