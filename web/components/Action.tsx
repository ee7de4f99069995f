import { focusConversation } from './focus'

/** The button disappears when it is pressed, so the focus moves to the conversation first. */
export function Action({ strong = false, onClick, children }: { strong?: boolean; onClick(): void; children: string }) {
  return (
    <button
      type="button"
      onClick={() => {
        onClick()
        focusConversation()
      }}
      className={`rounded px-1.5 py-1 pointer-coarse:min-h-11 pointer-coarse:min-w-11 font-medium hover:bg-hover ${strong ? 'text-accent-text' : 'text-muted hover:text-text'}`}
    >
      {children}
    </button>
  )
}
