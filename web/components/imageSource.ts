import { useCallback, useEffect, useState } from 'react'
import { useChatClient } from '@/context/ChatSocketContext'

/** By the message's id, URLs of images that this page has sent or is sending, so that it need not load them again. */
const own = new Map<string, string>()
const OWN_MAX = 30

function remember(id: string, bytes: Uint8Array<ArrayBuffer>, type: string): string {
  const url = URL.createObjectURL(new Blob([bytes], { type }))
  own.set(id, url)
  const [oldest] = own.keys()
  if (own.size > OWN_MAX && oldest !== undefined) forget(oldest)
  return url
}

function forget(id: string): void {
  const url = own.get(id)
  own.delete(id)
  if (url !== undefined) URL.revokeObjectURL(url)
}

export type ImageSource = { status: 'loading' } | { status: 'ready'; src: string } | { status: 'failed' }

/** An image of a message: `key` once it is stored, before that what is kept to be sent. */
export interface ImageName {
  readonly id: string
  readonly key: string | undefined
  readonly type: string
}

/** Where an image can be shown from. `refused`: what was given does not load. */
export function useImageSource({ id, key, type }: ImageName): { source: ImageSource; refused(): void; retry(): void } {
  const client = useChatClient()
  const [source, setSource] = useState<ImageSource>(() => {
    const src = own.get(id)
    return src === undefined ? { status: 'loading' } : { status: 'ready', src }
  })
  // How often it did not load. A URL may have expired meanwhile, so the first time asks for another one.
  const [failures, setFailures] = useState(0)

  useEffect(() => {
    let wanted = true
    const find = async (): Promise<ImageSource> => {
      const known = own.get(id)
      if (known !== undefined && failures === 0) return { status: 'ready', src: known }
      const bytes = await client.imageBytes(id)
      if (bytes !== undefined) return { status: 'ready', src: remember(id, bytes, type) }
      if (key === undefined) return { status: 'failed' }
      return { status: 'ready', src: await client.imageUrl(key, failures > 0) }
    }
    find().then(
      (found) => wanted && setSource(found),
      () => wanted && setSource({ status: 'failed' }),
    )
    return () => {
      wanted = false
    }
  }, [client, id, key, type, failures])

  const refused = useCallback(() => {
    forget(id)
    if (failures === 0) setFailures(1)
    else setSource({ status: 'failed' })
  }, [id, failures])
  const retry = useCallback(() => {
    setSource({ status: 'loading' })
    setFailures((count) => count + 1)
  }, [])
  return { source, refused, retry }
}
