import { networkInterfaces } from 'node:os'
import { describe, expect, test } from 'vitest'
import { listenAddresses } from './listen-addresses.ts'

const ipv6 = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === '::1')

describe('with authentication', () => {
  test.each([
    [':8090', { port: 8090 }],
    ['0.0.0.0:8090', { host: '0.0.0.0', port: 8090 }],
    ['[::1]:8090', { host: '::1', port: 8090 }],
    ['[::]:80', { host: '::', port: 80 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['registry-0.internal:65535', { host: 'registry-0.internal', port: 65_535 }],
  ])('%s is listened on as it says', (addr, address) => {
    expect(listenAddresses('oidc', addr)).toEqual([address])
  })
})

describe('without authentication', () => {
  test.each([':8090', '0.0.0.0:8090', '[::]:8090', '[::1]:8090', 'localhost:8090', '10.1.2.3:8090'])(
    '%s is listened on at the loopback interface alone',
    (addr) => {
      const expected = [{ host: '127.0.0.1', port: 8090 }, ...(ipv6 ? [{ host: '::1', port: 8090 }] : [])]
      expect(listenAddresses('off', addr)).toEqual(expected)
    },
  )

  test('any free port means one socket, because two would get different ports', () => {
    expect(listenAddresses('off', 'localhost:0')).toEqual([{ host: '127.0.0.1', port: 0 }])
  })
})

test.each([
  '',
  ':',
  '8090',
  'localhost',
  'localhost:',
  ':65536',
  ':123456',
  ':-1',
  ':80a',
  ': 80',
  ':8090\n',
  '::1:8090',
  '[::1]',
  '[::1]8090',
  '[]:8090',
  '[localhost]:8090',
  '[127.0.0.1]:8090',
  '999.1.1.1:80',
  '127.1:80',
  'http://localhost:80',
  'a b:80',
  '-a:80',
  '*:80',
])('%j is refused in one line', (addr) => {
  for (const mode of ['oidc', 'off'] as const) {
    expect(() => listenAddresses(mode, addr)).toThrow(
      new Error(`ADDR has to look like ":8090", "127.0.0.1:8090" or "[::1]:8090", not ${JSON.stringify(addr)}`),
    )
  }
})
