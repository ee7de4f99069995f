import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { firstView, moved, overflows, type Point, type Size, type Stage, stageOf, type View, within, zoomed } from './zoom'

const STEP = 1.4
const DOUBLE = 2.5
const KEY_PX = 80
/** A finger that moves less presses. */
const PRESS_PX = 8
const SWIPE_PX = 56
const WHEEL = 0.0022

interface Turns {
  /** The next image, or the one before. */
  onTurn(step: 1 | -1): void
  /** Pressed beside the image, or swept down. */
  onLeave(): void
}

/** Zooms and moves an image on its stage by wheel, fingers, double click and keys; a swipe turns to the next one. */
export function useZoom(stageRef: RefObject<HTMLElement | null>, image: Size, turns: Turns) {
  const [stage, setStage] = useState<Stage | null>(null)
  const [view, setView] = useState<View>({ scale: 1, x: 0, y: 0 })
  useLayoutEffect(() => {
    const element = stageRef.current
    if (element === null) return
    let before: Stage | null = null
    const measure = () => {
      const room = { width: element.clientWidth, height: element.clientHeight }
      // An observer tells of a size first when it has begun, which may be after the image was moved.
      if (before?.stage.width === room.width && before.stage.height === room.height) return
      const [last, next] = [before, stageOf(image, room)]
      before = next
      setStage(next)
      setView((view) => (last === null || isSame(view, firstView(last)) ? firstView(next) : within(view, next)))
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [stageRef, image])

  const zoom = (by: number, at: Point = { x: 0, y: 0 }) =>
    stage !== null && setView((now) => zoomed(now, now.scale * by, at, stage))
  const pan = (by: Point) => stage !== null && setView((now) => moved(now, by, stage))
  const latest = useRef({ stage, view, turns })
  latest.current = { stage, view, turns }
  useGestures(stageRef, latest, setView)

  /** Whether a key did something. */
  const press = (key: string): boolean => {
    if (key === '+' || key === '=') zoom(STEP)
    else if (key === '-') zoom(1 / STEP)
    else if (key === '0' && stage !== null) setView(firstView(stage))
    else if (key === 'ArrowUp') pan({ x: 0, y: KEY_PX })
    else if (key === 'ArrowDown') pan({ x: 0, y: -KEY_PX })
    else if (key === 'ArrowLeft') turns.onTurn(-1)
    else if (key === 'ArrowRight') turns.onTurn(1)
    else return false
    return true
  }
  return { stage, view, zoomIn: () => zoom(STEP), zoomOut: () => zoom(1 / STEP), press }
}

const isSame = (a: View, b: View): boolean => a.scale === b.scale && a.x === b.x && a.y === b.y

type Latest = RefObject<{ stage: Stage | null; view: View; turns: Turns }>
type Change = (work: (view: View, stage: Stage) => View) => void

function useGestures(stageRef: RefObject<HTMLElement | null>, latest: Latest, setView: (next: View) => void): void {
  useEffect(() => {
    const element = stageRef.current
    if (element === null) return
    const change: Change = (work) => {
      const { stage, view } = latest.current
      if (stage === null) return
      const next = work(view, stage)
      // Several events may come before the next render.
      latest.current = { ...latest.current, view: next }
      setView(next)
    }
    const controller = new AbortController()
    onFingers(element, latest, change, controller.signal)
    onWheel(element, change, controller.signal)
    return () => controller.abort()
  }, [stageRef, latest, setView])
}

/** Where a pointer is, seen from the middle of the stage. */
function fromMiddle(element: HTMLElement, { clientX, clientY }: { clientX: number; clientY: number }): Point {
  const { left, top, width, height } = element.getBoundingClientRect()
  return { x: clientX - left - width / 2, y: clientY - top - height / 2 }
}

/** One finger, or the mouse, moves the image, presses beside it, or swipes; two fingers zoom. */
function onFingers(element: HTMLElement, latest: Latest, change: Change, signal: AbortSignal): void {
  const fingers = new Map<number, Point>()
  let travelled = { x: 0, y: 0 }
  let pinched = false
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return
    if (fingers.size === 0) [travelled, pinched] = [{ x: 0, y: 0 }, false]
    fingers.set(event.pointerId, fromMiddle(element, event))
    element.setPointerCapture(event.pointerId)
  }
  const move = (event: PointerEvent) => {
    const before = fingers.get(event.pointerId)
    if (before === undefined) return
    const now = fromMiddle(element, event)
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1]
    fingers.set(event.pointerId, now)
    if (other !== undefined) {
      pinched = true
      const apart = (point: Point) => Math.max(1, Math.hypot(point.x - other.x, point.y - other.y))
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 }
      change((view, stage) => zoomed(view, (view.scale * apart(now)) / apart(before), middle, stage))
      return
    }
    const by = { x: now.x - before.x, y: now.y - before.y }
    travelled = { x: travelled.x + by.x, y: travelled.y + by.y }
    change((view, stage) => moved(view, by, stage))
  }
  const up = (event: PointerEvent) => {
    const at = fingers.get(event.pointerId)
    if (!fingers.delete(event.pointerId) || fingers.size > 0 || pinched || at === undefined) return
    if (event.type !== 'pointercancel') ended(latest.current, at, travelled, event.pointerType !== 'mouse')
  }
  element.addEventListener('pointerdown', down, { signal })
  element.addEventListener('pointermove', move, { signal })
  element.addEventListener('pointerup', up, { signal })
  element.addEventListener('pointercancel', up, { signal })
}

/** What it means that a pointer is lifted at a place, after so long a way. */
function ended({ stage, view, turns }: Latest['current'], at: Point, { x, y }: Point, isFinger: boolean): void {
  if (stage === null) return
  const isSwipe = isFinger && Math.max(Math.abs(x), Math.abs(y)) > SWIPE_PX
  if (isSwipe && Math.abs(x) > Math.abs(y) && !overflows(view, stage, 'width')) turns.onTurn(x < 0 ? 1 : -1)
  else if (isSwipe && y > Math.abs(x) && !overflows(view, stage, 'height')) turns.onLeave()
  else if (Math.hypot(x, y) < PRESS_PX && isBeside(at, view, stage)) turns.onLeave()
}

/** The wheel scrolls or zooms, and a double click zooms. */
function onWheel(element: HTMLElement, change: Change, signal: AbortSignal): void {
  const wheel = (event: WheelEvent) => {
    event.preventDefault()
    change((view, stage) => {
      // What begins longer than the stage is scrolled; two fingers on a pad, or Ctrl, zoom.
      if (stage.begin > 1 && !event.ctrlKey) return moved(view, { x: -event.deltaX, y: -event.deltaY }, stage)
      const by = Math.exp(-event.deltaY * WHEEL * (event.ctrlKey ? 4 : 1))
      return zoomed(view, view.scale * by, fromMiddle(element, event), stage)
    })
  }
  const double = (event: MouseEvent) =>
    change((view, stage) =>
      view.scale > stage.begin * 1.01 ? firstView(stage) : zoomed(view, stage.begin * DOUBLE, fromMiddle(element, event), stage),
    )
  element.addEventListener('wheel', wheel, { signal, passive: false })
  element.addEventListener('dblclick', double, { signal })
}

const isBeside = ({ x, y }: Point, view: View, { fit }: Stage): boolean =>
  Math.abs(x - view.x) > (fit.width * view.scale) / 2 || Math.abs(y - view.y) > (fit.height * view.scale) / 2
