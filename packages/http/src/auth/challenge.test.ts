import { errorTable, RegistryError, type ErrorCode } from '@breakpilot/tenant-core'
import { expect, test } from 'vitest'
import { challengeFor } from './challenge.ts'

const realm = 'Bearer realm="tenant-registry"'

test.each<[ErrorCode, string | undefined]>([
  ['auth.credentials_missing', realm],
  ['auth.scheme_unsupported', realm],
  [
    'auth.credentials_malformed',
    `${realm}, error="invalid_request", error_description="The credentials are not well-formed"`,
  ],
  ['auth.token_expired', `${realm}, error="invalid_token", error_description="The token has expired"`],
  ['auth.token_wrong_type', `${realm}, error="invalid_token", error_description="The token is not an access token"`],
  ['auth.permission_denied', undefined],
  ['auth.provider_unavailable', undefined],
  ['tenant.not_found', undefined],
])('%s is challenged with %s', (code, challenge) => {
  expect(challengeFor(new RegistryError(code))).toBe(challenge)
})

test('a detail never gets into the header', () => {
  const error = new RegistryError('auth.token_invalid', { detail: 'with "quotes" and\r\na line break' })
  expect(challengeFor(error)).toBe(`${realm}, error="invalid_token", error_description="The token is not valid"`)
})

test('every 401 has a challenge that a header can carry, and nothing else has one', () => {
  for (const code of Object.keys(errorTable) as ErrorCode[]) {
    const error = new RegistryError(code)
    const quotedString = '"[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]*"'
    const pattern = new RegExp(
      `^Bearer realm=${quotedString}(, error=${quotedString}, error_description=${quotedString})?$`,
    )
    if (error.kind === 'unauthenticated') expect(challengeFor(error)).toMatch(pattern)
    else expect(challengeFor(error)).toBeUndefined()
  }
})
