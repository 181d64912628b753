import { RegistryError } from '@breakpilot/tenant-core'
import { errors, jwtVerify, type CompactJWSHeaderParameters } from 'jose'
import type { AuthConfig } from './auth-config.ts'
import { createProviderKeys, type KeySet, type Timing } from './provider-keys.ts'
import { createTokenCache } from './token-cache.ts'
import { accessTokenFrom, assertAccessTokenHeader, skewSeconds, type AccessToken } from './token-claims.ts'

// Signatures only: with an HMAC in this list, the provider's public key would be a password that everybody knows.
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA']

/**
 * Makes the function that tells good access tokens from everything else. It answers at once for a token it has just
 * seen. Nothing of a token gets into an error: not into its detail, and not into its cause either, which is logged.
 * @throws {RegistryError} (the function made) `auth.audience_missing`, `auth.token_expired`, `auth.token_invalid`,
 * `auth.token_wrong_type`, and `auth.provider_unavailable` when it cannot tell.
 */
export function createTokenVerifier(
  config: Pick<AuthConfig, 'issuer' | 'audience' | 'jwksUrl' | 'onWarning'>,
  timing: Timing = {},
): (jwt: string) => AccessToken | Promise<AccessToken> {
  const { now = Date.now } = timing
  const keys = createProviderKeys(config, timing)
  const cache = createTokenCache(now)

  async function verify(jwt: string): Promise<AccessToken> {
    let keySet: KeySet | undefined
    const findKey = async (header: CompactJWSHeaderParameters) => {
      assertAccessTokenHeader(header)
      const found = await keys.find(header)
      keySet = found.keySet
      return found.key
    }
    const currentDate = new Date(now())
    const { payload, protectedHeader } = await jwtVerify(jwt, findKey, {
      algorithms,
      clockTolerance: skewSeconds,
      currentDate,
    }).catch((error: unknown) => {
      throw refusal(error)
    })
    const token = accessTokenFrom(protectedHeader, payload, config, currentDate)
    // Under the keys it was checked with: if they have been replaced meanwhile, nobody will find it.
    if (keySet !== undefined) cache.remember(jwt, token, keySet)
    return token
  }

  return (jwt) => cache.recall(jwt, keys.current()) ?? verify(jwt)
}

/** The errors of `jose` carry the claims, and those of `JSON.parse` a piece of the text; so none becomes a cause. */
function refusal(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error
  if (error instanceof errors.JWTExpired) {
    return new RegistryError('auth.token_expired', { detail: 'The token has expired; get a new one.' })
  }
  return new RegistryError('auth.token_invalid', { detail: invalidDetail(error) })
}

function invalidDetail(error: unknown): string {
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return `The token is not signed with one of the accepted algorithms: ${algorithms.join(', ')}.`
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'The signature of the token is not valid.'
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'nbf' && error.reason === 'check_failed'
      ? 'The token is not valid yet.'
      : 'A time in the token is not a number.'
  }
  if (error instanceof errors.JOSENotSupported) return 'The token needs an extension ("crit") that is not supported.'
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
    return 'The token is not a signed JSON Web Token.'
  }
  return 'The token cannot be checked with the key it names.'
}
