import {
  answersOf,
  checkImage,
  checkPixels,
  checkProposal,
  checkSides,
  fitInside,
  IMAGE_MAX_BYTES,
  IMAGE_MAX_SIDE,
  proposalState,
  type ReadyImage,
  sentSize,
  verdicts,
} from 'chat-core'
import { at, message } from 'chat-core/testing'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { fileType, plainGif, sizeOf } from '../src/imageFile'
import { encode, shrink } from '../src/shrink'

const latin = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0))

describe('a file', () => {
  test.each([
    ['\u00FF\u00D8\u00FF\u00E0', 'image/jpeg'],
    ['\u0089PNG\r\n\u001A\n', 'image/png'],
    ['RIFF\0\0\0\0WEBPVP8 ', 'image/webp'],
    ['GIF89a', 'image/gif'],
    ['\0\0\0\x18ftypheic', 'heic'],
    ['\0\0\0\x18ftypmif1', 'heic'],
    ['\0\0\0\x20ftypavif\0\0\0\0avifmif1', 'avif'],
    ['\0\0\0\x20ftypmif1\0\0\0\0mif1avif', 'avif'],
    ['\0\0\0\x10ftypmif1\0\0\0\0avif', 'heic'],
    ['\0\0\0\x18ftypisom', 'other'],
    ['RIFF\0\0\0\0WAVE', 'other'],
    ['<!doctype html>', 'other'],
    ['<svg xmlns=', 'other'],
    ['', 'other'],
  ])('that begins with %j is %s, whatever it is called', (bytes, type) => {
    expect(fileType(latin(bytes))).toBe(type)
  })
})

describe('a size to be sent', () => {
  test.each([
    [4_000, 3_000, 2_048, 1_536],
    [3_000, 4_000, 1_536, 2_048],
    [100, 50, 100, 50],
    // What is long stays as wide as a phone's screen, as far as it may be that long.
    [1_080, 10_000, 1_080, 10_000],
    [1_080, 20_000, 885, 16_383],
    [3_240, 12_000, 1_080, 4_000],
    [60_000, 1_000, 16_383, 273],
    [16_000, 1, 16_000, 1],
  ])('of %i x %i is %i x %i', (width, height, ...expected) => {
    expect(Object.values(sentSize({ width, height }))).toEqual(expected)
  })

  test('is never larger, is taken by the server, and has the shape of what it was', () => {
    const side = fc.integer({ min: 1, max: 70_000 })
    fc.assert(
      fc.property(side, side, (width, height) => {
        fc.pre(checkPixels({ width, height }) === null)
        const sent = sentSize({ width, height })
        expect(checkSides(sent)).toBeNull()
        expect(sent.width * sent.height).toBeLessThanOrEqual(16_100_000)
        expect(sent.width <= width && sent.height <= height).toBe(true)
        const by = width > height ? sent.width / width : sent.height / height
        expect(Math.abs(sent.width - width * by)).toBeLessThanOrEqual(1)
        expect(Math.abs(sent.height - height * by)).toBeLessThanOrEqual(1)
      }),
    )
  })
})

describe('a size', () => {
  test.each([
    [
      { width: 4_000, height: 3_000 },
      { width: 2_048, height: 1_536 },
    ],
    [
      { width: 3_000, height: 4_000 },
      { width: 1_536, height: 2_048 },
    ],
    [
      { width: 100, height: 50 },
      { width: 100, height: 50 },
    ],
    [
      { width: 16_000, height: 1 },
      { width: 2_048, height: 1 },
    ],
  ])('%j fits as %j', (size, expected) => {
    expect(fitInside(size, 2_048, 2_048)).toEqual(expected)
  })

  test('never grows, and always fits', () => {
    const side = fc.integer({ min: 1, max: 20_000 })
    fc.assert(
      fc.property(side, side, side, side, (width, height, maxWidth, maxHeight) => {
        const fit = fitInside({ width, height }, maxWidth, maxHeight)
        expect(fit.width).toBeLessThanOrEqual(Math.min(width, maxWidth))
        expect(fit.height).toBeLessThanOrEqual(Math.min(height, maxHeight))
        expect(Math.min(fit.width, fit.height)).toBeGreaterThanOrEqual(1)
      }),
    )
  })

  const image: ReadyImage = { bytes: Uint8Array.of(1), contentType: 'image/png', width: 1, height: 1 }
  test.each<[Partial<ReadyImage>, string | null]>([
    [{}, null],
    [{ bytes: new Uint8Array(0) }, 'imageEmpty'],
    [{ bytes: new Uint8Array(IMAGE_MAX_BYTES) }, null],
    [{ bytes: new Uint8Array(IMAGE_MAX_BYTES + 1) }, 'imageTooLarge'],
    [{ width: IMAGE_MAX_SIDE + 1 }, 'imageSides'],
    [{ height: 0 }, 'imageSides'],
    [{ width: 8_192, height: 8_192 }, null],
    [{ width: 8_192, height: 8_193 }, 'imageSides'],
  ])('is checked before it is announced: %#', (change, problem) => {
    expect(checkImage({ ...image, ...change })).toBe(problem)
  })
})

