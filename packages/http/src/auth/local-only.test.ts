import { describe, expect, test } from 'vitest'
import { refusalOf } from '../../test/refusal-of.ts'
import { assertLocal } from './local-only.ts'

const local = { socket: { remoteAddress: '127.0.0.1' }, rawHeaders: ['Host', 'localhost:8090', 'Accept', '*/*'] }

async function refusedBecause(request: Parameters<typeof assertLocal>[0]): Promise<string> {
  const { code, kind, detail } = await refusalOf(() => assertLocal(request))
  expect({ code, kind }).toEqual({ code: 'auth.request_not_local', kind: 'forbidden' })
  return (detail ?? '').replace('Authentication is off, so only requests made on this machine are answered. ', '')
}

describe('the peer', () => {
  test.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1', '::ffff:127.1.2.3'])(
    '%s may ask',
    (remoteAddress) => {
      expect(() => assertLocal({ ...local, socket: { remoteAddress } })).not.toThrow()
    },
  )

  test.each([
    undefined,
    '',
    '10.0.0.1',
    '0.0.0.0',
    '::',
    '::2',
    '::ffff:10.0.0.1',
    '::127.0.0.1',
    '172.127.0.1',
    'fe80::1',
  ])('%s may not', async (remoteAddress) => {
    expect(await refusedBecause({ ...local, socket: { remoteAddress } })).toBe('This one came over the network.')
  })
})

describe('the Host header', () => {
  test.each(['localhost', 'LocalHost:8090', '127.0.0.1', '127.0.0.1:1', '[::1]', '[::1]:65535'])(
    'may be %s',
    (host) => {
      expect(() => assertLocal({ ...local, rawHeaders: ['host', host] })).not.toThrow()
    },
  )

  test.each([
    '',
    'evil.example',
    'localhost.evil.example',
    'evil.example:8090',
    'localhost:',
    'localhost:80:80',
    'localhost.',
    '127.0.0.2',
    '0.0.0.0',
    '10.0.0.1',
    '::1',
    '[::ffff:127.0.0.1]',
    'user@localhost',
    'localhost/evil',
    ' localhost',
    'localhost\n',
    'evil.example\nlocalhost',
  ])('may not be %j', async (host) => {
    expect(await refusedBecause({ ...local, rawHeaders: ['Host', host] })).toBe(
      'The Host header has to be localhost, 127.0.0.1 or [::1].',
    )
  })

  test('has to be there, once', async () => {
    const twice = ['Host', 'localhost', 'HOST', 'localhost']
    expect(await refusedBecause({ ...local, rawHeaders: [] })).toBe('It needs one Host header.')
    expect(await refusedBecause({ ...local, rawHeaders: twice })).toBe('It needs one Host header.')
    expect(await refusedBecause({ ...local, rawHeaders: [...twice.slice(0, 3), 'evil.example'] })).toBe(
      'The Host header has to be localhost, 127.0.0.1 or [::1].',
    )
  })
})

describe('what a proxy adds', () => {
  test.each([
    'Forwarded',
    'VIA',
    'via',
    'X-Real-IP',
    'x-real-ip',
    'X-Forwarded-For',
    'x-forwarded-host',
    'X-FORWARDED-PROTO',
    'X-Forwarded-Port',
    'X-Forwarded-Prefix',
    'X-Forwarded-Client-Cert',
    'X-Forwarded',
    'X-Forwarded-Anything',
  ])('%s gives it away, whatever it says and wherever it stands', async (name) => {
    for (const value of ['', '127.0.0.1']) {
      const header = [name, value]
      expect(await refusedBecause({ ...local, rawHeaders: [...local.rawHeaders, ...header] })).toBe(
        'This one came through a proxy.',
      )
      expect(await refusedBecause({ ...local, rawHeaders: [...header, ...local.rawHeaders] })).toBe(
        'This one came through a proxy.',
      )
    }
  })

  test.each(['Accept', 'X-Request-Id', 'traceparent', 'X-Forward', 'Forwarded-For', 'X-Real-IPs'])(
    '%s is no sign',
    (name) => {
      expect(() => assertLocal({ ...local, rawHeaders: [...local.rawHeaders, name, '1'] })).not.toThrow()
    },
  )
})

describe('the browser', () => {
  test.each(['none', 'same-origin', 'same-site'])('may send Sec-Fetch-Site: %s', (value) => {
    expect(() => assertLocal({ ...local, rawHeaders: [...local.rawHeaders, 'Sec-Fetch-Site', value] })).not.toThrow()
  })

  test.each(['cross-site', 'Cross-Site', 'same-origin, cross-site'])('may not send %s', async (value) => {
    expect(await refusedBecause({ ...local, rawHeaders: [...local.rawHeaders, 'sec-fetch-site', value] })).toBe(
      'This one was made by a page of another site.',
    )
  })
})
