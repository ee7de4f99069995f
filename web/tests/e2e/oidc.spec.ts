import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { BrowserContext, Route } from '@playwright/test'
import { between, type ChatServer, Conversation, expect, JUNHO, MINJI, test, watch } from './support/chat'

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Where the deployed pool sends browsers back to, as paths: it refuses any other. */
const REGISTERED = (() => {
  const template = readFileSync(fileURLToPath(new URL('../../../deploy/template.yaml', import.meta.url)), 'utf8')
  const urls = /^ +CallbackURLs: \[(.*)\]$/m.exec(template)?.[1] ?? ''
  return [...urls.matchAll(/\$\{PageOrigin\}([^']*)/g)].map(([, path]) => path)
})()

/** A provider as Cognito is one: code and PKCE, refresh tokens, no session endpoint. Its access tokens are those of chat-local. */
class Provider {
  readonly grants: string[] = []
  readonly revoked: string[] = []
  /** The access tokens whose users' sessions were ended, all of them. */
  readonly ended: string[] = []
  /** It answers nothing but an error. */
  unreachable = false
  /** Who signs in thinks better of it. */
  declined = false
  /** How long its tokens say that they last. */
  lifetimeSeconds = 3_600
  private challenge = ''
  private nonce: string | null = null

  constructor(
    private readonly context: BrowserContext,
    private readonly server: ChatServer,
  ) {}

  async install(): Promise<void> {
    const issuer = `${this.server.url}/idp`
    const config = await (await this.context.request.get(`${this.server.url}/config.json`)).json()
    const auth = {
      mode: 'oidc',
      authority: issuer,
      clientId: 'web',
      logoutUrl: `${this.server.url}/?signed-out`,
      globalSignOutUrl: `${issuer}/`,
    }
    await this.context.route('**/config.json', (route) => route.fulfill({ json: { ...config, auth } }))
    await this.context.route('**/idp/.well-known/openid-configuration', (route) =>
      route.fulfill({
        json: {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          revocation_endpoint: `${issuer}/revoke`,
        },
      }),
    )
    await this.context.route('**/idp/authorize?**', (route) => this.authorize(route))
    await this.context.route('**/idp/token', (route) => this.token(route))
    await this.context.route('**/idp/revoke', (route) => this.revoke(route))
    await this.context.route('**/idp/', (route) => this.endAll(route))
  }

  /** Cognito revokes refresh tokens alone. */
  private async revoke(route: Route): Promise<void> {
    const body = new URLSearchParams(route.request().postData() ?? '')
    const refreshes = body.get('token') === 'again'
    if (refreshes) this.revoked.push('again')
    await route.fulfill(refreshes ? { status: 200 } : { status: 400, json: { error: 'unsupported_token_type' } })
  }

  /** Answers as Cognito's GlobalSignOut does. */
  private async endAll(route: Route): Promise<void> {
    const request = route.request()
    expect(request.headers()['x-amz-target']).toBe('AWSCognitoIdentityProviderService.GlobalSignOut')
    const { AccessToken } = request.postDataJSON()
    if (!this.unreachable) this.ended.push(AccessToken)
    await route.fulfill(this.unreachable ? { status: 503 } : { json: {} })
  }

  private async authorize(route: Route): Promise<void> {
    const asked = new URL(route.request().url()).searchParams
    expect(asked.get('response_type')).toBe('code')
    expect(asked.get('code_challenge_method')).toBe('S256')
    this.challenge = asked.get('code_challenge') ?? ''
    this.nonce = asked.get('nonce')
    const back = new URL(asked.get('redirect_uri') ?? '')
    // Whole, as a pool compares them: nothing is left to defaults.
    expect(REGISTERED.map((path) => `${this.server.url}${path}`)).toContain(asked.get('redirect_uri'))
    if (this.declined) back.searchParams.set('error', 'access_denied')
    else back.searchParams.set('code', 'one-time')
    back.searchParams.set('state', asked.get('state') ?? '')
    await route.fulfill({ status: 302, headers: { location: back.href } })
  }

  private async token(route: Route): Promise<void> {
    const body = new URLSearchParams(route.request().postData() ?? '')
    const grant = body.get('grant_type') ?? ''
    this.grants.push(grant)
    if (grant === 'authorization_code') {
      const verifier = body.get('code_verifier') ?? ''
      expect(createHash('sha256').update(verifier).digest('base64url')).toBe(this.challenge)
    }
    const login = await this.context.request.post(`${this.server.url}/dev/login`, { data: { email: MINJI } })
    const { accessToken } = await login.json()
    const now = Math.floor(Date.now() / 1_000)
    const claims = {
      iss: `${this.server.url}/idp`,
      aud: 'web',
      sub: 'minji',
      email: 'Minji@example.com',
      iat: now,
      exp: now + 3_600,
      nonce: this.nonce ?? undefined,
    }
    await route.fulfill({
      json: {
        access_token: accessToken,
        refresh_token: 'again',
        token_type: 'Bearer',
        expires_in: this.lifetimeSeconds,
        id_token: `${base64url({ alg: 'RS256' })}.${base64url(claims)}.c2lnbmF0dXJl`,
      },
    })
  }
}

test('signing in at a provider leads back to where one was, lasts, renews itself, and ends', async ({ browser, server }) => {
  const context = await browser.newContext()
  const provider = new Provider(context, server)
  // A moment more than the two minutes before the end at which tokens are renewed.
  provider.lifetimeSeconds = 122
  await provider.install()
  const reauthed: string[] = []
  await between(context, {
    sent({ action, token }) {
      if (action === 'reauth') reauthed.push(token)
      return true
    },
  })
  const complaints: string[] = []
  const page = await context.newPage()
  watch(page, complaints)
  await page.goto(`${server.url}/ko/chat/?with=${encodeURIComponent(JUNHO)}`)
  await page.getByRole('button', { name: '로그인' }).click()
  await page.waitForURL(/\/ko\/chat\/\?with=junho%40example\.com$/)
  const minji = new Conversation(page)
  await minji.send('로그인했습니다')
  await expect(minji.status('로그인했습니다')).toHaveAttribute('data-status', 'sent')

  await expect.poll(() => provider.grants).toContain('refresh_token')
  provider.lifetimeSeconds = 3_600
  await expect.poll(() => reauthed.length).toBeGreaterThan(0)
  await minji.send('연장되었습니다')
  await expect(minji.status('연장되었습니다')).toHaveAttribute('data-status', 'sent')

  await page.reload()
  await expect(minji.text('연장되었습니다')).toBeVisible()
  await page.getByRole('button', { name: '설정' }).click()
  await page.getByRole('button', { name: '로그아웃', exact: true }).click()
  await page.waitForURL(/\/ko\/chat\/\?signed-out/)
  expect(provider.revoked).toEqual(['again'])
  await expect(page.getByRole('button', { name: '로그인' })).toBeVisible()
  expect(complaints).toEqual([])
})

test('one signs out on all devices, and is told when that did not work', async ({ browser, server }) => {
  const context = await browser.newContext()
  const provider = new Provider(context, server)
  await provider.install()
  const page = await context.newPage()
  await page.goto(`${server.url}/ko/chat/`)
  await page.getByRole('button', { name: '로그인' }).click()
  await page.getByRole('button', { name: '설정' }).click()

  provider.unreachable = true
  await page.getByRole('button', { name: '모든 기기에서 로그아웃' }).click()
  await expect(page.getByRole('alert').filter({ hasText: '다른 기기에서 로그아웃하지 못했습니다' })).toBeVisible()
  expect(provider.revoked).toEqual([])

  provider.unreachable = false
  await page.getByRole('button', { name: '모든 기기에서 로그아웃' }).click()
  await page.waitForURL(/\?signed-out/)
  expect(provider.ended).toHaveLength(1)
  await expect(page.getByRole('button', { name: '로그인' })).toBeVisible()
})

test('signing in leads back to where it was begun, and nowhere else', async ({ browser, server }) => {
  const context = await browser.newContext()
  await new Provider(context, server).install()
  const page = await context.newPage()
  await page.goto(`${server.url}/en/teams/`)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('heading', { name: 'Teams', exact: true })).toBeVisible()
  await expect(page).toHaveURL(/\/en\/teams\/$/)

  for (const data of ['//elsewhere.example/ko/teams/', '/ko/nowhere/', '/en/teams/../../elsewhere/', 7]) {
    await page.evaluate((data) => localStorage.setItem('chat.foreign', JSON.stringify({ data })), data)
    await page.goto(`${server.url}/?state=foreign&code=one-time`)
    await expect(page).toHaveURL(`${server.url}/ko/chat/`)
  }
})

test('signing in that comes to nothing says so, and can be tried again where one was', async ({ browser, server }) => {
  const context = await browser.newContext()
  const provider = new Provider(context, server)
  await provider.install()
  const page = await context.newPage()
  await page.goto(`${server.url}/ko/chat/?with=${encodeURIComponent(JUNHO)}`)
  await expect(page.getByRole('button', { name: '로그인' })).toBeVisible()
  await expect(page.getByText('로그인하지 못했습니다')).toHaveCount(0)

  provider.declined = true
  await page.getByRole('button', { name: '로그인' }).click()
  await expect(page.getByRole('alert').getByText('로그인하지 못했습니다')).toBeVisible()
  await expect(page).toHaveURL(/\/ko\/chat\/\?with=junho%40example\.com$/)

  provider.declined = false
  await context.route('**/idp/token', (route) => route.abort())
  await page.getByRole('button', { name: '로그인' }).click()
  await page.waitForURL(/code=one-time/)
  await page.waitForURL(/\/ko\/chat\/\?with=junho%40example\.com$/)
  await expect(page.getByRole('alert').getByText('로그인하지 못했습니다')).toBeVisible()

  await context.unroute('**/idp/token')
  await provider.install()
  await page.getByRole('button', { name: '로그인' }).click()
  await expect(new Conversation(page).field).toBeVisible()
  await expect(page).toHaveURL(/\/ko\/chat\/\?with=junho%40example\.com$/)
})
