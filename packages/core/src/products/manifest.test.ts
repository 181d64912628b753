import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCatalogue, loadCatalogue } from './catalogue.ts'
import { parseManifest } from './manifest.ts'

const good = `
key: certifai
name: CertifAI
status: active
owner: team
supports_projects: true
plans:
  professional: { limits: { projects: 3 } }
`

describe('parseManifest', () => {
  it('reads a manifest', () => {
    expect(parseManifest(good, 'certifai.yaml')).toEqual({
      key: 'certifai',
      name: 'CertifAI',
      status: 'active',
      owner: 'team',
      supports_projects: true,
      plans: { professional: { limits: { projects: 3 } } },
    })
  })

  it.each([
    ['not YAML', '{ key: ', /certifai\.yaml: .*line/],
    ['two keys of one name', `${good}key: other\n`, /certifai\.yaml: .*unique/],
    ['an unknown field', `${good}colour: blue\n`, /certifai\.yaml: the document: .*colour/],
    ['a missing field', good.replace('owner: team\n', ''), /certifai\.yaml: owner: /],
    [
      'a wrong type deep inside',
      good.replace('projects: 3', 'projects: many'),
      /certifai\.yaml: plans\.professional\.limits\.projects: /,
    ],
    ['a key that is no key', good.replace('key: certifai', 'key: Certif_AI'), /certifai\.yaml: key: /],
    ["the registry's own key", good.replace('key: certifai', 'key: tenant-registry'), /certifai\.yaml: key: /],
    ['an alias, which could be a bomb', 'a: &a [1]\nb: *a\n', /certifai\.yaml: .*alias/i],
    ['an unknown tag', `${good}client_id: !!js/function x\n`, /certifai\.yaml: .*tag/i],
    ['nothing', '', /certifai\.yaml: the document: /],
    ['a list', '- a\n', /certifai\.yaml: the document: /],
    ['two documents', `${good}---\n${good}`, /certifai\.yaml: .*document/i],
  ])('refuses %s, naming the file and the place', (_, source, message) => {
    expect(() => parseManifest(source, 'certifai.yaml')).toThrow(message)
  })
})

describe('the configuration in a manifest', () => {
  const schema = `config_schema:
  type: object
  required: [region, url]
  additionalProperties: false
  properties: { region: { type: string, enum: [eu, us] }, url: { type: string } }
`
  it('may leave to a tenant what only a tenant can say', () => {
    expect(() => parseManifest(`${good}${schema}default_config: { region: eu }\n`, 'certifai.yaml')).not.toThrow()
    expect(() => parseManifest(`${good}${schema}`, 'certifai.yaml')).not.toThrow()
  })

  it.each([
    ['one of two fields', '{ anyOf: [{ required: [key] }, { required: [file] }] }'],
    ['exactly one of two fields', '{ oneOf: [{ required: [key] }, { required: [file] }] }'],
    [
      'a field that another one asks for',
      '{ if: { properties: { mode: { const: strict } } }, then: { required: [key] } }',
    ],
  ])('may leave %s to a tenant', (_, rule) => {
    const fields = 'properties: { key: { type: string }, file: { type: string }, mode: { type: string } }'
    const source = (mode: string) =>
      `${good}config_schema:\n  type: object\n  ${fields}\n  allOf: [${rule}]\ndefault_config: { mode: ${mode} }\n`
    expect(() => parseManifest(source('strict'), 'certifai.yaml')).not.toThrow()
    expect(() => parseManifest(source('7'), 'certifai.yaml')).toThrow('default_config: /mode must be string')
  })

  it('may leave a choice to a tenant whose branches stand elsewhere', () => {
    const branch = (mode: string, name: string) =>
      `{ type: object, required: [${name}], properties: { mode: { const: ${mode} }, ${name}: { type: string } } }`
    const source = `${good}config_schema:
  type: object
  properties: { mode: { type: string }, x: { type: string }, y: { type: string } }
  anyOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/b' }]
  $defs: { a: ${branch('a', 'x')}, b: ${branch('b', 'y')} }
default_config: { mode: a }
`
    expect(() => parseManifest(source, 'certifai.yaml')).not.toThrow()
  })

  it('cannot leave to a tenant what is wrong elsewhere, only because it is described elsewhere', () => {
    const source = (region: string) => `${good}config_schema:
  type: object
  properties: { region: { $ref: '#/$defs/region' }, x: { type: string }, y: { type: string } }
  anyOf: [{ required: [x] }, { required: [y] }]
  $defs: { region: { type: string, enum: [eu, us] } }
default_config: { region: ${region} }
`
    expect(() => parseManifest(source('eu'), 'certifai.yaml')).not.toThrow()
    expect(() => parseManifest(source('mars'), 'certifai.yaml')).toThrow('default_config: /region must be one of')
  })

  it('cannot leave to a tenant what is wrong beside a choice that is open', () => {
    const source = (list: string) => `${good}config_schema:
  type: object
  properties:
    list:
      type: array
      items:
        type: object
        properties: { mode: { type: string }, x: { type: string } }
        anyOf:
          - { required: [x], properties: { mode: { const: a }, x: { type: string } } }
          - { required: [x], properties: { mode: { const: b }, x: { type: string } } }
default_config: { list: ${list} }
`
    expect(() => parseManifest(source('[{ mode: a }]'), 'certifai.yaml')).not.toThrow()
    expect(() => parseManifest(source('[{ mode: a }, { mode: c, x: z }]'), 'certifai.yaml')).toThrow(
      'default_config: /list/1/mode must be equal to constant',
    )
  })

  it('cannot leave to a tenant a choice that no tenant could make good', () => {
    const choice = '{ anyOf: [{ properties: { mode: { const: a } } }, { properties: { mode: { const: b } } }] }'
    const source = `${good}config_schema:\n  type: object\n  properties: { mode: { type: string } }\n  allOf: [${choice}]\n`
    expect(() => parseManifest(`${source}default_config: { mode: c }\n`, 'certifai.yaml')).toThrow(
      'default_config: /mode must be equal to constant',
    )
  })

  it.each([
    ['a schema that is none', `${good}config_schema: { type: objekt }\n`, /certifai\.yaml: config_schema: .*type/],
    [
      'a schema that refers to elsewhere',
      `${good}config_schema: { properties: { a: { $ref: 'https://example.com/a' } } }\n`,
      /certifai\.yaml: config_schema: \/properties\/a\/\$ref: must begin with #/,
    ],
    [
      'a default that does not fit',
      `${good}${schema}default_config: { region: mars }\n`,
      /certifai\.yaml: default_config: \/region must be one of/,
    ],
    [
      'a plan that does not fit over the default',
      `${good.replace('{ limits:', '{ config: { regoin: us }, limits:')}${schema}default_config: { region: eu }\n`,
      /certifai\.yaml: plans\.professional\.config: \/regoin there is no such field/,
    ],
  ])('cannot have %s, and the error names the file and the place', (_, source, message) => {
    expect(() => parseManifest(source, 'certifai.yaml')).toThrow(message)
  })
})

