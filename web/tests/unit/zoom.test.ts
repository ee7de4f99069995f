import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { firstView, moved, overflows, type Size, stageOf, within, zoomed } from '@/components/zoom'

const screen = { width: 1_000, height: 600 }

describe('a photo on its stage', () => {
  test.each<[string, Size, Size, number, Size?]>([
    ['is whole', { width: 4_000, height: 3_000 }, { width: 800, height: 600 }, 1],
    [
      'that is not long is whole on a phone, too',
      { width: 500, height: 300 },
      { width: 390, height: 234 },
      1,
      { width: 390, height: 732 },
    ],
    ['is never larger than it is', { width: 40, height: 30 }, { width: 40, height: 30 }, 1],
    ['that is long begins as wide as it can be read', { width: 1_080, height: 10_000 }, { width: 65, height: 600 }, 1_000 / 65],
    ['that is a small long one begins as wide as it is', { width: 200, height: 3_000 }, { width: 40, height: 600 }, 5],
    [
      'that is a panorama begins as high as it can be seen',
      { width: 12_000, height: 1_000 },
      { width: 1_000, height: 83 },
      600 / 83,
    ],
  ])('%s', (_, image, fit, begin, room = screen) => {
    const stage = stageOf(image, room)
    expect(stage.fit).toEqual(fit)
    expect(stage.begin).toBeCloseTo(begin)
  })

  test('that is long begins at its top, and ends at its end', () => {
    const stage = stageOf({ width: 1_080, height: 10_000 }, screen)
    const first = firstView(stage)
    const height = stage.fit.height * stage.begin
    expect(first.y).toBeCloseTo((height - screen.height) / 2)
    expect(moved(first, { x: 0, y: -1e6 }, stage).y).toBeCloseTo(-first.y)
    expect([overflows(first, stage, 'height'), overflows(first, stage, 'width')]).toEqual([true, false])
  })

  test('that is zoomed keeps what is pointed at where it is', () => {
    const stage = stageOf({ width: 4_000, height: 3_000 }, screen)
    const at = { x: 100, y: -50 }
    const view = zoomed({ scale: 2, x: 0, y: 0 }, 4, at, stage)
    expect([(at.x - view.x) / view.scale, (at.y - view.y) / view.scale]).toEqual([at.x / 2, at.y / 2])
  })

  test('leaves nothing empty that it could cover, whatever is done', () => {
    const side = fc.integer({ min: 1, max: 20_000 })
    const number = fc.double({ min: -5_000, max: 5_000, noNaN: true })
    fc.assert(
      fc.property(
        side,
        side,
        fc.array(fc.tuple(number, number, fc.double({ min: 0.01, max: 50, noNaN: true })), { maxLength: 8 }),
        (width, height, steps) => {
          const stage = stageOf({ width, height }, screen)
          let view = firstView(stage)
          for (const [x, y, scale] of steps) view = zoomed(moved(view, { x, y }, stage), scale, { x: y, y: x }, stage)
          expect(within(view, stage)).toEqual(view)
          for (const [axis, length] of [
            ['x', 'width'],
            ['y', 'height'],
          ] as const) {
            const covered = Math.max(0, (stage.fit[length] * view.scale - screen[length]) / 2)
            expect(Math.abs(view[axis])).toBeLessThanOrEqual(covered + 1e-6)
          }
        },
      ),
    )
  })
})