describe('a GIF', () => {
  const screen = 'GIF89a\x02\0\x03\0\x80\0\0\0\0\0\xff\xff\xff'
  const loop = '!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0'
  const xmp = '!\xff\x0bXMP DataXMP\x05place\0'
  const comment = '!\xfe\x05where\0'
  const control = '!\xf9\x04\0\0\0\0\0'
  const frame = ',\0\0\0\0\x02\0\x03\0\0\x02\x02D\x01\0'

  test('keeps what moves, and loses what cannot be seen', () => {
    const whole = latin(`${screen}${loop}${xmp}${comment}${control}${frame}${control}${frame};`)
    expect(plainGif(whole)).toEqual(latin(`${screen}${loop}${control}${frame}${control}${frame};`))
    expect(sizeOf(whole, 'image/gif')).toEqual({ width: 2, height: 3 })
  })

  test('has nothing behind its end', () => {
    expect(plainGif(latin(`${screen}${frame};<script>`))).toEqual(latin(`${screen}${frame};`))
  })

  test('that is cut, or none, is none', () => {
    const whole = latin(`${screen}${loop}${control}${frame};`)
    for (let length = 0; length < whole.length; length += 1) expect(plainGif(whole.subarray(0, length))).toBeNull()
  })

  test('of a million blocks is not made of a million objects', () => {
    const made = vi.spyOn(Uint8Array.prototype, 'subarray')
    const blocks = '!\x01\0!\xfe\0'.repeat(500_000)
    expect(plainGif(latin(`${screen}${blocks}${frame};`))).toHaveLength(screen.length + 1_500_000 + frame.length + 1)
    expect(made.mock.calls.length).toBeLessThan(10)
    made.mockRestore()
  })

  test.each([
    ['lies outside of the screen', ',\x01\0\0\0\x02\0\x03\0\0\x02\x02D\x01\0'],
    ['is higher than the screen', ',\0\0\0\0\x02\0\x04\0\0\x02\x02D\x01\0'],
    ['has no such colours', ',\0\0\0\0\x02\0\x03\0\0\x09\x02D\x01\0'],
    ['has no pixels', ',\0\0\0\0\x02\0\x03\0\0\x02\0'],
    ['is missing', ''],
  ])('whose picture %s is none: the server would refuse it', (_, picture) => {
    expect(plainGif(latin(`${screen}${control}${picture};`))).toBeNull()
  })

  test('of any bytes ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const plain = plainGif(Uint8Array.from([...latin(screen), ...bytes]))
        if (plain !== null) expect(plainGif(plain)).toEqual(plain)
      }),
    )
  })
})

