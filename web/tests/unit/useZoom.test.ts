// @vitest-environment jsdom
import { act, cleanup, renderHook } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import { useZoom } from '@/components/useZoom'

afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

const PHOTO = { width: 800, height: 600 }

test('a view that was moved stays when its size is told, late or anew, and one that was not begins anew', () => {
  let told = () => {}
  vi.stubGlobal(
    'ResizeObserver',
    class {
      constructor(tell: () => void) {
        told = tell
      }
      observe(): void {}
      disconnect(): void {}
    },
  )
  const room = { width: 400, height: 300 }
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockImplementation(() => room.width)
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockImplementation(() => room.height)
  const stage = { current: document.createElement('div') }
  const { result } = renderHook(() => useZoom(stage, PHOTO, { onTurn: () => {}, onLeave: () => {} }))
  expect(result.current.view.scale).toBe(1)
  act(() => void result.current.press('+'))
  const scale = result.current.view.scale
  expect(scale).toBeGreaterThan(1.3)
  act(() => told())
  expect(result.current.view.scale).toBe(scale)
  room.height = 320
  act(() => told())
  expect(result.current.view.scale).toBe(scale)
  act(() => void result.current.press('0'))
  room.height = 200
  act(() => told())
  expect(result.current.stage?.fit).toEqual({ width: 267, height: 200 })
  expect(result.current.view).toEqual({ scale: 1, x: 0, y: 0 })
})
