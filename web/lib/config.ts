import { IMAGE_MAX_BYTES, MESSAGE_TEXT_MAX_BYTES, normaliseEmail } from 'chat-core'

/** The content of `/config.json`: the addresses of the server, and how to sign in. */
export interface AppConfig {
  readonly wsUrl: string
  readonly restUrl: string
  readonly auth: DevAuthConfig | OidcAuthConfig
  readonly limits: { readonly messageBytes: number; readonly imageBytes: number }
}

/** How anybody signs in on a developer's machine. */
export interface DevAuthConfig {
  readonly mode: 'dev'
  readonly loginUrl: string
  readonly users: readonly string[]
}

/** Signing in by OpenID Connect, code with PKCE: Cognito, deployed. */
export interface OidcAuthConfig {
  readonly mode: 'oidc'
  /** The issuer, such as `https://cognito-idp.ap-northeast-2.amazonaws.com/POOL`. */
  readonly authority: string
  readonly clientId: string
  readonly scope: string
  /** The URL at which the provider ends its own session, with all parameters. Cognito has no standard endpoint for it. */
  readonly logoutUrl: string | null
  /** Where Cognito's API ends all sessions of a user. Without it, signing out everywhere is not offered. */
  readonly globalSignOutUrl: string | null
}

/** `/config.json` lacks something that the page needs. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

declare global {
  /** The answer to what `scripts/ahead.js` has asked for before this code was there. */
  var chatConfigAhead: Promise<Response> | undefined
}

/** Loads `/config.json`, which says where the APIs are. What failed is asked for anew the next time. */
export async function loadConfig(fetcher: typeof fetch = fetch): Promise<AppConfig> {
  const asked = globalThis.chatConfigAhead ?? fetcher('/config.json', { cache: 'no-store' })
  globalThis.chatConfigAhead = undefined
  const response = await asked
  if (!response.ok) throw new ConfigError(`/config.json: HTTP ${response.status}`)
  return parseConfig(await response.json())
}

/** Checks the content of `/config.json`, and names what is missing. */
export function parseConfig(value: unknown): AppConfig {
  const root = object(value, 'config.json')
  const auth = object(root.auth, 'auth')
  const limits = root.limits === undefined ? {} : object(root.limits, 'limits')
  return {
    wsUrl: text(root.wsUrl, 'wsUrl'),
    restUrl: text(root.restUrl, 'restUrl').replace(/\/$/, ''),
    auth: parseAuth(auth),
    limits: {
      messageBytes: typeof limits.messageBytes === 'number' ? limits.messageBytes : MESSAGE_TEXT_MAX_BYTES,
      imageBytes: typeof limits.imageBytes === 'number' ? limits.imageBytes : IMAGE_MAX_BYTES,
    },
  }
}

function parseAuth(auth: Record<string, unknown>): DevAuthConfig | OidcAuthConfig {
  if (auth.mode === 'dev') {
    const users = Array.isArray(auth.users) ? auth.users : []
    const known = users.filter((user): user is string => typeof user === 'string' && normaliseEmail(user) !== null)
    return { mode: 'dev', loginUrl: text(auth.loginUrl, 'auth.loginUrl'), users: known }
  }
  if (auth.mode === 'oidc') {
    return {
      mode: 'oidc',
      authority: text(auth.authority, 'auth.authority'),
      clientId: text(auth.clientId, 'auth.clientId'),
      scope: auth.scope === undefined ? 'openid email' : text(auth.scope, 'auth.scope'),
      logoutUrl: auth.logoutUrl === undefined ? null : text(auth.logoutUrl, 'auth.logoutUrl'),
      globalSignOutUrl: auth.globalSignOutUrl === undefined ? null : text(auth.globalSignOutUrl, 'auth.globalSignOutUrl'),
    }
  }
  throw new ConfigError('config.json: auth.mode is neither "dev" nor "oidc"')
}

function object(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new ConfigError(`config.json: ${name} is not an object`)
  return value as Record<string, unknown>
}

function text(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') throw new ConfigError(`config.json: ${name} is missing`)
  return value
}
