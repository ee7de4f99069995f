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
  /** A notification replaces an earlier one with the same tag, also one of another tab. */
  readonly tag: string
  readonly peer: string
  readonly url: string
}

export function notify(notice: Notice, onClick: (peer: string) => void): void {
  if (notifyState() !== 'on') return
  const { title, body, tag, peer } = notice
  try {
    const notification = new Notification(title, { body, tag })
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
  await registration?.showNotification(title, { body, tag, data: { peer, url } })
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
