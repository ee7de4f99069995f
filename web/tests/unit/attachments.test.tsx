// @vitest-environment jsdom
import { Blob as NodeBlob } from 'node:buffer'
import { act, cleanup, configure, fireEvent, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import type { PendingWithImage, ProposalState, Verdict } from 'chat-core'
import { at, FakeServer, JUNHO } from 'chat-core/testing'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { ImageBubble } from '@/components/ImageBubble'
import ImagePreview from '@/components/ImagePreview'
import { MessageRow } from '@/components/MessageRow'
import ProposalCard from '@/components/ProposalCard'
import { areNames } from '@/components/pastedNames'
import { renderChat } from './support/render'

beforeAll(() => {
  configure({ asyncUtilTimeout: 20_000 })
  // jsdom has neither dialogs nor URLs of what is in memory.
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true
  }
  HTMLDialogElement.prototype.close = function () {
    this.open = false
    this.dispatchEvent(new Event('close'))
  }
  let made = 0
  URL.createObjectURL = () => {
    made += 1
    return `blob:${made}`
  }
  URL.revokeObjectURL = () => {}
  // Nor does it decode any.
  vi.stubGlobal(
    'Image',
    class {
      onerror = () => {}
      set src(_: string) {
        queueMicrotask(() => this.onerror())
      }
    },
  )
  vi.stubGlobal('matchMedia', () => ({ matches: false }))
})
afterEach(cleanup)

describe('a proposal', () => {
  const proposal = { teamName: '한강 FC', opponentTeamName: '서울숲', matchAt: '2099-12-05T05:00:00.000Z', place: '여의도' }
  const card = (change: { state?: ProposalState; mine?: boolean; at?: string | null; answering?: Verdict | null }) => (
    <ProposalCard proposal={proposal} state="open" mine={false} at={at(1)} peer={JUNHO} answering={null} {...change} />
  )
  const buttons = () => screen.queryAllByRole('button').map(({ textContent }) => textContent)

  test.each<[ProposalState, string]>([
    ['open', '답을 기다리는 중'],
    ['accepted', '수락됨'],
    ['declined', '거절됨'],
    ['withdrawn', '취소됨'],
    ['past', '시간이 지남'],
  ])('that is %s says so', (state, words) => {
    renderChat(card({ state }))
    expect(screen.getByText(words)).toBeTruthy()
    expect(buttons()).toEqual(state === 'open' ? ['수락', '거절'] : [])
  })

  test('of one’s own can be withdrawn, once it is stored', () => {
    renderChat(card({ mine: true }))
    expect(buttons()).toEqual(['제안 취소'])
    cleanup()
    renderChat(card({ mine: true, at: null }))
    expect(buttons()).toEqual([])
  })

  test('is answered once', async () => {
    const { client } = renderChat(card({}))
    let done = (): void => {}
    const queue = vi.spyOn(client, 'queue').mockReturnValue(
      new Promise((resolve) => {
        done = resolve
      }),
    )
    await userEvent.dblClick(screen.getByRole('button', { name: '수락' }))
    expect(queue).toHaveBeenCalledOnce()
    const answer = { proposal: at(1), answer: 'accepted' }
    expect(queue).toHaveBeenCalledWith(JUNHO, { kind: 'matchProposalAnswer', text: '', answer })
    await act(async () => done())
  })

  test('that is being answered waits', () => {
    renderChat(card({ answering: 'declined' }))
    for (const button of screen.getAllByRole('button')) expect((button as HTMLButtonElement).disabled).toBe(true)
  })
})

describe('an image', () => {
  const bubble = (id: string) => (
    <ImageBubble
      peer={JUNHO}
      name={{ id, key: 'key-1', type: 'image/png' }}
      facts={{ width: 4_000, height: 3_000, alt: '골대' }}
      fit="bare"
    />
  )

  test('has its room before it is there, then is shown', async () => {
    const server = new FakeServer()
    server.objects.set('key-1', Uint8Array.of(1))
    const { release, container } = renderChat(bubble('shown'), 'ko', server)
    const room = container.querySelector('[data-image="loading"]') as HTMLElement
    expect([room.style.width, room.style.aspectRatio]).toEqual(['320px', '320 / 240'])
    act(release)
    const image = await screen.findByAltText('골대')
    expect(image.getAttribute('src')).toBe('https://bucket.example/key-1?seen')
    expect(screen.getByRole('button', { name: '크게 보기: 골대' })).toBeTruthy()
  })

  test('that does not load is asked for anew, then says so, and can be asked for again', async () => {
    const server = new FakeServer()
    server.objects.set('key-1', Uint8Array.of(1))
    const { client, release } = renderChat(bubble('broken'), 'ko', server)
    const asked = vi.spyOn(client, 'imageUrl')
    act(release)
    fireEvent.error(await screen.findByAltText('골대'))
    await waitFor(() => expect(asked).toHaveBeenLastCalledWith('key-1', true))
    fireEvent.error(await screen.findByAltText('골대'))
    await userEvent.click(await screen.findByRole('button', { name: /다시 시도/ }))
    expect(await screen.findByAltText('골대')).toBeTruthy()
    // And the focus goes from the button that was pressed to the one in its place.
    expect(document.activeElement).toBe(screen.getByRole('button', { name: '크게 보기: 골대' }))
  })

  test('that nobody gives a URL for says so', async () => {
    const server = new FakeServer()
    const { release } = renderChat(bubble('missing'), 'en', server)
    server.status = 503
    act(release)
    expect(await screen.findByText('The photo could not be loaded')).toBeTruthy()
  })

  const image = { contentType: 'image/png', size: 1, width: 40, height: 30, uploaded: false } as const
  const entry: PendingWithImage = {
    id: 'p',
    peer: JUNHO,
    kind: 'image',
    text: '',
    after: null,
    createdAt: Date.now(),
    status: 'queued',
    image,
  }
  const row = (change: Partial<PendingWithImage>) => (
    <MessageRow
      item={{ ...entry, ...change }}
      before={null}
      next={null}
      mine
      name="junho"
      readUpTo={null}
      continued={false}
      divider={false}
    />
  )

  test('that waits to be uploaded can be stopped, and once it is there it cannot', async () => {
    const { client } = renderChat(row({}))
    const discard = vi.spyOn(client, 'discard').mockResolvedValue()
    expect(await screen.findByText('연결되면 올립니다')).toBeTruthy()
    await userEvent.click(screen.getByRole('button', { name: '취소' }))
    expect(discard).toHaveBeenCalledWith('p')
    cleanup()
    renderChat(row({ image: { ...image, uploaded: true } }))
    expect(screen.queryByRole('button', { name: '취소' })).toBeNull()
  })

  test.each([
    ['attachmentMissing', /서버에 없습니다/, true],
    ['attachmentRejected', /받지 않았습니다/, true],
    ['imageLost', /남아 있지 않습니다/, false],
  ] as const)('that failed says why: %s', async (reason, words, again) => {
    renderChat(row({ status: 'failed', reason }))
    expect(await screen.findByText(words)).toBeTruthy()
    expect(screen.queryByRole('button', { name: '다시 보내기' }) !== null).toBe(again)
  })
})

