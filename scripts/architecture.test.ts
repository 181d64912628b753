import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')

/** The sources of a workspace, without its tests, what is generated, and block comments. */
function sources(folder: string): { file: string; text: string }[] {
  return globSync(`${folder}/src/**/*.ts`, { cwd: root })
    .filter((file) => !/\.(test|gen)\.ts$/.test(file))
    .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8').replaceAll(/^\s*\/?\*.*$/gm, '') }))
}

/** The packages that a workspace imports. */
function imports(folder: string): Set<string> {
  const names = sources(folder).flatMap(({ text }) =>
    [...text.matchAll(/(?:from |import\()'([^'.][^']*)'/g)].map(([, name = '']) => name),
  )
  return new Set(
    names
      .filter((name) => !name.startsWith('node:'))
      .map((name) =>
        name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/'),
      ),
  )
}

const filesWith = (folder: string, pattern: RegExp) =>
  sources(folder)
    .filter(({ text }) => pattern.test(text))
    .map(({ file }) => file)
    .sort()

describe('who knows whom', () => {
  it.each([
    [
      'packages/core',
      [
        '@node-rs/argon2',
        'ajv',
        'kysely',
        'papaparse',
        'pg',
        'piscina',
        'rate-limiter-flexible',
        'uuid',
        'uuidv7',
        'yaml',
        'zod',
      ],
    ],
    ['packages/migrations', ['pg', 'umzug']],
    [
      'packages/http',
      [
        '@breakpilot/tenant-core',
        'cors',
        'express',
        'graphql',
        'helmet',
        'jose',
        'openapi3-ts',
        'rate-limiter-flexible',
        'zod',
      ],
    ],
    ['packages/client', []],
    // Core for what it does with the log, loaded for these commands alone: a migration needs none of it.
    ['apps/migrate', ['@breakpilot/tenant-core', '@breakpilot/tenant-migrations', 'commander']],
    [
      'apps/server',
      [
        '@breakpilot/tenant-core',
        '@breakpilot/tenant-http',
        '@breakpilot/tenant-migrations',
        'pino',
        'prom-client',
        'zod',
      ],
    ],
  ])('%s imports nothing but %j', (folder, allowed) => {
    expect([...imports(folder)].sort()).toEqual(allowed)
  })

  it('core knows no HTTP', () => {
    expect(filesWith('packages/core', /node:https?'/)).toEqual([])
  })

  it('the client runs where there is no Node.js', () => {
    expect(filesWith('packages/client', /from 'node:|\bprocess\.|\bBuffer\b/)).toEqual([])
  })
})

describe('one door for each thing', () => {
  it('only the append path inserts into the log and moves the heads of its streams', () => {
    expect(
      filesWith(
        'packages/core',
        /insert\s+into\s+(audit_log|registry\.audit_streams)|insertInto\(\s*'(audit_log|registry\.audit_streams)/i,
      ),
    ).toEqual(['packages/core/src/audit/audit.repository.ts'])
  })

  it('only audited() makes a transaction that owes an event, only housekeeping() and pipelined() one that owes none', () => {
    // The second only appends what the verbs in it owe.
    expect(filesWith('packages/core', /as unknown as AuditedTx/)).toEqual([
      'packages/core/src/audit/audited.ts',
      'packages/core/src/audit/one-transaction.ts',
    ])
    expect(filesWith('packages/core', /as unknown as HousekeepingTx/)).toEqual([
      'packages/core/src/db/housekeeping.ts',
      'packages/core/src/db/pipelined.ts',
    ])
    expect(filesWith('packages/core', /\.transaction\(\)/)).toEqual([
      'packages/core/src/audit/audited.ts',
      'packages/core/src/audit/one-transaction.ts',
      'packages/core/src/db/housekeeping.ts',
    ])
  })

  it('handles are opened by the append path, the prepared reads and locks alone', () => {
    expect(filesWith('packages/core', /\bunwrap\(/)).toEqual([
      'packages/core/src/audit/audit.repository.ts',
      'packages/core/src/audit/dedup.repository.ts',
      'packages/core/src/audit/entity.repository.ts',
      'packages/core/src/audit/retraced/event-page.repository.ts',
      'packages/core/src/db/handles.ts',
      'packages/core/src/db/pipelined.ts',
      'packages/core/src/db/prepared.ts',
      'packages/core/src/idempotency/idempotency.repository.ts',
      'packages/core/src/tenants/purge.repository.ts',
    ])
  })

  it('a table of the six is named by the repositories of its resource alone', () => {
    const named = (table: string) =>
      filesWith('packages/core', new RegExp(`(selectFrom|insertInto|updateTable|deleteFrom)\\(\\s*'${table}'`))
    // They read what is known of a tenant, and write nothing of it.
    const across = [
      'packages/core/src/entitlements/entitlement.repository.ts',
      'packages/core/src/api-keys/key-state.repository.ts',
      'packages/core/src/audit/event-export.repository.ts',
      'packages/core/src/audit/expiry.repository.ts',
      'packages/core/src/audit/log-stream.repository.ts',
    ]
    const writesThem = /(?:insertInto|updateTable|deleteFrom)\(\s*'tenant/
    for (const file of across) expect(filesWith('packages/core', writesThem)).not.toContain(file)
    const folders = { tenants: 'tenants', tenant_products: 'products', tenant_projects: 'projects' }
    for (const [table, folder] of Object.entries(folders)) {
      const repository = new RegExp(`^packages/core/src/${folder}/[a-z-]+\\.repository\\.ts$`)
      expect(named(table)).not.toEqual([])
      expect(named(table).filter((file) => !across.includes(file) && !repository.test(file))).toEqual([])
    }
  })
})
