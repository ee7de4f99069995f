import { fitInside } from 'chat-core'

export interface Size {
  readonly width: number
  readonly height: number
}

/** How an image lies on its stage: how much larger than it fits, and how far its middle is from that of the stage. */
export interface View {
  readonly scale: number
  readonly x: number
  readonly y: number
}

export interface Point {
  readonly x: number
  readonly y: number
}

/** What an image and its stage allow. */
export interface Stage {
  readonly stage: Size
  /** The image as it fits: never larger than it is. */
  readonly fit: Size
  /** How large it begins: what is long begins as wide as can be read. */
  readonly begin: number
  readonly max: number
}

/** An image is long if one side is so many times the other one, and it would be narrower than this share of the stage, or lower. */
const LONG_RATIO = 2.6
const LONG_SHARE = 0.4
const MAX_SCALE = 4

export function stageOf(image: Size, stage: Size): Stage {
  const fit = fitInside(image, stage.width, stage.height)
  const wide = Math.min(image.width, stage.width) / fit.width
  const high = Math.min(image.height, stage.height) / fit.height
  const isThin = (side: keyof Size) => fit[side] < stage[side] * LONG_SHARE
  const ratio = image.height / image.width
  const begin = ratio > LONG_RATIO && isThin('width') ? wide : ratio < 1 / LONG_RATIO && isThin('height') ? high : 1
  return { stage, fit, begin, max: Math.max(MAX_SCALE, (2 * image.width) / fit.width) }
}

/** Where an image begins: at its top, or at its left. */
export const firstView = (stage: Stage): View =>
  within({ scale: stage.begin, x: stage.fit.width * stage.max, y: stage.fit.height * stage.max }, stage)

/** The nearest view in which the image leaves nothing of the stage empty that it could cover. */
export function within({ scale, x, y }: View, { stage, fit, max }: Stage): View {
  const size = Math.min(Math.max(scale, 1), max)
  const most = (side: number, room: number) => Math.max(0, (side * size - room) / 2)
  const clamp = (value: number, limit: number) => Math.min(Math.max(value, -limit), limit)
  return { scale: size, x: clamp(x, most(fit.width, stage.width)), y: clamp(y, most(fit.height, stage.height)) }
}

/** Zoomed so that what is at a point, seen from the middle of the stage, stays there. */
export function zoomed(view: View, to: number, at: Point, stage: Stage): View {
  const scale = Math.min(Math.max(to, 1), stage.max)
  const by = scale / view.scale
  return within({ scale, x: at.x - (at.x - view.x) * by, y: at.y - (at.y - view.y) * by }, stage)
}

export const moved = (view: View, by: Point, stage: Stage): View =>
  within({ scale: view.scale, x: view.x + by.x, y: view.y + by.y }, stage)

/** Whether there is more of the image than the stage shows, in that direction. */
export const overflows = ({ scale }: View, { stage, fit }: Stage, side: keyof Size): boolean => fit[side] * scale > stage[side] + 1
