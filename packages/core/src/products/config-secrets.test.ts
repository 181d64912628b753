import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../merge-patch.ts'
import { withoutSecrets } from './config-secrets.ts'

const secret = { type: 'string', writeOnly: true }
const shown = (properties: JsonObject, config: JsonObject, other?: JsonObject) =>
  withoutSecrets(config, { type: 'object', properties, $defs: { secret } }, other)

describe('withoutSecrets', () => {
  it.each<[string, JsonObject, JsonObject]>([
    ['a field', { s: secret }, { s: 'x' }],
    ['a field of another type than it should be', { s: secret }, { s: { deep: ['x'] } }],
    ['a whole object', { s: { type: 'object', writeOnly: true } }, { s: { a: 'x' } }],
    ['by a reference', { s: { $ref: '#/$defs/secret' } }, { s: 'x' }],
    ['in a branch that is taken or not', { s: { anyOf: [{ type: 'number' }, secret] } }, { s: 'x' }],
    ['behind a condition', { s: { if: { minLength: 9 }, else: { $ref: '#/$defs/secret' } } }, { s: 'x' }],
    ['by a pattern of its name', { s: { patternProperties: { _key$: secret } } }, { s: { api_key: 'x' } }],
    ['among further fields', { s: { properties: { a: {} }, additionalProperties: secret } }, { s: { b: 'x' } }],
    ['in a list', { s: { type: 'array', items: { properties: { t: secret } } } }, { s: [{ t: 'x' }] }],
    ['at a place in a list', { s: { prefixItems: [{}, secret] } }, { s: ['open', 'x'] }],
  ])('hides %s', (_, properties, config) => {
    const text = JSON.stringify(shown(properties, config))
    expect(text).toContain('[redacted]')
    expect(text).not.toContain('"x"')
  })

  it('shows everything else as it is', () => {
    const config = { region: 'eu', nested: { list: [1, { a: null }] }, 'no such field': 'x' }
    expect(shown({ region: { type: 'string' }, s: secret }, config)).toEqual(config)
    expect(shown({ s: { properties: { a: {} }, additionalProperties: secret } }, { s: { a: 'x' } })).toEqual({
      s: { a: 'x' },
    })
  })

  it('says whether a secret is another one, and not which', () => {
    expect(shown({ s: secret }, { s: 'new' }, { s: 'old' })).toEqual({ s: '[redacted, changed]' })
    expect(shown({ s: secret }, { s: 'same' }, { s: 'same' })).toEqual({ s: '[redacted]' })
    expect(shown({ s: secret }, { s: 'first' }, {})).toEqual({ s: '[redacted]' })
  })

  it('ends where a schema refers to itself', () => {
    const schema: JsonObject = { $ref: '#', properties: { child: { $ref: '#' }, s: secret } }
    expect(withoutSecrets({ child: { child: { s: 'x' } } }, schema)).toEqual({ child: { child: { s: '[redacted]' } } })
  })

  it('shows nothing where nobody knows what is secret', () => {
    expect(withoutSecrets({ a: 1 }, undefined)).toBe('[redacted]')
    expect(withoutSecrets({ a: 1 }, undefined, { a: 2 })).toBe('[redacted, changed]')
  })
})
