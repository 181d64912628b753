import type { ErrorCode } from '@breakpilot/tenant-core'
import { CompactEncrypt, exportSPKI, generateKeyPair, importJWK } from 'jose'
import { aSigningKey, audience, signed, type SigningKey, type TestProvider } from './oidc-provider.ts'

/** A token which nobody must get in with, and what they are told instead. */
export interface BadToken {
  readonly name: string
  readonly jwt: () => Promise<string> | string
  readonly code: ErrorCode
  readonly detail: string
}

/** A provider and its RSA key, as the table needs them; known only when the tests run. */
export interface BadTokenWorld {
  readonly provider: TestProvider
  readonly rsa: SigningKey
  /** Seconds since 1970, as the verifier's clock says. */
  readonly now: number
}

type Claims = Readonly<Record<string, unknown>>

/** In every token that a test signs: must not turn up in any error. */
export const mark = 'only-in-the-token'

/** The claims of a good token, changed; `undefined` leaves one out. */
export function claimsFor({ provider, now }: BadTokenWorld, changes: Claims = {}): Claims {
  const email = `${mark}@example.com`
  return { iss: provider.issuer, aud: audience, sub: 'alice', iat: now, exp: now + 300, email, ...changes }
}

/** Every bad token we could think of. */
export function badTokens(world: () => BadTokenWorld): readonly BadToken[] {
  const claims = (changes?: Claims) => claimsFor(world(), changes)
  const token = (changes?: Claims, header?: Claims) => async () => signed(world().rsa, claims(changes), header)
  const seconds = (offset: number) => world().now + offset
  const altered = (index: number, change: (text: string) => string) => async () =>
    (await token()())
      .split('.')
      .map((text, at) => (at === index ? change(text) : text))
      .join('.')
  const foreignKey = (alg: 'RS256' | 'ES256') => aSigningKey(alg, world().rsa.kid)

  return [
    // When
    expired('ended 30 seconds ago', () => token({ exp: seconds(-30) })()),
    expired('ended in 1970', token({ exp: 0 })),
    invalid('starts in 31 seconds', () => token({ nbf: seconds(31) })(), 'The token is not valid yet.'),
    invalid('was issued in the future', () => token({ iat: seconds(31) })(), 'The token was issued in the future.'),
    invalid('never ends', token({ exp: undefined }), noExp),
    invalid(
      'ends at infinity',
      async () => signed(world().rsa, JSON.stringify(claims({ exp: 7 })).replace(':7,', ':1e999,')),
      noExp,
    ),
    invalid('ends at a text', token({ exp: '9999999999' }), timeIsText),
    invalid('has no iat', token({ iat: undefined }), noIat),
    invalid('has an iat that is a text', token({ iat: '1' }), timeIsText),
    // From whom, for whom, about whom
    wrongIssuer('is from an issuer with a trailing slash', () => token({ iss: `${world().provider.issuer}/` })()),
    wrongIssuer('is from an issuer in capitals', () => token({ iss: world().provider.issuer.toUpperCase() })()),
    wrongIssuer('is from a list of issuers', () => token({ iss: [world().provider.issuer] })()),
    wrongIssuer('is from nobody', token({ iss: undefined })),
    wrongAudience('the provider issued for another service', () =>
      world().provider.accessToken({ resource: 'urn:other:RS256' }),
    ),
    wrongAudience('is for a service with a longer name', token({ aud: `${audience}-2` })),
    wrongAudience('is for several others', token({ aud: ['account', `${audience} `] })),
    wrongAudience('is for nobody', token({ aud: undefined })),
    wrongAudience('is for an object with our name', token({ aud: { [audience]: audience } })),
    invalid('is about nobody', token({ sub: undefined }), noSub),
    invalid('is about an empty text', token({ sub: '' }), noSub),
    invalid('is about a number', token({ sub: 7 }), noSub),
    invalid('is about two lines', token({ sub: 'alice\nadmin' }), noSub),
    invalid('is about a zero byte', token({ sub: 'alice\0' }), noSub),
    invalid('is about 256 characters', token({ sub: 'x'.repeat(256) }), noSub),
    // Of which kind
    wrongType('is an ID token of the provider', () => world().provider.otherToken('idtoken')),
    wrongType('is a logout token of the provider', () => world().provider.otherToken('logout')),
    wrongType('is an ID token of Keycloak', token({ typ: 'ID', aud: 'console' }, { typ: 'JWT' })),
    wrongType('is a refresh token', token({ typ: 'Refresh' }, { typ: 'JWT' })),
    wrongType('is an offline token', token({ typ: 'Offline' }, { typ: 'JWT' })),
    wrongType('is a logout token of Keycloak', token({ typ: 'Logout' }, { typ: 'logout+jwt' })),
    wrongType('says Bearer in a logout token', token({ typ: 'Bearer' }, { typ: 'logout+jwt' })),
    wrongType('says ID in an access token', token({ typ: 'ID' })),
    wrongType('is bound to a key by DPoP', token({ typ: 'DPoP' }, { typ: 'JWT' })),
    wrongType('says nothing of its kind', token({}, { typ: 'JWT' })),
    wrongType('is of a kind that only begins like ours', token({}, { typ: 'at+jwt2' })),
    wrongType('has a number for its kind', token({ typ: 1 }, { typ: 1 })),
    // Signed how
    invalid(
      'has the algorithm none',
      () => `${part({ alg: 'none', kid: world().rsa.kid })}.${part(claims())}.`,
      wrongAlgorithm,
    ),
    invalid(
      'is signed with HS256 and the public key',
      () => withPublicKeyAsSecret(world().rsa, claims()),
      wrongAlgorithm,
    ),
    invalid(
      'is signed with RS512',
      async () => signed({ ...world().rsa, alg: 'RS512' as 'RS256' }, claims()),
      wrongAlgorithm,
    ),
    invalid(
      'is signed with ES256 in the name of an RSA key',
      async () => signed(await foreignKey('ES256'), claims()),
      unknownKey,
    ),
    invalid('has no kid', token({}, { kid: undefined }), noKid),
    invalid('has an empty kid', token({}, { kid: '' }), noKid),
    invalid('has an unknown kid', token({}, { kid: 'rsa-2' }), unknownKey),
    invalid(
      'is signed with another key of the same name',
      async () => signed(await foreignKey('RS256'), claims()),
      badSignature,
    ),
    invalid(
      'brings its own key',
      async () => withOwnKey(await foreignKey('RS256'), claims(), world().provider),
      badSignature,
    ),
    invalid(
      'was given another subject',
      altered(1, () => part(claims({ sub: 'root' }))),
      badSignature,
    ),
    invalid(
      'was given another header',
      altered(0, () => part({ alg: 'RS256', kid: world().rsa.kid, x: 1 })),
      badSignature,
    ),
    invalid('has one bit of its signature flipped', altered(2, flipped), badSignature),
    invalid(
      'has lost its signature',
      altered(2, () => ''),
      badSignature,
    ),
    invalid(
      'has half a signature',
      altered(2, (text) => text.slice(0, 100)),
      badSignature,
    ),
    invalid('needs an extension', token({}, { crit: ['urn:example:must'], 'urn:example:must': true }), extension),
    // In which form
    invalid('is encrypted', async () => encrypted(await token()(), world().rsa.kid), notAJwt),
    invalid('is opaque', () => 'kZ8mBqX3vT-an-opaque-token', notAJwt),
    invalid('is one dot', () => '.', notAJwt),
    invalid('is two dots', () => '..', notAJwt),
    invalid('is three dots', () => '...', notAJwt),
    invalid('has four parts', async () => `${await token()()}.more`, notAJwt),
    invalid('has a header that is not JSON', () => `${Buffer.from('{"alg":').toString('base64url')}.e30.AA`, notAJwt),
    invalid('has a header that is a list', () => `${part([])}.e30.AA`, notAJwt),
    invalid('has claims that are not JSON', async () => signed(world().rsa, mark), notAJwt),
    invalid('has claims that are a list', async () => signed(world().rsa, '[]'), notAJwt),
    invalid(
      'has something after its signature',
      altered(2, (text) => `${text}${'A'.repeat(4000)}`),
      badSignature,
    ),
  ]

  function wrongIssuer(name: string, jwt: BadToken['jwt']): BadToken {
    const detail = () => `The token has to be from the issuer "${world().provider.issuer}", exactly as written here.`
    return Object.defineProperty(invalid(name, jwt, ''), 'detail', { get: detail, enumerable: true })
  }
}

