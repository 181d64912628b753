import { RegistryError } from '@breakpilot/tenant-core'
import type { JWTHeaderParameters, JWTPayload } from 'jose'

/** By how much the clocks of the provider and of this machine may differ. */
export const skewSeconds = 30

/** What a verified token says. */
export interface AccessToken {
  readonly subject: string
  readonly name: string
  /** Seconds since 1970, as in the token. */
  readonly expiresAt: number
  readonly claims: Readonly<JWTPayload>
}

const nameLengthMax = 255
// What OpenID Connect allows a subject to be; it goes into the audit log, where a zero byte or a line break must not.
const subjectPattern = /^[\x20-\x7e]{1,255}$/

/**
 * Refuses by its header what cannot be an access token or cannot be checked, before any key is looked for.
 * @throws {RegistryError} `auth.token_invalid`, `auth.token_wrong_type`
 */
export function assertAccessTokenHeader({ kid, typ }: JWTHeaderParameters): void {
  if (typeof kid !== 'string' || kid === '') throw invalid('The token does not name its key ("kid").')
  // Other kinds say so: logout+jwt, dpop+jwt, secevent+jwt. Most providers write JWT, or nothing, for ID tokens too.
  if (!isAccessTokenType(typ) && typ !== undefined && !/^(?:application\/)?jwt$/i.test(typ)) throw wrongType()
}

/**
 * Reads the claims of a token whose signature, `exp` and `nbf` are good. Its kind is judged first, because an ID token
 * has another audience too, and "add an audience mapper" would be the wrong advice.
 * @throws {RegistryError} `auth.audience_missing`, `auth.token_invalid`, `auth.token_wrong_type`
 */
export function accessTokenFrom(
  header: JWTHeaderParameters,
  claims: JWTPayload,
  { issuer, audience }: { readonly issuer: string; readonly audience: string },
  now: Date,
): AccessToken {
  const { aud, exp, iat, iss, sub } = claims
  const kind = claims['typ']
  if (kind === undefined ? !isAccessTokenType(header.typ) : kind !== 'Bearer') throw wrongType()
  if (iss !== issuer) throw invalid(`The token has to be from the issuer "${issuer}", exactly as written here.`)
  if (exp === undefined || !Number.isFinite(exp)) throw invalid('The token does not say when it ends ("exp").')
  if (iat === undefined || !Number.isFinite(iat)) throw invalid('The token does not say when it was issued ("iat").')
  if (iat > now.getTime() / 1000 + skewSeconds) throw invalid('The token was issued in the future.')
  if (typeof sub !== 'string' || !subjectPattern.test(sub)) {
    throw invalid('The token does not say whom it is about ("sub", up to 255 ASCII characters).')
  }
  if (aud !== audience && !(Array.isArray(aud) && aud.includes(audience))) throw audienceMissing(audience)
  return { subject: sub, name: nameOf(claims) ?? sub, expiresAt: exp, claims }
}

/** RFC 9068; Keycloak writes it when the client's "Use at+jwt as access token header type" is on. */
function isAccessTokenType(typ: unknown): boolean {
  return typeof typ === 'string' && /^(?:application\/)?at\+jwt$/i.test(typ)
}

function nameOf(claims: JWTPayload): string | undefined {
  const names = [claims['name'], claims['preferred_username'], claims['client_id'], claims['azp']]
  return names.find((name): name is string => typeof name === 'string' && isDisplayable(name))
}

function isDisplayable(name: string): boolean {
  return name.length > 0 && name.length <= nameLengthMax && name.isWellFormed() && !/\p{Cc}/u.test(name)
}

function invalid(detail: string): RegistryError {
  return new RegistryError('auth.token_invalid', { detail })
}

function wrongType(): RegistryError {
  return new RegistryError('auth.token_wrong_type', {
    detail:
      'Send an access token (header "typ": "at+jwt", or claim "typ": "Bearer"), not an ID, refresh or logout token.',
  })
}

function audienceMissing(audience: string): RegistryError {
  return new RegistryError('auth.audience_missing', {
    detail:
      `The "aud" of the token does not contain "${audience}". In Keycloak, add to the client (or to a client scope it ` +
      `has) a mapper of type "Audience" with "Included Client Audience" or "Included Custom Audience" set to ` +
      `"${audience}" and "Add to access token" on.`,
  })
}
