import { isDiscardable, type Pending } from 'chat-core'
import { useTranslations } from 'use-intl'
import { useChat, useChatClient } from '@/context/ChatSocketContext'
import { Action } from './Action'
import { reasonKey } from './reasons'
import { useHeldUp } from './useHeldUp'
import { useLocale } from './useLocale'

/** Why a message has not left, and what can be done. */
export default function Trouble({ entry, inAlbum }: { entry: Pending; inAlbum: boolean }) {
  const t = useTranslations()
  const client = useChatClient()
  const request = useChat((state) => state.rooms[entry.peer]?.request)
  const discard = () => void client.discard(entry.id)
  if (entry.status === 'queued') return <Waiting entry={entry} inAlbum={inAlbum} onStop={discard} />
  // Another attempt would fail in the same way.
  const final = entry.reason === 'imageLost' || entry.reason === 'proposalState' || entry.reason === 'outdated'
  return (
    <div className="mt-1 flex flex-wrap items-center justify-end gap-x-1 text-xs">
      <span className="text-danger">
        {t('message.failed')}: {t(`reason.${reasonKey(entry.reason, request)}`)}
      </span>
      <span className="-mr-1.5 flex">
        {!final && (
          <Action strong onClick={() => void client.retry(entry.id)}>
            {t('message.retry')}
          </Action>
        )}
        <Action onClick={discard}>{t('message.delete')}</Action>
      </span>
    </div>
  )
}

/** What a message waits for. A photo of an album says it by itself. */
function Waiting({ entry, inAlbum, onStop }: { entry: Pending; inAlbum: boolean; onStop(): void }) {
  const t = useTranslations()
  const client = useChatClient()
  const locale = useLocale()
  const share = useChat((state) => state.progress[entry.id] ?? null)
  // The first photo on its way holds up the rest. In an album its words stand below the last one.
  const first = useChat(({ pending }) => pending.find(({ peer, status }) => peer === entry.peer && status === 'queued') ?? entry)
  const heldUp = useHeldUp(inAlbum ? first : entry)
  const request = useChat((state) => state.rooms[entry.peer]?.request)
  const words = entry.reason === undefined ? null : t(`reason.${reasonKey(entry.reason, request)}`)
  if (entry.kind !== 'image' || !isDiscardable(entry))
    return words === null ? null : <p className="mt-1 text-right text-muted text-xs">{words}</p>
  return (
    <div className="mt-1 flex flex-wrap items-center justify-end gap-x-2 text-muted text-xs">
      {!inAlbum && (
        <span>
          {words ??
            (share === null
              ? t('image.waiting')
              : t('image.uploading', { share: share.toLocaleString(locale, { style: 'percent', maximumFractionDigits: 0 }) }))}
        </span>
      )}
      {!inAlbum && share !== null && <progress aria-label={t('image.progress')} value={share} max={1} className="progress" />}
      {heldUp && (
        <Action strong onClick={() => void client.textsFirst(entry.peer)}>
          {t('message.textsFirst')}
        </Action>
      )}
      {!inAlbum && <Action onClick={onStop}>{t('image.stop')}</Action>}
    </div>
  )
}
