import { IMAGE_MAX_BYTES, MESSAGE_TEXT_MAX_BYTES } from 'chat-core'
import { describe, expect, test } from 'vitest'
import { ConfigError, loadConfig, parseConfig } from '@/lib/config'

const dev = {
  wsUrl: 'ws://h/prod',
  restUrl: 'http://h/',
  auth: { mode: 'dev', loginUrl: 'http://h/dev/login', users: ['minji@example.com', 7, 'nobody'] },
}
const oidc = { ...dev, auth: { mode: 'oidc', authority: 'https://issuer', clientId: 'c' } }

describe('config.json', () => {
  test('is what was answered before the code was there; then it is asked for anew', async () => {
    const fetcher = async () => Response.json(oidc)
    globalThis.chatConfigAhead = Promise.resolve(Response.json(dev))
    expect((await loadConfig(fetcher)).auth.mode).toBe('dev')
    expect((await loadConfig(fetcher)).auth.mode).toBe('oidc')

    globalThis.chatConfigAhead = Promise.reject(new TypeError('no network'))
    await expect(loadConfig(fetcher)).rejects.toThrow('no network')
    expect((await loadConfig(fetcher)).auth.mode).toBe('oidc')
  })

  test('of a development server', () => {
    expect(parseConfig(dev)).toEqual({
      wsUrl: 'ws://h/prod',
      restUrl: 'http://h',
      auth: { mode: 'dev', loginUrl: 'http://h/dev/login', users: ['minji@example.com'] },
      limits: { messageBytes: MESSAGE_TEXT_MAX_BYTES, imageBytes: IMAGE_MAX_BYTES },
    })
  })

  test('of a deployed one', () => {
    expect(parseConfig({ ...oidc, limits: { messageBytes: 100, imageBytes: 7 } })).toMatchObject({
      auth: {
        mode: 'oidc',
        authority: 'https://issuer',
        clientId: 'c',
        scope: 'openid email',
        logoutUrl: null,
        globalSignOutUrl: null,
      },
      limits: { messageBytes: 100, imageBytes: 7 },
    })
  })

  test.each([
    [null, 'config.json is not an object'],
    [{}, 'auth is not an object'],
    [{ ...dev, wsUrl: '' }, 'wsUrl is missing'],
    [{ ...dev, auth: { mode: 'magic' } }, 'auth.mode'],
    [{ ...dev, auth: { mode: 'oidc' } }, 'auth.authority is missing'],
  ])('that is wrong says what is wrong: %j', (value, problem) => {
    expect(() => parseConfig(value)).toThrow(ConfigError)
    expect(() => parseConfig(value)).toThrow(problem)
  })

  test('that is not there says so', async () => {
    await expect(loadConfig(async () => new Response('', { status: 404 }))).rejects.toThrow('HTTP 404')
  })
})
