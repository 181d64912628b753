import { createHmac, hkdfSync } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { Keyring, newKeyringText, parseKeyring, purposes, type Sealed } from './keyring.ts'

const one = Buffer.alloc(32, 1)
const two = Buffer.alloc(32, 2)
const base64 = (key: Buffer) => key.toString('base64')
const ring = new Keyring(
  'k2',
  new Map([
    ['k1', one],
    ['k2', two],
  ]),
)
const text = Buffer.from('a secret that is to come back')

describe('a keyring', () => {
  it('derives a key for each purpose and each of its keys, no two alike, the same every time', () => {
    const keys = ['k1', 'k2'].flatMap((kid) => purposes.map((purpose) => base64(ring.key(purpose, kid).export())))
    expect(new Set(keys).size).toBe(2 * purposes.length)
    expect(ring.key('idempotency')).toBe(ring.key('idempotency', 'k2'))
  })

  it('derives by HKDF-SHA-256, as other implementations do', () => {
    // Python: HKDF(SHA256(), 32, salt=None, info=b'tenant-registry api-key-mac').derive(b'\x01' * 32)
    expect(ring.key('api-key-mac', 'k1').export().toString('hex')).toBe(
      '7a14fc7734012883c8ecc89b56021a3be49b8980b7c4e691863d5116f87c07bd',
    )
    expect(ring.mac('idempotency', text, 'k1')).toEqual(
      createHmac('sha256', Buffer.from(hkdfSync('sha256', one, '', 'tenant-registry idempotency', 32)))
        .update(text)
        .digest(),
    )
  })

  it('names its keys, the current one first, and knows no other', () => {
    expect(ring.kids).toEqual(['k2', 'k1'])
    expect(() => ring.key('idempotency', 'k3')).toThrow('the keyring has no key k3')
  })

  it('tells two keys of one name apart by their check values', () => {
    expect(ring.checkValue('k1')).toMatch(/^[0-9a-f]{16}$/)
    expect(ring.checkValue('k1')).toBe(new Keyring('k1', new Map([['k1', one]])).checkValue())
    expect(ring.checkValue('k1')).not.toBe(new Keyring('k1', new Map([['k1', two]])).checkValue())
  })

  it('is never printed', () => {
    const printed = [inspect({ ring }, { depth: 9, showHidden: true }), JSON.stringify({ ring })].join()
    for (const spelling of ['base64', 'hex', 'latin1'] as const) {
      for (const key of [one, two]) expect(printed).not.toContain(key.toString(spelling))
    }
    expect(printed).toContain('[keyring]')
  })
})

describe('what is sealed', () => {
  const sealed = ring.seal('idp-secret', text, { salt: 's', context: 'c' })

  it('is opened by who knows purpose, salt and context, also after another key became current', () => {
    const rotated = new Keyring(
      'k3',
      new Map([
        ['k2', two],
        ['k3', one],
      ]),
    )
    expect(rotated.open('idp-secret', sealed, { salt: 's', context: 'c' })).toEqual(text)
  })

  it('shows nothing, and differs each time', () => {
    expect(sealed.kid).toBe('k2')
    expect(sealed.bytes.includes(text)).toBe(false)
    expect(ring.seal('idp-secret', text, { salt: 's', context: 'c' }).bytes).not.toEqual(sealed.bytes)
  })

  it.each<[string, () => Buffer]>([
    ['another purpose', () => ring.open('viewer-session', sealed, { salt: 's', context: 'c' })],
    ['another salt', () => ring.open('idp-secret', sealed, { salt: 't', context: 'c' })],
    ['another context', () => ring.open('idp-secret', sealed, { salt: 's', context: 'd' })],
    ['another key', () => ring.open('idp-secret', { ...sealed, kid: 'k1' }, { salt: 's', context: 'c' })],
    ['nothing there', () => ring.open('idp-secret', { kid: 'k2', bytes: Buffer.alloc(0) })],
    ['a tag cut short', () => ring.open('idp-secret', cut(sealed), { salt: 's', context: 'c' })],
  ])('does not open with %s', (_, open) => {
    expect(open).toThrow(/^what was sealed/)
  })

  it('does not open when any of its bytes was changed', () => {
    for (let index = 0; index < sealed.bytes.length; index += 1) {
      const bytes = Buffer.from(sealed.bytes)
      bytes.writeUInt8(bytes.readUInt8(index) ^ 1, index)
      expect(() => ring.open('idp-secret', { kid: 'k2', bytes }, { salt: 's', context: 'c' })).toThrow('opened')
    }
  })
})

const cut = ({ kid, bytes }: Sealed): Sealed => ({ kid, bytes: bytes.subarray(0, -1) })

describe('parseKeyring', () => {
  it('reads what newKeyringText writes, another key each time', () => {
    const [a, b] = [parseKeyring(newKeyringText()), parseKeyring(newKeyringText())]
    expect(a.kids).toEqual(['k1'])
    expect(a.checkValue()).not.toBe(b.checkValue())
  })

  const key = base64(one)
  it.each<[unknown, string]>([
    ['hunter2', 'is not JSON'],
    [[], 'has to be an object with current and keys'],
    [{ keys: { k1: key } }, 'current: is missing or of another type'],
    [{ current: 'k1' }, 'keys: is missing or of another type'],
    [{ current: 'k2', keys: { k1: key } }, 'current: must be one of keys'],
    [{ current: '__proto__', keys: { k1: key } }, 'current: must be one of keys'],
    [{ current: key, keys: { [key]: key } }, 'current: must be 1 to 32 letters, digits, dots, dashes or underscores'],
    [
      { current: 'k1', keys: { k1: key, [key]: key } },
      'keys: a name must be 1 to 32 letters, digits, dots, dashes or underscores',
    ],
    [{ current: 'k1', keys: { k1: 'hunter2' } }, 'keys.k1: must be 32 bytes in Base64'],
    [{ current: 'k1', keys: { k1: key.slice(4) } }, 'keys.k1: must be 32 bytes in Base64'],
    [{ current: 'k1', keys: { k1: 'x'.repeat(32) } }, 'keys.k1: must be 32 bytes in Base64'],
    [{ current: 'k1', keys: { k1: 7 } }, 'keys.k1: is missing or of another type'],
    [{ current: 'k1', keys: { k1: key }, hunter2: key }, 'has to have current and keys, and nothing else'],
  ])('refuses %j, saying where and nothing of what is there', (content, message) => {
    const refused = () => parseKeyring(content === 'hunter2' ? content : JSON.stringify(content))
    expect(refused).toThrow(message)
    try {
      refused()
    } catch (error) {
      expect(inspect(error)).not.toContain('hunter2')
      expect(inspect(error)).not.toContain(key)
    }
  })
})
