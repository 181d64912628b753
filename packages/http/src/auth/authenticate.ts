import { type Identified, platformTenant, RegistryError } from '@breakpilot/tenant-core'
import type { AuthConfig, CallerLeft } from './auth-config.ts'
import { bearerToken } from './credentials.ts'
import { assertLocal } from './local-only.ts'
import { principalOf } from './principal-of.ts'
import { developer, type Principal } from './principal.ts'
import type { Timing } from './provider-keys.ts'
import type { RequestHead } from './request-head.ts'
import type { AccessToken } from './token-claims.ts'
import { createTokenVerifier } from './token.ts'

const warnEveryMs = 60_000

/**
 * Says who makes a request. Without waiting when it can, so it may throw as well as reject: call it as
 * `await authenticate(request)` inside `try`.
 */
export type Authenticate = (request: RequestHead, left?: CallerLeft) => Principal | Promise<Principal>

/**
 * Makes the function that says who makes a request. With authentication off it answers local requests only, and warns
 * of it at once and every minute; a request with credentials is judged by them all the same.
 * @throws {Error} when `issuer` or `jwksUrl` is not a URL.
 * @throws {RegistryError} (the function made) every `auth.…` code except `auth.permission_denied`, which is the
 * router's.
 */
export function createAuthenticator(config: AuthConfig, timing: Timing = {}): Authenticate {
  assertHttpUrl('issuer', config.issuer)
  if (config.jwksUrl !== undefined) assertHttpUrl('jwksUrl', config.jwksUrl)
  const verify = createTokenVerifier(config, timing)

  const productOfClient = config.productOfClient ?? (() => undefined)
  // A token that is remembered is the same object, and says the same of its bearer.
  const known = new WeakMap<AccessToken, Principal>()

  function principalFor(token: AccessToken): Principal {
    const principal = known.get(token) ?? principalOf(token, productOfClient)
    known.set(token, principal)
    return principal
  }

  function judge(jwt: string): Principal | Promise<Principal> {
    const verified = verify(jwt)
    return verified instanceof Promise ? verified.then(principalFor) : principalFor(verified)
  }

  function judgeKey(key: string, ip: string | undefined, left: CallerLeft | undefined): Principal | Promise<Principal> {
    if (!config.identifyKey) throw new RegistryError('auth.api_key_invalid')
    const identified = config.identifyKey(key, ip, left)
    return identified instanceof Promise ? identified.then(keyPrincipal) : keyPrincipal(identified)
  }

  const judgeAny = (credentials: string, { ip }: RequestHead, left: CallerLeft | undefined) =>
    credentials.startsWith(keyBrand) ? judgeKey(credentials, ip, left) : judge(credentials)

  if (config.mode === 'off') {
    if (config.onWarning) warnAgainAndAgain(config.onWarning)
    return (request, left) => {
      assertLocal(request)
      const jwt = bearerToken(request)
      return jwt === undefined ? developer : judgeAny(jwt, request, left)
    }
  }
  return (request, left) => {
    const jwt = bearerToken(request)
    if (jwt === undefined) {
      throw new RegistryError('auth.credentials_missing', {
        detail: 'Send "Authorization: Bearer <access token or API key>".',
      })
    }
    return judgeAny(jwt, request, left)
  }
}

/** How every key begins, and no token of an identity provider does. */
const keyBrand = 'bpk_'

/** @throws {RegistryError} `auth.api_key_invalid` for what nobody proved, `auth.api_key_refused` for what was. */
function keyPrincipal(identified: Identified): Principal {
  if (!identified.ok) {
    if (identified.code === 'NOT_FOUND') throw new RegistryError('auth.api_key_invalid')
    throw new RegistryError('auth.api_key_refused', {
      detail: `The key is good, and it cannot be used now: ${identified.code}.`,
    })
  }
  const { key } = identified
  const actor = { id: key.id, name: key.name }
  return key.tenant_id === platformTenant
    ? { kind: 'product-key', product: key.audience, key, actor }
    : { kind: 'api-key', key, actor }
}

function warnAgainAndAgain(onWarning: (message: string) => void): void {
  const warn = () => {
    onWarning('AUTH_MODE=off: every request from this machine acts as platform-owner')
  }
  warn()
  setInterval(warn, warnEveryMs).unref()
}

function assertHttpUrl(name: string, value: string): void {
  if (!URL.canParse(value) || !/^https?:\/\//.test(value)) {
    throw new Error(`${name} has to be an http or https URL, not ${JSON.stringify(value)}`)
  }
}
