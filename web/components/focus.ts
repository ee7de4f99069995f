/** Gives the focus to the conversation: to its field, or where that would bring up a keyboard to its messages. */
export function focusConversation(): void {
  const place = matchMedia('(pointer: coarse)').matches ? '[data-messages]' : '[data-composer]'
  document.querySelector<HTMLElement>(place)?.focus()
}