describe('what was picked', () => {
  const GIF = Uint8Array.from('GIF89a\x02\0\x03\0\0\0\0,\0\0\0\0\x02\0\x03\0\0\x02\x02D\x01\0;', (character) =>
    character.charCodeAt(0),
  )
  // jsdom's own Blob cannot be read.
  const preview = (bytes: Uint8Array<ArrayBuffer>, onClose = () => {}) => {
    const files = [new NodeBlob([bytes]) as unknown as Blob]
    return <ImagePreview files={files} peer={JUNHO} onClose={onClose} />
  }

  test('is prepared, then sent with a caption and a description', async () => {
    const onClose = vi.fn()
    const { client } = renderChat(preview(GIF, onClose))
    const send = vi.spyOn(client, 'sendImage').mockResolvedValue()
    const button = screen.getByRole('button', { name: '보내기' }) as HTMLButtonElement
    expect(button.disabled).toBe(true)
    expect(screen.getByText('사진을 준비하는 중…')).toBeTruthy()
    await screen.findByTestId('preview')
    await userEvent.type(screen.getByLabelText('설명 (선택)'), ' 골! ')
    await userEvent.type(screen.getByLabelText('대체 텍스트 (선택)'), '공')
    await userEvent.click(button)
    const image = { bytes: GIF, contentType: 'image/gif', width: 2, height: 3 }
    expect(send).toHaveBeenCalledWith(JUNHO, image, { caption: '골!', alt: '공' }, undefined)
    expect(onClose).toHaveBeenCalledOnce()
  })

  test('with a description that is too long waits until it is shorter', async () => {
    renderChat(preview(GIF))
    await screen.findByTestId('preview')
    fireEvent.change(screen.getByLabelText('대체 텍스트 (선택)'), { target: { value: 'a'.repeat(1_001) } })
    expect(screen.getByRole('alert').textContent).toBe('너무 깁니다.')
    expect((screen.getByRole('button', { name: '보내기' }) as HTMLButtonElement).disabled).toBe(true)
  })

  test.each([
    ['', '빈 파일입니다.'],
    ['<html>', /JPEG, PNG, WebP, GIF 사진만/],
    ['GIF89a', /손상/],
    ['\0\0\0\x18ftypheic', /HEIC/],
  ])('and is no image says why: %j', async (text, words) => {
    renderChat(preview(Uint8Array.from(text, (character) => character.charCodeAt(0))))
    await waitFor(() => expect(screen.getByRole('alert').textContent).toMatch(words))
    expect(screen.queryByRole('button', { name: '보내기' })).toBeNull()
  })
})

describe('words on the clipboard beside files', () => {
  const files = (...names: string[]) => names.map((name) => new File(['x'], name))
  test.each<[string, string[], boolean]>([
    ['', ['photo.jpg'], true],
    ['photo.jpg', ['photo.jpg'], true],
    ['/home/minji/photo.jpg\n', ['photo.jpg'], true],
    ['file:///home/minji/%ED%8F%AC.jpg', ['포.jpg'], true],
    ['C:\\Users\\minji\\photo.jpg', ['photo.jpg'], true],
    // macOS writes syllables taken apart.
    ['포.jpg'.normalize('NFD'), ['포.jpg'], true],
    ['a.jpg\rb.jpg', ['a.jpg', 'b.jpg'], true],
    ['a.jpg and b.jpg', ['a.jpg', 'b.jpg'], false],
    ['1\t2\n3\t4', ['image.png'], false],
    ['file:///%E0%A4%A', ['photo.jpg'], false],
  ])('%j of %j: only their names is %j', (words, names, only) => {
    expect(areNames(words, files(...names))).toBe(only)
  })
})
