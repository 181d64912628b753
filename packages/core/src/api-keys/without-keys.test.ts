import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newKeyringText, parseKeyring } from '../secrets/keyring.ts'
import { mintToken, withoutKeys } from './token.ts'

const keyring = parseKeyring(newKeyringText())
const aKey = () => mintToken(keyring, 'live')

describe('a text without keys', () => {
  it('has the public parts of the keys that were in it, and everything else', () => {
    const other = fc
      .string({ unit: 'grapheme' })
      .filter((text) => !/[\w%]/.test(text.slice(0, 1)) && !text.includes('bpk_'))
    fc.assert(
      fc.property(other, fc.string(), (after, before) => {
        const { text, prefix } = aKey()
        const rest = before.replaceAll('bpk_', '')
        expect(withoutKeys(`${rest}${text}${after}`)).toBe(`${rest}${prefix}_…${after}`)
      }),
    )
    for (const text of ['', 'nothing', 'bpk_live_', aKey().prefix, `/v1/api-keys?prefix=${aKey().prefix}`]) {
      expect(withoutKeys(text)).toBe(text)
    }
  })

  it.each<[string, (key: string, other: string) => string]>([
    ['one that was cut short', (key) => key.slice(0, 60)],
    ['one that goes on', (key) => `${key}x`],
    ['two beside each other', (key, other) => `${key},${other}`],
    ['one in a path', (key) => `/v1/tenants/${key}/api-keys`],
  ])('has nothing of a secret: %s', (_, spell) => {
    const [one, other] = [aKey(), aKey()]
    const text = withoutKeys(spell(one.text, other.text))
    for (const { secret } of [one, other]) expect(text).not.toContain(secret.slice(22, 50))
  })

  it.each<[string, (key: string, other: string) => string]>([
    ['two in one', (key, other) => key + other],
    ['one as it stands in an address that was encoded with zeal', (key) => `/v1/${key.replaceAll('_', '%5F')}`],
    ['one of which a part was encoded', (key) => `/v1/${key.replace('_', '%5f')}`],
  ])('has nothing of a secret: %s', (_, spell) => {
    const [one, other] = [aKey(), aKey()]
    const text = withoutKeys(spell(one.text, other.text))
    for (const { secret } of [one, other]) expect(text).not.toContain(secret.slice(22, 50))
  })
})
