/**
 * `pnpm generate`: remakes every generated file that is committed, in the order in which they depend on each other.
 * With `--check` it changes nothing and fails when one of them is not what it would make.
 */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { exit } from 'node:process'
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

try {
  await generate()
} catch (error) {
  console.error(`generate: ${error instanceof Error ? error.message : String(error)}`)
  exit(1)
}

async function generate(): Promise<void> {
  await run(script('packages/migrations/scripts/embed.ts'))
  const postgres = await embeddedBackEnd('for generated files')
  try {
    const empty = await createDatabase(postgres.adminUrl, 'generate_empty')
    await run(script('packages/migrations/scripts/baseline.ts'), { DATABASE_URL: empty })
    const migrated = await createDatabase(postgres.adminUrl, 'generate_migrated')
    // Only now: the module that carries the SQL files has just been made anew.
    const { createMigrator } = await import('@breakpilot/tenant-migrations')
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
}

async function createDatabase(adminUrl: string, name: string): Promise<string> {
  const admin = new Client({ connectionString: adminUrl })
  await admin.connect()
  await admin.query(`create database ${name} template template0 encoding 'UTF8'`)
  await admin.end()
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  return url.href
}

/** Runs a generator, which says itself why it failed. */
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
  const what = words.find((word) => word.endsWith('.ts')) ?? program
  throw new Error(`${what} ${check ? 'differs: run pnpm generate' : 'failed'}`)
}