const noExp = 'The token does not say when it ends ("exp").'
const noIat = 'The token does not say when it was issued ("iat").'
const noSub = 'The token does not say whom it is about ("sub", up to 255 ASCII characters).'
const noKid = 'The token does not name its key ("kid").'
const timeIsText = 'A time in the token is not a number.'
const wrongAlgorithm = 'The token is not signed with one of the accepted algorithms: RS256, PS256, ES256, EdDSA.'
const unknownKey = 'The token is signed with an unknown key.'
const badSignature = 'The signature of the token is not valid.'
const extension = 'The token needs an extension ("crit") that is not supported.'
const notAJwt = 'The token is not a signed JSON Web Token.'

function invalid(name: string, jwt: BadToken['jwt'], detail: string): BadToken {
  return { name, jwt, code: 'auth.token_invalid', detail }
}

function expired(name: string, jwt: BadToken['jwt']): BadToken {
  return { name, jwt, code: 'auth.token_expired', detail: 'The token has expired; get a new one.' }
}

function wrongType(name: string, jwt: BadToken['jwt']): BadToken {
  const detail =
    'Send an access token (header "typ": "at+jwt", or claim "typ": "Bearer"), not an ID, refresh or logout token.'
  return { name, jwt, code: 'auth.token_wrong_type', detail }
}

