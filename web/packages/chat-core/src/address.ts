import { EMAIL_MAX_BYTES } from './limits'

/** Why an address cannot be chatted with. */
export type AddressProblem = 'invalidEmail' | 'selfChat'

// The server's rule (`Email` in chat-domain): ASCII, one `@`, no quotes, spaces or control characters, a dotted domain without `#`.
const ADDRESS = /^[!#-~]+$/
const DOMAIN = /^[^#.]+(\.[^#.]+)+$/

/** The one spelling of an address: trimmed, ASCII letters in lower case; `null` when it is not one. */
export function normaliseEmail(input: string): string | null {
  const email = input.trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  const [local, domain, ...more] = email.split('@')
  if (!local || !domain || more.length > 0) return null
  if (email.length > EMAIL_MAX_BYTES || !ADDRESS.test(local) || !ADDRESS.test(domain) || !DOMAIN.test(domain)) return null
  return email
}

/** The room of two addresses, or of nobody when they are the same. */
export function roomIdOf(a: string, b: string): string {
  return [a, b].sort().join('#')
}

/** The other member of a room. */
export function peerOf(roomId: string, me: string): string | null {
  const candidates = [
    roomId.startsWith(`${me}#`) ? roomId.slice(me.length + 1) : '',
    roomId.endsWith(`#${me}`) ? roomId.slice(0, -me.length - 1) : '',
  ]
  return candidates.find((peer) => normaliseEmail(peer) === peer) ?? null
}

/** An address to begin a chat with, or why it is none. */
export function checkPeer(input: string, me: string): { email: string } | { problem: AddressProblem } {
  const email = normaliseEmail(input)
  if (email === null) return { problem: 'invalidEmail' }
  return email === me ? { problem: 'selfChat' } : { email }
}
