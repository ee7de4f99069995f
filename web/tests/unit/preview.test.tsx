// @vitest-environment jsdom
import { renderHook } from '@testing-library/react'
import { isKnown, KINDS } from 'chat-core'
import type { ReactNode } from 'react'
import { IntlProvider } from 'use-intl'
import { expect, test } from 'vitest'
import { usePreviewText } from '@/components/preview'
import { compiledMessages } from '@/lib/messages'

const wrapper = ({ children }: { children: ReactNode }) => (
  <IntlProvider locale="en" messages={compiledMessages('en')}>
    {children}
  </IntlProvider>
)

const preview = (kind: string, words: string) => renderHook(usePreviewText, { wrapper }).result.current(kind, words)

test('the list shows the words of every kind, and of those that are more than text which kind it is', () => {
  for (const kind of KINDS.filter((kind) => kind !== 'text' && kind !== 'change' && kind !== 'matchProposal')) {
    const shown = preview(kind, 'on Sunday')
    expect(shown, kind).toContain('on Sunday')
    expect(shown, kind).toContain(preview(kind, ''))
  }
  expect(preview('text', 'on Sunday')).toBe('on Sunday')
})

test('the remark on a proposal is left to the proposal', () => {
  expect(preview('matchProposal', 'on Sunday')).toBe(preview('matchProposal', ''))
})

test('of a kind that is not known there are the words alone', () => {
  expect(isKnown('x-order')).toBe(false)
  expect(preview('x-order', 'two coffees')).toBe('two coffees')
  expect(preview('x-order', '')).not.toBe('')
})
