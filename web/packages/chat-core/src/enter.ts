/**
 * Whether Enter sends, under input methods. What browsers do when Enter ends a composition:
 *
 * | | events |
 * |---|---|
 * | Windows, Chrome, Korean | Enter while composing, end of composition, *sometimes* a second Enter |
 * | macOS, Chrome, Korean | Enter while composing, end of composition, a second Enter |
 * | macOS, Safari | end of composition, then Enter with key code 229 |
 * | Japanese, Chinese | Enter while composing chooses a candidate, and must never send |
 *
 * So an Enter while Hangul is composed is remembered, and what the *field* holds at the end of the composition is sent once; a
 * plain Enter soon after that, on an empty field, is its echo.
 */
export interface EnterState {
  composing: boolean
  /** Whether the composition's newest character is Hangul. */
  hangul: boolean
  /** Whether Enter was pressed while Hangul was composed. */
  pending: boolean
  /** When a composition of Hangul ended, in milliseconds. */
  endedAt: number | null
  /** When the end of a composition sent, in milliseconds. */
  sentAt: number | null
}

export type EnterEvent =
  | { type: 'compositionstart' }
  | { type: 'compositionupdate'; data: string }
  | { type: 'compositionend'; data: string; at: number }
  | { type: 'blur' }
  | { type: 'enter'; isComposing: boolean; keyCode: number; shift: boolean; empty: boolean; at: number }

/** What to do about an event. `sendNext`: send what the field holds once this event is over. */
export type EnterAction = 'none' | 'send' | 'sendNext' | 'swallow'

export const ENTER_START: EnterState = { composing: false, hangul: false, pending: false, endedAt: null, sentAt: null }

const ECHO_MS = 100
const ENDS_IN_HANGUL = /[\u1100-\u11FF\u3131-\u318E\uAC00-\uD7A3]$/

export function enterReducer(state: EnterState, event: EnterEvent): [EnterState, EnterAction] {
  switch (event.type) {
    case 'compositionstart':
      return [{ ...state, composing: true, hangul: false, pending: false }, 'none']
    case 'compositionupdate':
      return [{ ...state, hangul: ENDS_IN_HANGUL.test(event.data) }, 'none']
    case 'compositionend': {
      const hangul = event.data === '' ? state.hangul : ENDS_IN_HANGUL.test(event.data)
      const send = state.pending && hangul
      const ended = { composing: false, hangul: false, pending: false, endedAt: hangul ? event.at : null }
      return [{ ...ended, sentAt: send ? event.at : state.sentAt }, send ? 'sendNext' : 'none']
    }
    case 'blur':
      return [ENTER_START, 'none']
    case 'enter': {
      if (event.shift) return [state, 'none']
      if (state.composing || event.isComposing) return [{ ...state, pending: state.hangul }, 'none']
      if (isRecent(state.sentAt, event.at) && event.empty) return [{ ...state, sentAt: null }, 'swallow']
      // Safari: the key that ended the composition comes after its end.
      if (event.keyCode === 229 && !isRecent(state.endedAt, event.at)) return [state, 'none']
      return [ENTER_START, 'send']
    }
  }
}

function isRecent(then: number | null, now: number): boolean {
  return then !== null && now - then <= ECHO_MS
}
