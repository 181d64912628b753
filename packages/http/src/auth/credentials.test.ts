import type { ErrorCode } from '@breakpilot/tenant-core'
import { expect, test } from 'vitest'
import { refusalOf } from '../../test/refusal-of.ts'
import { bearerToken } from './credentials.ts'

test('a request without an Authorization header has no token', () => {
  expect(bearerToken({ rawHeaders: [] })).toBeUndefined()
  expect(
    bearerToken({ rawHeaders: ['Proxy-Authorization', 'Bearer abc', 'Cookie', 'Authorization=1'] }),
  ).toBeUndefined()
})

test.each([
  ['Authorization', 'Bearer abc', 'abc'],
  ['authorization', 'bearer abc', 'abc'],
  ['AUTHORIZATION', 'BEARER abc', 'abc'],
  ['Authorization', 'Bearer   a.b-c_d~e+f/g==', 'a.b-c_d~e+f/g=='],
  ['Authorization', ` Bearer ${'x'.repeat(8185)} `, 'x'.repeat(8185)],
])('the token is found, whatever the case of name and scheme: %s: %.20s', (name, value, token) => {
  expect(bearerToken({ rawHeaders: ['Host', 'localhost', name, value, 'Accept', '*/*'] })).toBe(token)
})

test.each<[string, ErrorCode, string]>([
  ['', 'auth.credentials_malformed', 'The Authorization header is empty.'],
  ['   ', 'auth.credentials_malformed', 'The Authorization header is empty.'],
  ['Bearer', 'auth.credentials_malformed', '"Bearer" has to be followed by one token.'],
  ['Bearer ', 'auth.credentials_malformed', '"Bearer" has to be followed by one token.'],
  ['Bearer a b', 'auth.credentials_malformed', '"Bearer" has to be followed by one token.'],
  ['Bearer a, Bearer b', 'auth.credentials_malformed', '"Bearer" has to be followed by one token.'],
  ['Bearer tök', 'auth.credentials_malformed', '"Bearer" has to be followed by one token.'],
  ['Bearer "abc"', 'auth.credentials_malformed', '"Bearer" has to be followed by one token.'],
  ['Bearer =', 'auth.credentials_malformed', '"Bearer" has to be followed by one token.'],
  ['Basic YTpi', 'auth.scheme_unsupported', 'Send "Authorization: Bearer <access token>".'],
  ['DPoP abc', 'auth.scheme_unsupported', 'Send "Authorization: Bearer <access token>".'],
  ['Bearer\tabc', 'auth.scheme_unsupported', 'Send "Authorization: Bearer <access token>".'],
  ['a-secret-without-scheme', 'auth.scheme_unsupported', 'Send "Authorization: Bearer <access token>".'],
  [`Bearer ${'x'.repeat(8186)}`, 'auth.credentials_malformed', 'The Authorization header is longer than 8192 bytes.'],
])('credentials are refused without being repeated: %.30j', async (value, code, detail) => {
  expect(await refusalOf(() => bearerToken({ rawHeaders: ['Authorization', value] }))).toMatchObject({ code, detail })
})

test('several Authorization headers are refused, even if they are the same', async () => {
  const rawHeaders = ['Authorization', 'Bearer abc', 'Host', 'localhost', 'authorization', 'Bearer abc']
  expect(await refusalOf(() => bearerToken({ rawHeaders }))).toMatchObject({
    code: 'auth.credentials_malformed',
    detail: 'There is more than one Authorization header.',
  })
})
