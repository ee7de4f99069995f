import { type ShrinkRequest, shrink } from './shrink'

const scope = globalThis as unknown as DedicatedWorkerGlobalScope
interface DedicatedWorkerGlobalScope {
  onmessage: ((event: MessageEvent<ShrinkRequest>) => void) | null
  postMessage(message: unknown, transfer: Transferable[]): void
}

scope.onmessage = async ({ data }) => {
  const shrunk = await shrink(data)
  scope.postMessage(shrunk, 'bytes' in shrunk ? [shrunk.bytes.buffer] : [])
}
