import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { badTokens, claimsFor, mark, type BadTokenWorld } from '../../test/bad-tokens.ts'
import { aSigningKey, audience, signed, startProvider } from '../../test/oidc-provider.ts'
import { refusalOf } from '../../test/refusal-of.ts'
import type { AccessToken } from './token-claims.ts'
import { createTokenVerifier } from './token.ts'

let world: BadTokenWorld
let verify: (jwt: string) => AccessToken | Promise<AccessToken>
const now = Math.floor(Date.now() / 1000)
const table = badTokens(() => world)

beforeAll(async () => {
  const rsa = await aSigningKey('RS256', 'rsa-1')
  const others = [aSigningKey('PS256', 'ps-1'), aSigningKey('ES256', 'ec-1'), aSigningKey('EdDSA', 'ed-1')]
  world = { rsa, now, provider: await startProvider([rsa, ...(await Promise.all(others))]) }
  verify = createTokenVerifier({ issuer: world.provider.issuer, audience }, { now: () => now * 1000 })
})

afterAll(async () => {
  await world.provider.close()
})

describe('a good token', () => {
  test.each(['RS256', 'PS256', 'ES256', 'EdDSA'] as const)(
    'that the provider signs with %s is accepted',
    async (alg) => {
      expect(await verify(await world.provider.accessToken({ alg }))).toMatchObject({
        subject: 'some-product',
        name: 'some-product',
        claims: { iss: world.provider.issuer, aud: audience, client_id: 'some-product' },
      })
    },
  )

  test.each([
    ['names one of several audiences', { aud: ['account', audience] }, {}],
    ['is of type application/at+jwt', {}, { typ: 'application/at+jwt' }],
    ['says Bearer under a header of JWT, as Keycloak does', { typ: 'Bearer' }, { typ: 'JWT' }],
    ['says Bearer under a header without a type', { typ: 'Bearer' }, { typ: undefined }],
    ['says both', { typ: 'Bearer' }, { typ: 'AT+JWT' }],
    ['ended 29 seconds ago', { exp: now - 29 }, {}],
    ['starts in 30 seconds', { nbf: now + 30, iat: now + 30 }, {}],
    ['has fractions of seconds', { exp: now + 0.5, iat: now - 0.5 }, {}],
  ])('that %s is accepted', async (_what, changes, header) => {
    expect(await verify(await signed(world.rsa, claimsFor(world, changes), header))).toMatchObject({ subject: 'alice' })
  })

  test.each([
    [{ name: 'Alice Able', preferred_username: 'alice@acme' }, 'Alice Able'],
    [{ preferred_username: 'alice@acme' }, 'alice@acme'],
    [{ azp: 'console' }, 'console'],
    [{ name: 'two\nlines', azp: 'console' }, 'console'],
    [{ name: '\ud800', azp: 'x'.repeat(256) }, 'alice'],
    [{ name: ['a'], azp: '' }, 'alice'],
  ])('with %j is called %s', async (changes, name) => {
    expect(await verify(await signed(world.rsa, claimsFor(world, changes)))).toMatchObject({ name })
  })
})

describe('a bad token', () => {
  test.each(table)('that $name is refused with $code', async (bad) => {
    const { code, detail } = await refusalOf(async () => verify(await bad.jwt()))
    expect({ code, detail }).toEqual({ code: bad.code, detail: bad.detail })
  })

  test('leaves no trace in its error: not in the detail, the cause or the stack', async () => {
    for (const { jwt } of table) {
      const text = await jwt()
      const trace = inspect(await refusalOf(() => verify(text)), { depth: Infinity, showHidden: true })
      expect(trace).not.toContain(mark)
      for (const piece of text.split('.')) if (piece.length > 8) expect(trace).not.toContain(piece.slice(0, 64))
    }
  })

  test('makes nobody fetch a key from where it says', () => {
    expect(world.provider.requests.filter((path) => path.includes('evil'))).toEqual([])
  })
})
