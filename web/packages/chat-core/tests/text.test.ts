import {
  beginning,
  byteLength,
  checkPeer,
  checkText,
  cleanText,
  fitBytes,
  isFewEmoji,
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
  const links = (text: string) => splitLinks(text).flatMap((part) => (part.kind === 'link' ? [part] : []))

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
    ['https://bank.example:443@evil.example/', []],
    ['https://', []],
    ['<a href="https://example.com">', ['https://example.com/']],
    ['http://[::1]:8080/a', ['http://[::1]:8080/a']],
    ['www.naver.com에서 찾아보세요', ['https://www.naver.com/']],
    ['www.naver', []],
    ['xwww.naver.com', []],
    ['minji@example.com로 보내세요', ['mailto:minji@example.com']],
    [
      'minji.kim+chat@mail.example.co.kr, junho@example.com',
      ['mailto:minji.kim+chat@mail.example.co.kr', 'mailto:junho@example.com'],
    ],
    ['minji@example', []],
    ['010-1234-5678로 전화 주세요', ['tel:01012345678']],
    ['02-123-4567, 1588-1234, 01012345678', ['tel:021234567', 'tel:15881234', 'tel:01012345678']],
    ['+82 10-1234-5678', ['tel:+821012345678']],
    ['+1 (415) 555-0100 or (415) 555-0100', ['tel:+14155550100', 'tel:4155550100']],
    ['2026-11-29 14:00, 1592-1598, 192.168.0.1, 1,000,000, 3.14159265, 12345678', []],
    ['주문 010-1234-56789', []],
  ])('%s', (text, hrefs) => {
    expect(links(text).map(({ href }) => href)).toEqual(hrefs)
    expect(
      splitLinks(text)
        .map((part) => part.text)
        .join(''),
    ).toBe(text)
  })

  test.each([
    ['https://www.google.com에서 찾아보세요', 'https://www.google.com'],
    ['https://example.com/docs에서', 'https://example.com/docs'],
    ['(https://example.com)입니다', 'https://example.com'],
    ['(https://example.com/a(b))입니다', 'https://example.com/a(b)'],
    ['https://example.com，请看', 'https://example.com'],
    ['https://example.com/a、https://example.com/b', 'https://example.com/a'],
    ['「https://example.com/」です', 'https://example.com/'],
    ['https://example.com/aを見て', 'https://example.com/a'],
    ['https://example.comを見て', 'https://example.com'],
    ['https://example.com/a?b=c입니다.', 'https://example.com/a?b=c'],
    ['https://example.com:8080을 보세요', 'https://example.com:8080'],
    ['https://example.com:8080/a을', 'https://example.com:8080/a'],
    ['https://naver.com과daum.net', 'https://naver.com'],
    ['https://한강.kr에서', 'https://한강.kr'],
    ['https://도메인.한국입니다', 'https://도메인.한국'],
    ['https://ko.wikipedia.org/wiki/축구', 'https://ko.wikipedia.org/wiki/축구'],
    ['https://ko.wikipedia.org/wiki/K리그', 'https://ko.wikipedia.org/wiki/K리그'],
    ['https://example.com/?q=축구 보세요', 'https://example.com/?q=축구'],
    ['“https://example.com/a”', 'https://example.com/a'],
    ['**https://example.com/a**', 'https://example.com/a'],
    ['[글](https://example.com/a)', 'https://example.com/a'],
    ['https://example.com/a\u200B뒤', 'https://example.com/a'],
  ])('end where words begin: %s', (text, written) => {
    expect(links(text)[0]?.text).toBe(written)
    expect(links(text)[0]?.shown).toBe(written)
    const { href } = new URL(written)
    expect(links(text)[0]?.href).toBe(href)
  })

  test('lose no character and lead to the web, to mail and to numbers only', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('https://', 'www.', 'javascript:', 'example.com/', '(', ')', '.', '@', ' ', ':', '에서', '010-1234-5678'),
    )
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('')
        const parts = splitLinks(text)
        expect(parts.map((part) => part.text).join('')).toBe(text)
        for (const part of parts) if (part.kind === 'link') expect(part.href).toMatch(/^(https?:\/\/|mailto:|tel:)/)
      }),
    )
  })

  test('lead where their text says, whatever is in it', () => {
    const letter = fc.constantFrom(
      'a',
      'b',
      '.',
      '/',
      '%2F',
      '%EC%B6%95',
      '한',
      'а',
      'א',
      '%D7%90',
      'xn--',
      '-',
      ':',
      '@',
      '1',
      '?',
      '#',
    )
    fc.assert(
      fc.property(fc.array(letter, { minLength: 1, maxLength: 14 }), (letters) => {
        for (const { shown, href } of links(`https://${letters.join('')}`))
          expect(new URL(href.startsWith('mailto:') ? `mailto:${shown}` : shown).href).toBe(href)
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    ['one word', 'a'.repeat(8_192)],
    ['one address', `https://example.com/${'a'.repeat(8_000)}`],
    ['beginnings of addresses', 'https://'.repeat(1_000)],
    ['beginnings of mail', 'a.b@'.repeat(2_000)],
    ['digits', '0'.repeat(8_192)],
    ['numbers', '010-'.repeat(2_000)],
    ['hosts', `https://${'a.'.repeat(4_000)}`],
    ['brackets', `https://a.b/${'('.repeat(8_000)}`],
    ['lines', 'a\n'.repeat(4_096)],
  ])('are found in as many steps as there are letters: %s', (_, text) => {
    // Many times what it takes; what grows with the square takes longer. A busy machine may hold up the test, but not its processor time.
    const took = [1, 2, 3, 4, 5].map(() => {
      const begun = process.cpuUsage()
      splitLinks(text)
      return process.cpuUsage(begun).user / 1_000
    })
    expect(Math.min(...took)).toBeLessThan(60)
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

describe('links are shown', () => {
  test.each([
    ['https://аpple.com/a?b', 'https://xn--pple-43d.com/a?b'],
    ['https://аррӏе.com', 'https://xn--80ak6aa92e.com'],
    ['https://bank.com／evil.example', 'https://bank.com'],
    ['https://googleㅣ.com/', 'https://xn--google-n2y.com/'],
    ['https://한강.kr/축구', 'https://한강.kr/축구'],
    ['http://127.0.0.1:8080/prod', 'http://127.0.0.1:8080/prod'],
    ['https://example.com/аpple.com', 'https://example.com/аpple.com'],
    ['https://xn--939at69e.kr/a', 'https://한강.kr/a'],
    ['https://xn--pple-43d.com', 'https://xn--pple-43d.com'],
    // ASCII and Hangul in one label: `한` could pass for a mark behind a host that ends.
    ['https://xn--google-un52a.com', 'https://xn--google-un52a.com'],
    ['https://ko.wikipedia.org/wiki/%EC%B6%95%EA%B5%AC?a=%26', 'https://ko.wikipedia.org/wiki/축구?a=%26'],
    ['https://example.com/%2Fevil%20%ED%95%9C%0A%FF', 'https://example.com/%2Fevil%20%ED%95%9C%0A%FF'],
    // Written from right to left, and marks that would turn around what follows.
    ['https://example.com/%D7%90/b', 'https://example.com/%D7%90/b'],
    ['https://example.com/א/b', 'https://example.com/%D7%90/b'],
    ['https://example.com/%E2%80%AEa', 'https://example.com/%E2%80%AEa'],
  ])('%s as %s', (text, shown) => {
    const [part] = splitLinks(text)
    expect(part?.kind === 'link' && part.shown).toBe(shown)
  })
})

describe('a few emoji', () => {
  test.each(['😀', '👍🏽👍🏽', '👨‍👩‍👧‍👦', '🇰🇷🏴󠁧󠁢󠁥󠁮󠁧󠁿', '❤️ 🏳️‍🌈 ☝🏽', '1️⃣', '🤷‍♂️'])('are no more than that: %s', (text) =>
    expect(isFewEmoji(text)).toBe(true),
  )
  test.each(['😀😀😀😀', '😀 네', '1', '123', '#', '©', '🇰', '', ' ', '\u200D', 'ㅋㅋ', '😀\n😀'])(
    'are more, or none: %j',
    (text) => expect(isFewEmoji(text)).toBe(false),
  )
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
