import { isDiscardable, type Pending } from 'chat-core'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { focusConversation } from './focus'
import { CloseIcon } from './icons'

/** Over a photo of an album that is on its way: how far it has come, and a way to stop it. */
export default function AlbumUpload({ entry }: { entry: Pending }) {
  const t = useTranslations('image')
  const client = useChatClient()
  const share = useChat((state) => state.progress[entry.id] ?? null)
  return (
    <>
      {share !== null && (
        <progress aria-label={t('progress')} value={share} max={1} className="progress absolute inset-x-2 bottom-2 w-auto" />
      )}
      {isDiscardable(entry) && (
        <button
          type="button"
          aria-label={t('stop')}
          title={t('stop')}
          onClick={() => {
            void client.discard(entry.id)
            focusConversation()
          }}
          className="absolute top-1 right-1 grid size-8 place-items-center rounded-full bg-black/60 text-white outline-white hover:bg-black/80 pointer-coarse:size-11"
        >
          <CloseIcon className="size-4" />
        </button>
      )}
    </>
  )
}
