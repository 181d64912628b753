/**
 * `pnpm generate`: remakes every generated file that is committed, in the order in which they depend on each other.
 * With `--check` it changes nothing and fails when one of them is not what it would make.
 */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { exit } from 'node:process'
import { createMigrator } from '@breakpilot/tenant-migrations'
import { Client } from 'pg'
import { embeddedBackEnd } from '../test/postgres/embedded-back-end.ts'

const root = resolve(import.meta.dirname, '..')
const check = process.argv.includes('--check')
const script = (path: string) => [
  process.execPath,
  '--conditions=@breakpilot/source',
  path,
  ...(check ? ['--check'] : []),
]

// From the SQL files: the module that carries them. Everything that is made of a database needs it.
await run(script('packages/migrations/scripts/embed.ts'))

const postgres = await embeddedBackEnd('for generated files')
try {
  const empty = await databaseNamed('generate_empty')
  await run(script('packages/migrations/scripts/baseline.ts'), { DATABASE_URL: empty })
  const migrated = await databaseNamed('generate_migrated')
  await createMigrator({ connectionString: migrated }).up()
  await run(script('packages/migrations/scripts/schema.ts'), { DATABASE_URL: migrated })
  await run([
    resolve(root, 'node_modules/.bin/kysely-codegen'),
    '--config-file',
    'packages/core/kysely-codegen.json',
    '--out-file',
    'packages/core/src/db/types.gen.ts',
    '--url',
    migrated,
    ...(check ? ['--verify'] : []),
  ])
} finally {
  await postgres.stop()
}

await run(script('packages/http/scripts/openapi.ts'))
await run(script('packages/client/scripts/generate.ts'))

async function databaseNamed(name: string): Promise<string> {
  const admin = new Client({ connectionString: postgres.adminUrl })
  await admin.connect()
  await admin.query(`create database ${name} template template0 encoding 'UTF8'`)
  await admin.end()
  const url = new URL(postgres.adminUrl)
  url.pathname = `/${name}`
  return url.href
}

/** Runs a generator; its failure is ours, and it has said why. */
async function run([program = '', ...words]: string[], env: Record<string, string> = {}): Promise<void> {
  const child = spawn(program, words, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const code = await new Promise<number>((done, fail) => {
    child.once('error', fail)
    child.once('close', (status) => done(status ?? 1))
  })
  if (code === 0) return
  console.error(
    `generate: ${words.find((word) => word.endsWith('.ts')) ?? program} ${check ? 'differs: run pnpm generate' : 'failed'}`,
  )
  await postgres.stop().catch(() => undefined)
  exit(1)
}
