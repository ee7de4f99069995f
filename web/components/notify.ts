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

/** Shows a notification; one of several tabs replaces another one's. */
export function notify(title: string, body: string, tag: string, onClick: () => void): void {
  if (notifyState() !== 'on') return
  try {
    const notification = new Notification(title, { body, tag })
    notification.onclick = () => {
      window.focus()
      onClick()
      notification.close()
    }
  } catch {
    // Chrome on Android only notifies from a service worker.
  }
}
