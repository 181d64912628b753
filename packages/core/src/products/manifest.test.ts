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

describe('createCatalogue', () => {
  it('refuses two manifests with one key, and one that requires what is not there', () => {
    const manifest = parseManifest(good, 'a.yaml')
    expect(() => createCatalogue([manifest, manifest])).toThrow('certifai: two manifests have this key')
    expect(() => createCatalogue([{ ...manifest, requires: ['other'] }])).toThrow(
      'certifai: requires other, which has no manifest',
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