function wrongAudience(name: string, jwt: BadToken['jwt']): BadToken {
  const detail =
    'The "aud" of the token does not contain "tenant-registry". In Keycloak, add to the client (or to a client scope ' +
    'it has) a mapper of type "Audience" with "Included Client Audience" or "Included Custom Audience" set to ' +
    '"tenant-registry" and "Add to access token" on.'
  return { name, jwt, code: 'auth.audience_missing', detail }
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function flipped(signature: string): string {
  const bytes = Buffer.from(signature, 'base64url')
  bytes[7] = (bytes[7] ?? 0) ^ 1
  return bytes.toString('base64url')
}

async function withPublicKeyAsSecret({ n = '', e = '', kid }: SigningKey, claims: Claims): Promise<string> {
  const publicKey = await importJWK({ kty: 'RSA', n, e }, 'RS256')
  if (publicKey instanceof Uint8Array) throw new Error('an RSA key was expected')
  const k = Buffer.from(await exportSPKI(publicKey)).toString('base64url')
  return signed({ kty: 'oct', k, kid, alg: 'HS256' as 'RS256' }, claims)
}

async function withOwnKey(key: SigningKey, claims: Claims, { issuer }: TestProvider): Promise<string> {
  const { kty, n, e } = key
  return signed(key, claims, { jwk: { kty, n, e }, jku: `${issuer}/evil`, x5u: `${issuer}/evil` })
}

async function encrypted(jwt: string, kid: string): Promise<string> {
  const { publicKey } = await generateKeyPair('RSA-OAEP-256')
  const header = { alg: 'RSA-OAEP-256', enc: 'A256GCM', kid, cty: 'at+jwt' }
  return new CompactEncrypt(Buffer.from(jwt)).setProtectedHeader(header).encrypt(publicKey)
}
