import {
  beginning,
  byteLength,
  checkPeer,
  checkText,
  cleanText,
  fitBytes,
  MESSAGE_TEXT_MAX_BYTES,
  normaliseEmail,
  peerOf,
  roomIdOf,
  splitLinks,
} from 'chat-core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

describe('the beginning of a text', () => {
  test.each(['👨‍👩‍👧‍👦', '🇰🇷', '👍🏽', 'e\u0301', '\u1112\u1161\u11ab', '가'])('cuts no %s in two', (sign) => {
    for (let before = 0; before < 20; before += 1) {
      const text = 'a'.repeat(before) + sign.repeat(20)
      const signs = Math.floor((20 - before) / [...sign].length)
      expect(beginning(text, 20)).toBe('a'.repeat(before) + sign.repeat(signs))
    }
    expect(beginning(sign, 20)).toBe(sign)
  })

  test('is a part of what is longer', () => {
    expect(beginning(`a${'\u0301'.repeat(50)}`, 20)).toBe(`a${'\u0301'.repeat(19)}`)
  })
})

describe('text', () => {
  test.each([
    ['  안녕\r\n하세요  ', '안녕\n하세요'],
    ['a\u0007b\u0000c', 'abc'],
    ['a\u202Eb\u2066c\u2069', 'abc'],
    ['a\uD800b', 'a\uFFFDb'],
    ['👨‍👩‍👧', '👨‍👩‍👧'],
    [' \n\t ', ''],
  ])('is cleaned of what the server refuses: %j', (typed, clean) => {
    expect(cleanText(typed)).toBe(clean)
    expect(cleanText(clean)).toBe(clean)
  })

  test('has a limit in bytes', () => {
    expect(checkText('')).toBe('messageEmpty')
    expect(checkText(`${'가'.repeat(2_730)}ab`)).toBeNull()
    expect(byteLength(`${'가'.repeat(2_730)}ab`)).toBe(MESSAGE_TEXT_MAX_BYTES)
    expect(checkText('가'.repeat(2_731))).toBe('messageTooLong')
  })

  test('is cut between what people see as characters', () => {
    expect(fitBytes('한👨‍👩‍👧글', 5)).toBe('한')
    expect(fitBytes('한👨‍👩‍👧글', 21)).toBe('한👨‍👩‍👧')
    expect(fitBytes('한글', 6)).toBe('한글')
    const combining = `e${'\u0301'.repeat(5_000)}`
    expect(fitBytes(combining, 100)).toBe(`e${'\u0301'.repeat(49)}`)
    expect(fitBytes(`안녕${combining}`, 100)).toBe(`안녕e${'\u0301'.repeat(46)}`)
    expect(fitBytes(combining, 0)).toBe('')
  })

  test('cut to any length fits, and is a beginning', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(200), (text, max) => {
        const cut = fitBytes(text, max)
        return byteLength(cut) <= max && text.startsWith(cut)
      }),
    )
  })
})

describe('links', () => {
  test.each([
    ['https://example.com', ['https://example.com/']],
    ['여기 https://example.com/a?b=1. 끝', ['https://example.com/a?b=1']],
    ['(https://example.com/a)', ['https://example.com/a']],
    [
      'https://ko.wikipedia.org/wiki/축구_(스포츠)',
      ['https://ko.wikipedia.org/wiki/%EC%B6%95%EA%B5%AC_(%EC%8A%A4%ED%8F%AC%EC%B8%A0)'],
    ],
    ['http://a.example https://b.example', ['http://a.example/', 'https://b.example/']],
    ['javascript:alert(1)', []],
    ['data:text/html,<script>alert(1)</script>', []],
    ['https://bank.example@evil.example/', []],
    ['https://', []],
    ['<a href="https://example.com">', ['https://example.com/']],
  ])('%s', (text, hrefs) => {
    const parts = splitLinks(text)
    expect(parts.flatMap((part) => (part.kind === 'link' ? [part.href] : []))).toEqual(hrefs)
    expect(parts.map((part) => part.text).join('')).toBe(text)
  })

  test('lose no character and lead to the web only', () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom('https://', 'javascript:', 'example.com/', '(', ')', '.', '@', ' '))
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('')
        const parts = splitLinks(text)
        expect(parts.map((part) => part.text).join('')).toBe(text)
        for (const part of parts) if (part.kind === 'link') expect(part.href).toMatch(/^https?:\/\//)
      }),
    )
  })
})

describe('text that nobody can see', () => {
  test.each(['\u200B', '\u200D\uFE0F', '\u3164 \u115F', '\u2800', '\u{E0041}', '\u00AD\n\u2060'])('is not sent: %j', (text) => {
    expect(checkText(cleanText(text))).toBe('messageInvisible')
  })

  test.each(['👨‍👩‍👧', '❤️', 'ㅋ', 'a\u200Bb', '.', '🏴󠁧󠁢󠁥󠁮󠁧󠁿'])('joins what can be seen, and is sent as it is: %s', (text) => {
    expect(checkText(cleanText(text))).toBeNull()
    expect(cleanText(text)).toBe(text)
  })
})

describe('links to hosts that look like others', () => {
  test.each([
    ['https://аpple.com/a?b', 'https://xn--pple-43d.com/a?b'],
    ['https://аррӏе.com', 'https://xn--80ak6aa92e.com'],
    ['https://bank.com／evil.example', 'https://bank.com／evil.example'],
    ['https://googleㅣ.com/', 'https://xn--google-n2y.com/'],
    ['https://한강.kr/축구', 'https://한강.kr/축구'],
    ['http://127.0.0.1:8080/prod', 'http://127.0.0.1:8080/prod'],
    ['https://example.com/аpple.com', 'https://example.com/аpple.com'],
  ])('%s is shown as %s', (text, shown) => {
    const [part] = splitLinks(text)
    expect(part?.text).toBe(shown)
  })
})

describe('addresses', () => {
  test.each([
    [' Minji@Example.COM ', 'minji@example.com'],
    ['a#b@example.com', 'a#b@example.com'],
    ['minji', null],
    ['@example.com', null],
    ['a@b', null],
    ['a@b..c', null],
    ['a@b.c#d', null],
    ['a@b@c.d', null],
    ['"a b"@example.com', null],
    ['민지@example.com', null],
    ['\u212A@example.com', null],
    [`${'a'.repeat(243)}@example.com`, null],
  ])('%s', (input, email) => {
    expect(normaliseEmail(input)).toBe(email)
  })

  test('of nobody, or of oneself, begin no chat', () => {
    expect(checkPeer('junho', 'minji@example.com')).toEqual({ problem: 'invalidEmail' })
    expect(checkPeer('MINJI@example.com', 'minji@example.com')).toEqual({ problem: 'selfChat' })
    expect(checkPeer('Junho@example.com', 'minji@example.com')).toEqual({ email: 'junho@example.com' })
  })

  test('make a room that names both, and each finds the other in it', () => {
    const email = fc.stringMatching(/^[a-c#.+]{1,4}@[a-c]{1,2}\.[a-c]{1,2}$/)
    fc.assert(
      fc.property(email, email, (a, b) => {
        fc.pre(a !== b)
        expect(roomIdOf(a, b)).toBe(roomIdOf(b, a))
        expect(peerOf(roomIdOf(a, b), a)).toBe(b)
      }),
    )
    expect(peerOf('a@x.yz#b@x.yz', 'c@x.yz')).toBeNull()
  })
})