describe('createCatalogue', () => {
  it('refuses products that need each other before either can be there', () => {
    const one = { ...parseManifest(good, 'a.yaml'), requires: ['two'] }
    const two = { ...one, key: 'two', requires: ['three'] }
    const three = { ...one, key: 'three', requires: ['certifai'] }
    expect(() => createCatalogue([one, two, three])).toThrow(
      'certifai: requires itself, by way of two, three, certifai',
    )
  })

  it('refuses two manifests with one key, and one that requires what is not there', () => {
    const manifest = parseManifest(good, 'a.yaml')
    expect(() => createCatalogue([manifest, manifest])).toThrow('certifai: two manifests have this key')
    expect(() => createCatalogue([{ ...manifest, requires: ['other'] }])).toThrow(
      'certifai: requires other, which has no manifest',
    )
  })

  it("refuses a scope that is another product's, or the registry's own", () => {
    const one = { ...parseManifest(good, 'a.yaml'), scopes: ['reports:read'] }
    const two = { ...one, key: 'two' }
    expect(() => createCatalogue([one, two])).toThrow('two: the scope reports:read is that of certifai')
    expect(() => createCatalogue([{ ...one, scopes: ['projects:read'] }])).toThrow(
      'certifai: the scope projects:read is that of tenant-registry',
    )
  })

  it('knows the plans of all products', () => {
    const one = parseManifest(good, 'a.yaml')
    const two = { ...one, key: 'two', plans: { starter: {} } }
    expect([...createCatalogue([one, two]).plans].sort()).toEqual(['professional', 'starter'])
  })
})

describe('loadCatalogue', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'manifests-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true })
  })

  it('reads the yaml files of a folder and nothing else', async () => {
    await writeFile(join(folder, 'certifai.yaml'), good)
    await writeFile(join(folder, 'README.md'), 'not a manifest')
    expect([...(await loadCatalogue(folder)).keys]).toEqual(['certifai'])
  })

  it('refuses a folder that is not there or holds none, naming it', async () => {
    await expect(loadCatalogue(join(folder, 'nowhere'))).rejects.toThrow(`${join(folder, 'nowhere')}: cannot be read`)
    await expect(loadCatalogue(folder)).rejects.toThrow(`${folder}: holds no manifest`)
  })

  it('refuses a file whose name is not its key', async () => {
    await writeFile(join(folder, 'other.yaml'), good)
    await expect(loadCatalogue(folder)).rejects.toThrow(/other\.yaml: key: must be the name of the file/)
  })
})
