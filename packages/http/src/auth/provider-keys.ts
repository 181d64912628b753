import { RegistryError } from '@breakpilot/tenant-core'
import { createLocalJWKSet, errors, type CryptoKey, type JSONWebKeySet, type JWSHeaderParameters } from 'jose'
import type { AuthConfig } from './auth-config.ts'
import { fetchProviderDocument } from './provider-document.ts'

/** For how long keys are used without asking again: how long a withdrawn key may still open something. */
const freshMs = 600_000
/** For how long they are used while the provider does not answer. Its tokens do not live longer anyway. */
const usableMs = 3_600_000
/** Between two fetches that tokens of unknown keys cause, and between two tries at a provider that is down. */
const cooldownMs = 30_000
/** While there is no key at all every request fails, so the next try comes sooner. */
const emptyCooldownMs = 5000
const timeoutMsDefault = 5000

/** The keys of one moment. Another fetch that brings the same keys brings the same object. */
export interface KeySet {
  readonly fingerprint: string
  readonly find: (header: JWSHeaderParameters) => Promise<CryptoKey>
}

export interface ProviderKeys {
  /**
   * The key that a token's header names, and the set which it is from.
   * @throws {RegistryError} `auth.token_invalid` when the provider has no such key, `auth.provider_unavailable` when
   * that cannot be found out.
   */
  find(header: JWSHeaderParameters): Promise<{ key: CryptoKey; keySet: KeySet }>
  /** The set in use; something remembered under another one is out of date. */
  current(): KeySet | undefined
}

/** What tests have to be able to turn. */
export interface Timing {
  readonly now?: () => number
  readonly timeoutMs?: number
}

/** Keeps the public keys of the provider: fetched when first needed, by one request for everybody who waits. */
export function createProviderKeys(
  { issuer, jwksUrl, onWarning }: Pick<AuthConfig, 'issuer' | 'jwksUrl' | 'onWarning'>,
  { now = Date.now, timeoutMs = timeoutMsDefault }: Timing = {},
): ProviderKeys {
  let keySet: KeySet | undefined
  let fetchedAt = 0
  let lastTry: { at: number; failure?: unknown } | undefined
  let running: Promise<void> | undefined

  function cooldownLeftMs(): number {
    const cooldown = keySet === undefined ? emptyCooldownMs : cooldownMs
    const age = now() - (lastTry?.at ?? -Infinity)
    // A clock that was set back must not turn seconds into hours.
    return age < 0 ? 0 : Math.max(0, cooldown - age)
  }

  async function fetchOnce(): Promise<void> {
    const attempt: { at: number; failure?: unknown } = { at: now() }
    try {
      const found = await fetchKeys(issuer, jwksUrl, AbortSignal.timeout(timeoutMs))
      if (found.fingerprint !== keySet?.fingerprint) keySet = found
      fetchedAt = now()
    } catch (error) {
      attempt.failure = error
      onWarning?.(`the keys of the identity provider cannot be fetched: ${error instanceof Error ? error.message : ''}`)
    }
    lastTry = attempt
  }

  /** Joins the fetch under way, or starts one unless the last is too recent. */
  async function refresh(): Promise<void> {
    if (running === undefined && cooldownLeftMs() === 0) {
      running = fetchOnce().finally(() => {
        running = undefined
      })
    }
    await running
  }

  function unavailable(): RegistryError {
    return new RegistryError('auth.provider_unavailable', {
      detail: 'The token cannot be checked now, because the keys of the identity provider cannot be fetched.',
      retryAfterSeconds: Math.max(1, Math.ceil(cooldownLeftMs() / 1000)),
      cause: lastTry?.failure,
    })
  }

  async function usable(): Promise<KeySet> {
    const age = now() - fetchedAt
    if (keySet !== undefined && age >= 0 && age < freshMs) return keySet
    await refresh()
    if (keySet !== undefined && Math.abs(now() - fetchedAt) < usableMs) return keySet
    throw unavailable()
  }

  return {
    current: () => keySet,
    async find(header) {
      const before = await usable()
      try {
        return { key: await before.find(header), keySet: before }
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      }
      await refresh()
      const after = keySet ?? before
      try {
        return { key: await after.find(header), keySet: after }
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
        // Perhaps the provider has a new key which it could not tell us about: that is not the caller's mistake.
        if (lastTry?.failure !== undefined) throw unavailable()
        throw new RegistryError('auth.token_invalid', { detail: 'The token is signed with an unknown key.' })
      }
    },
  }
}

async function fetchKeys(issuer: string, jwksUrl: string | undefined, signal: AbortSignal): Promise<KeySet> {
  const url = jwksUrl ?? (await discoverJwksUrl(issuer, signal))
  const jwks = (await fetchProviderDocument(url, signal)) as JSONWebKeySet
  // Refuses what is not a key set; a single key that makes no sense only fails the tokens that name it.
  try {
    return { fingerprint: JSON.stringify(jwks), find: createLocalJWKSet(jwks) }
  } catch (cause) {
    throw new Error(`GET ${url}: the document is not a key set`, { cause })
  }
}

async function discoverJwksUrl(issuer: string, signal: AbortSignal): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const document = (await fetchProviderDocument(url, signal)) as { issuer?: unknown; jwks_uri?: unknown } | null
  if (document?.issuer !== issuer) throw new Error(`GET ${url}: the document is not that of the issuer ${issuer}`)
  const { jwks_uri: jwksUri } = document
  if (typeof jwksUri !== 'string' || !URL.canParse(jwksUri)) throw new Error(`GET ${url}: jwks_uri is not a URL`)
  if (issuer.startsWith('https:') && !jwksUri.startsWith('https:')) {
    throw new Error(`GET ${url}: jwks_uri is not https, although the issuer is`)
  }
  return jwksUri
}
