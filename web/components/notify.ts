import { browserMemory } from '@/lib/storage'

/** Whether the user wants to be notified, and whether the browser lets us. */
export type NotifyState = 'on' | 'off' | 'denied' | 'unsupported'

const KEY = 'chat.notify'

export function notifyState(): NotifyState {
  if (typeof Notification === 'undefined') return 'unsupported'
  if (Notification.permission === 'denied') return 'denied'
  return Notification.permission === 'granted' && browserMemory.get(KEY) === 'on' ? 'on' : 'off'
}

/** Asks the browser. Only ever called because somebody switched it on. */
export async function askToNotify(): Promise<NotifyState> {
  if ((await Notification.requestPermission()) === 'granted') browserMemory.set(KEY, 'on')
  return notifyState()
}

export function stopNotifying(): NotifyState {
  browserMemory.set(KEY, null)
  return notifyState()
}

/** What a notification says, and where it leads. */
export interface Notice {
  readonly title: string
  readonly body: string
  /** A notification replaces an earlier one with the same tag. */
  readonly tag: string
  /** The message that it tells of, by number. */
  readonly seq: number
  readonly peer: string
  readonly url: string
}

/** By tag, how what is shown is taken back. */
const shown = new Map<string, () => void>()

/** Tells of a message once, in whichever tab is first; what was told of the same conversation is replaced, and heard again. */
export async function notify(notice: Notice, onClick: (peer: string) => void): Promise<void> {
  if (notifyState() !== 'on') return
  await inOneTab(`chat:notify:${notice.tag}:${notice.seq}`, () => show(notice, onClick))
}

/** Takes back what was told of a conversation, as when it was read elsewhere. */
export function unnotify(tag: string): void {
  shown.get(tag)?.()
  shown.delete(tag)
}

/** Another tab comes to the same within this time. */
const TABS_WITHIN_MS = 5_000

async function inOneTab(name: string, work: () => void): Promise<void> {
  try {
    await navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
      if (lock === null) return
      work()
      await new Promise((resolve) => setTimeout(resolve, TABS_WITHIN_MS))
    })
  } catch {
    // Without locks each tab tells, of which the last one is seen.
    work()
  }
}

// `renotify` is not of the standard's types yet. Browsers that do not know it tell silently of what replaces another one.
type Options = NotificationOptions & { renotify: boolean }

function show(notice: Notice, onClick: (peer: string) => void): void {
  const { title, body, tag, peer } = notice
  const options: Options = { body, tag, renotify: true }
  try {
    const notification = new Notification(title, options)
    shown.set(tag, () => notification.close())
    notification.onclick = () => {
      window.focus()
      onClick(peer)
      notification.close()
    }
  } catch {
    // Chrome on Android only notifies from a service worker.
    void byServiceWorker(notice).catch(() => {})
  }
}

async function byServiceWorker({ title, body, tag, peer, url }: Notice): Promise<void> {
  await startWorker()
  const registration = await workers()?.ready
  const options: Options = { body, tag, renotify: true, data: { peer, url } }
  const close = async () => {
    for (const notification of (await registration?.getNotifications({ tag })) ?? []) notification.close()
  }
  shown.set(tag, () => void close().catch(() => {}))
  await registration?.showNotification(title, options)
}

/** A browser that keeps nothing for a site may refuse even to be asked. */
function workers(): ServiceWorkerContainer | undefined {
  try {
    return navigator.serviceWorker
  } catch {
    return undefined
  }
}

/** Starts the service worker, if the browser has them; again does nothing. */
export async function startWorker(): Promise<void> {
  await workers()?.register('/worker.js')
}

/** Calls `open` when a notification of the service worker was clicked; returns how to stop. */
export function onNotificationClick(open: (peer: string) => void): () => void {
  const listener = ({ data }: MessageEvent) => {
    if (data?.type === 'chat:open') open(data.peer)
  }
  const container = workers()
  container?.addEventListener('message', listener)
  return () => container?.removeEventListener('message', listener)
}