describe('what a file says of its size', () => {
  const jpeg = '\xff\xd8\xff\xe1\0\x06\xff\xc0\0\0\xff\xc4\0\x02\xff\xff\xc2\0\x0b\x08\x01\x02\x03\x04'
  test.each([
    ['image/png', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\0\0\0\0\x02\0', { width: 65_536, height: 512 }],
    ['image/jpeg', jpeg, { width: 0x304, height: 0x102 }],
    ['image/gif', 'GIF89a\x02\x01\x03\0', { width: 258, height: 3 }],
    ['image/webp', 'RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01*\x02\x41\x03\0', { width: 258, height: 3 }],
    ['image/webp', 'RIFF\0\0\0\0WEBPVP8L\0\0\0\0/\xff\xff\xff\x0f', { width: 16_384, height: 16_384 }],
    ['image/webp', 'RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\xff\xff\0\x01\0\x01', { width: 65_536, height: 65_538 }],
  ] as const)('is read of a %s', (type, text, size) => {
    const file = latin(text)
    // What stands before it in memory is not the file's.
    expect(sizeOf(latin(`before${text}`).subarray(6), type)).toEqual(size)
    for (let length = 0; length < file.length; length += 1) expect(sizeOf(file.subarray(0, length), type)).toBeNull()
  })

  test.each([
    ['image/jpeg', '\xff\xd8\xff\xda\0\x08\xff\xc0\0\x0b\x08\x01\x02\x03\x04'],
    ['image/png', '\x89PNG\r\n\x1a\n\0\0\0\rIDAT\0\x01\0\0\0\0\x02\0'],
    ['image/webp', 'RIFF\0\0\0\0WEBPALPH\0\0\0\0\0\0\0\0\xff\xff\0\x01\0\x01'],
    ['heic', '\0\0\0\x18ftypheic\0\0\0\0\0\0\0\0\0\0\0\0'],
  ] as const)('is not there in this %s', (type, text) => {
    expect(sizeOf(latin(text), type)).toBeNull()
  })

  afterEach(() => vi.unstubAllGlobals())

  test('is enough to refuse what would decode to gigabytes', async () => {
    const decode = vi.fn()
    vi.stubGlobal('createImageBitmap', decode)
    const bomb = latin('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x20\x01\0\0\x20\0')
    expect(await shrink({ file: new Blob([bomb]), type: 'image/png', maxBytes: IMAGE_MAX_BYTES })).toEqual({
      problem: 'imageSides',
    })
    expect(decode).not.toHaveBeenCalled()
  })
})

describe('a proposal', () => {
  const entered = { teamName: ' A ', opponentTeamName: 'B', place: 'here', note: '', matchAt: 2_000 }

  test('is sent as it was entered', () => {
    const proposal = { teamName: 'A', opponentTeamName: 'B', place: 'here', matchAt: '1970-01-01T00:00:02.000Z' }
    expect(checkProposal(entered, 1_000)).toEqual({ proposal, problems: {} })
    expect(checkProposal({ ...entered, note: 'bring a ball' }, 1_000).proposal.note).toBe('bring a ball')
  })

  test.each([
    [{ teamName: ' \u200B ' }, { teamName: 'proposalEmpty' }],
    [{ opponentTeamName: '가'.repeat(67) }, { opponentTeamName: 'proposalLong' }],
    [{ place: '' }, { place: 'proposalEmpty' }],
    [{ note: 'a'.repeat(1_001) }, { note: 'proposalLong' }],
    [{ matchAt: 1_000 }, { matchAt: 'proposalPast' }],
    [{ matchAt: Number.NaN }, { matchAt: 'proposalEmpty' }],
  ])('with %j says what is wrong', (change, problems) => {
    expect(checkProposal({ ...entered, ...change }, 1_000).problems).toEqual(problems)
  })

  test('stands as its first answer says, then as the time does', () => {
    const answer = (seq: number, verdict: 'accepted' | 'withdrawn') =>
      message(seq, { kind: 'matchProposalAnswer', proposalAnswer: { proposal: at(1), answer: verdict } })
    const found = verdicts([message(1), answer(2, 'accepted'), answer(3, 'withdrawn')])
    expect(found.get(at(1))).toBe('accepted')
    const matchAt = '2026-12-05T05:00:00.000Z'
    expect(proposalState({ matchAt }, found.get(at(1)), Date.parse(matchAt) + 1)).toBe('accepted')
    expect(proposalState({ matchAt }, undefined, Date.parse(matchAt) - 1)).toBe('open')
    expect(proposalState({ matchAt }, undefined, Date.parse(matchAt))).toBe('past')
  })

  test('is answered by the right side only, while it is open', () => {
    expect(answersOf('open', true)).toEqual(['withdrawn'])
    expect(answersOf('open', false)).toEqual(['accepted', 'declined'])
    for (const state of ['accepted', 'declined', 'withdrawn', 'past'] as const)
      expect([...answersOf(state, true), ...answersOf(state, false)]).toEqual([])
  })
})

describe('a canvas', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  test('off the page gives its bytes although it has a `toBlob` that calls nobody back, as Firefox’s has', async () => {
    const drawn: number[] = []
    const context = {
      set fillStyle(colour: string) {
        drawn.push(...(colour.match(/\d+/g) ?? []).map(Number))
      },
      fillRect: () => drawn.push(255),
      getImageData: () => ({ data: drawn }),
      drawImage: () => {},
    }
    vi.stubGlobal(
      'OffscreenCanvas',
      class {
        getContext = () => context
        toBlob = () => new Promise(() => {})
        convertToBlob = async ({ type }: { type: string }) => new Blob(['bytes'], { type })
      },
    )
    const source = {} as CanvasImageSource
    const made = await encode({ source, width: 40, height: 30, close: () => {} }, 'image/jpeg', 1_000)
    expect(made).toMatchObject({ contentType: 'image/jpeg', width: 40, height: 30 })
  })
})
