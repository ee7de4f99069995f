import { type MouseEvent, useRef } from 'react'

/**
 * What a dialog listens to, so that it closes when it is pressed and released beside its content. A press that begins or ends in it, as
 * when words are marked, is none: the browser tells of a click on the dialog there too.
 */
export function useOutside(close: () => void) {
  const began = useRef(false)
  const ended = useRef(false)
  const isOutside = ({ target, currentTarget }: MouseEvent) => target === currentTarget
  return {
    onMouseDown: (event: MouseEvent) => {
      began.current = isOutside(event)
    },
    onMouseUp: (event: MouseEvent) => {
      ended.current = isOutside(event)
    },
    onClick: (event: MouseEvent) => isOutside(event) && began.current && ended.current && close(),
  }
}
