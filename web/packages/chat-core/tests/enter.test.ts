import { ENTER_START, type EnterEvent, enterReducer } from 'chat-core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

type Step = Omit<Extract<EnterEvent, { type: 'enter' }>, 'empty' | 'shift'> | Exclude<EnterEvent, { type: 'enter' }>

/** Plays the events over a field that holds `text`; `sendNext` happens once the browser is done with the event. */
function play(text: string, steps: Step[], nextAt: number[] = []): { sent: string[]; field: string } {
  let state = ENTER_START
  let field = text
  const sent: string[] = []
  let due = false
  const send = () => {
    if (field !== '') sent.push(field)
    field = ''
  }
  steps.forEach((step, index) => {
    const event: EnterEvent = step.type === 'enter' ? { ...step, shift: false, empty: field === '' } : step
    const [next, action] = enterReducer(state, event)
    state = next
    if (action === 'send') send()
    if (action === 'sendNext') due = true
    if (due && (nextAt.includes(index) || nextAt.length === 0)) {
      send()
      due = false
    }
  })
  if (due) send()
  return { sent, field }
}

const start: Step = { type: 'compositionstart' }
const update = (data: string): Step => ({ type: 'compositionupdate', data })
const end = (data: string, at = 10): Step => ({ type: 'compositionend', data, at })
const enter = (isComposing: boolean, keyCode: number, at = 9): Step => ({ type: 'enter', isComposing, keyCode, at })

describe('Enter', () => {
  const korean = '안녕하세요'
  const orders: [string, Step[]][] = [
    ['Windows, Chrome, without a second Enter', [start, update('요'), enter(true, 229), end('요')]],
    ['Windows, Chrome, with a second Enter', [start, update('요'), enter(true, 229), end('요'), enter(false, 13, 12)]],
    ['macOS, Chrome', [start, update('요'), enter(true, 229), end('요'), enter(false, 13, 11)]],
    ['macOS, Safari', [start, update('요'), end('요'), enter(false, 229, 11)]],
    ['a browser that leaves out updates', [start, enter(true, 229), end('요'), enter(false, 13, 40)]],
    ['no input method', [enter(false, 13)]],
    ['Enter after the composition was over', [start, update('요'), end('요'), enter(false, 13, 500)]],
    ['two updates in one composition', [start, update('ㅇ'), update('요'), enter(true, 229), end('요')]],
  ]
  test.each(orders)('sends Korean once and whole: %s', (name, steps) => {
    if (name === 'a browser that leaves out updates') {
      // Nothing tells what is composed until it ends, so the Enter that follows is the one that sends.
      expect(play(korean, steps).sent).toEqual([korean])
      return
    }
    expect(play(korean, steps)).toEqual({ sent: [korean], field: '' })
  })

  test.each(orders)('sends once even when the second Enter comes before the field is read: %s', (_, steps) => {
    expect(play(korean, steps, [steps.length])).toEqual({ sent: [korean], field: '' })
  })

  test.each([
    ['かんじ', [start, update('かんじ'), enter(true, 229), end('漢字')]],
    ['pinyin', [start, update('zhong'), enter(true, 229), end('zhong')]],
    ['中文', [start, update('中'), end('中'), enter(false, 229, 11)]],
  ] as [string, Step[]][])('never sends while Japanese or Chinese is composed: %s', (text, steps) => {
    expect(play(text, steps)).toEqual({ sent: [], field: text })
    expect(play(text, [...steps, enter(false, 13, 500)]).sent).toEqual([text])
  })

  test('with shift is a line break', () => {
    expect(enterReducer(ENTER_START, { type: 'enter', isComposing: false, keyCode: 13, shift: true, empty: false, at: 0 })[1]).toBe(
      'none',
    )
  })

  test('is not an echo a while later, or when something was typed since', () => {
    const steps = [start, update('요'), enter(true, 229), end('요', 10)]
    const state = steps.reduce((before, step) => enterReducer(before, step as EnterEvent)[0], ENTER_START)
    const plain = { type: 'enter', isComposing: false, keyCode: 13, shift: false } as const
    expect(enterReducer(state, { ...plain, empty: true, at: 60 })[1]).toBe('swallow')
    expect(enterReducer(state, { ...plain, empty: false, at: 60 })[1]).toBe('send')
    expect(enterReducer(state, { ...plain, empty: true, at: 111 })[1]).toBe('send')
  })

  test('leaving the field ends a composition that nobody ended', () => {
    const stuck = enterReducer(ENTER_START, { type: 'compositionstart' })[0]
    const [state] = enterReducer(stuck, { type: 'blur' })
    expect(enterReducer(state, { type: 'enter', isComposing: false, keyCode: 13, shift: false, empty: false, at: 0 })[1]).toBe(
      'send',
    )
  })

  test('never sends twice what was there once, whatever comes', () => {
    const step = fc.oneof(
      fc.constant(start),
      fc.constantFrom('요', 'か', '').map(update),
      fc.tuple(fc.constantFrom('요', 'か', ''), fc.nat(200)).map(([data, time]) => end(data, time)),
      fc.tuple(fc.boolean(), fc.constantFrom(13, 229), fc.nat(200)).map(([composing, key, time]) => enter(composing, key, time)),
    )
    fc.assert(fc.property(fc.array(step, { maxLength: 12 }), (steps) => play(korean, steps).sent.length <= 1))
  })
})
