import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../merge-patch.ts'
import { compileConfigSchema, configViolations } from './config-schema.ts'

const schema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['region'],
  properties: {
    region: { type: 'string', enum: ['eu', 'us'] },
    'a/b': { type: 'object', properties: { '~': { type: 'integer', minimum: 1 } } },
    hosts: { type: 'array', items: { type: 'string', format: 'hostname' } },
  },
}

describe('configViolations', () => {
  it('finds nothing wrong with what fits, nor with anything where there is no schema', () => {
    expect(configViolations(schema, { region: 'eu', hosts: ['a.example'] })).toEqual([])
    expect(configViolations(undefined, { anything: [1] })).toEqual([])
  })

  it.each<[string, JsonObject, string, string]>([
    ['a value that is not in the list', { region: 'mars' }, '/config/region', 'enum'],
    ['what is missing', {}, '/config/region', 'required'],
    ['what is not known', { region: 'eu', regoin: 'eu' }, '/config/regoin', 'unknown'],
    ['what is deep inside, its names escaped', { region: 'eu', 'a/b': { '~': 0 } }, '/config/a~1b/~0', 'minimum'],
    ['an element of a list', { region: 'eu', hosts: ['a.example', '-'] }, '/config/hosts/1', 'format'],
    ['an unknown name with a slash', { region: 'eu', 'x/y~': 1 }, '/config/x~1y~0', 'unknown'],
  ])('points at %s', (_, config, pointer, code) => {
    expect(configViolations(schema, config)).toEqual([{ pointer, code, message: expect.any(String) }])
  })

  it('tells everything that is wrong at once, but no more than fifty things', () => {
    expect(
      configViolations(schema, { hosts: ['-'], x: 1 })
        .map(({ pointer }) => pointer)
        .sort(),
    ).toEqual(['/config/hosts/0', '/config/region', '/config/x'])
    expect(configViolations(schema, { region: 'eu', hosts: Array<number>(1000).fill(1) })).toHaveLength(50)
  })

  it('never tells the value, and cuts long names', () => {
    const violations = configViolations(schema, { region: 'hunter2-secret', ['n'.repeat(5000)]: 'hunter2-secret' })
    expect(JSON.stringify(violations)).not.toContain('hunter2')
    expect(Math.max(...violations.map(({ pointer }) => pointer.length))).toBeLessThan(200)
  })
})

describe('compileConfigSchema', () => {
  it.each<[string, JsonObject, RegExp]>([
    ['a keyword that nobody knows', { typ: 'object' }, /unknown keyword: "typ"/],
    ['a keyword that makes no sense for the type', { type: 'string', properties: {} }, /strict mode/],
    ['a schema that is none', { type: 'objekt' }, /schema is invalid/],
    ['a format that would check nothing', { type: 'string', format: 'postcode' }, /unknown format "postcode"/],
    ['a pattern that is none', { type: 'string', pattern: '(' }, /(regular expression|pattern)/i],
    ['a reference to elsewhere', { $ref: 'https://example.com/schema.json' }, /^\/\$ref: must begin with #/],
    [
      'one deep inside',
      { properties: { a: { items: { $ref: 'file:///etc/passwd' } } } },
      /^\/properties\/a\/items\/\$ref: /,
    ],
    ['one to another file', { anyOf: [{ type: 'object' }, { $ref: 'other.json#/a' }] }, /^\/anyOf\/1\/\$ref: /],
    [
      'a reference to nothing',
      { type: 'object', properties: { a: { $ref: '#/$defs/nothing' } } },
      /can't resolve reference/,
    ],
    ['a name for a part of it', { $defs: { a: { $id: 'a' } } }, /^\/\$defs\/a\/\$id: /],
    ['a reference that is found at run time', { $dynamicRef: '#a' }, /^\/\$dynamicRef: /],
  ])('refuses %s, saying where', (_, schema, message) => {
    expect(() => compileConfigSchema(schema)).toThrow(message)
  })

  it('takes references to its own parts, and names of fields that look like keywords', () => {
    const schema: JsonObject = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: 'https://example.com/one',
      type: 'object',
      properties: { $ref: { $ref: '#/$defs/short' }, $id: { $ref: '#/$defs/short' } },
      $defs: { short: { type: 'string', maxLength: 3 } },
    }
    compileConfigSchema(schema)
    compileConfigSchema(structuredClone(schema))
    expect(configViolations(schema, { $ref: 'long' }).map(({ pointer }) => pointer)).toEqual(['/config/$ref'])
  })
})
