import { type ShrinkRequest, type Shrunk, shrink } from './shrink'

const scope = globalThis as unknown as DedicatedWorkerGlobalScope
interface DedicatedWorkerGlobalScope {
  onmessage: ((event: MessageEvent<ShrinkRequest>) => void) | null
  postMessage(message: unknown, transfer: Transferable[]): void
}

scope.onmessage = async ({ data }) => {
  // What cannot even be read, because the file has gone, is answered too.
  const shrunk = await shrink(data).catch((): Shrunk => ({ problem: 'imageBroken' }))
  scope.postMessage(shrunk, 'bytes' in shrunk ? [shrunk.bytes.buffer] : [])
}
