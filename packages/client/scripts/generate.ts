/**
 * Writes `src/generated/` anew from the committed `packages/http/openapi.json` and core's error table:
 * `pnpm generate`. With `--check` it writes nothing and exits 1 when what is committed differs.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { exit, stderr } from 'node:process'
import { type ApiDocument, operationTable } from './api-document.ts'
import { apiTypes } from './api-types.ts'
import { errorCodes } from './error-codes.ts'

const client = resolve(import.meta.dirname, '..')
const folder = join(client, 'src/generated')
const document = JSON.parse(readFileSync(join(client, '../http/openapi.json'), 'utf8')) as ApiDocument
const check = process.argv.includes('--check')

const { schemas, operations } = apiTypes(document)
const wanted = new Map([
  ['schemas.gen.ts', `${madeFrom('packages/http/openapi.json, with @redocly/cli')}${schemas}`],
  [
    'operations.gen.ts',
    `${madeFrom('packages/http/openapi.json, with @redocly/cli')}${operations}\n${operationTable(document)}`,
  ],
  ['error-codes.gen.ts', `${madeFrom('the error table of packages/core')}${errorCodes()}`],
])

mkdirSync(folder, { recursive: true })
const present = readdirSync(folder)
const stale = [...wanted].filter(([name, text]) => readIfThere(join(folder, name)) !== text).map(([name]) => name)
const orphaned = present.filter((name) => !wanted.has(name))
if (check) {
  for (const name of stale) stderr.write(`packages/client/src/generated/${name} is not what its source makes\n`)
  for (const name of orphaned) stderr.write(`packages/client/src/generated/${name} has no source\n`)
  exit(stale.length + orphaned.length > 0 ? 1 : 0)
}
for (const name of stale) writeFileSync(join(folder, name), wanted.get(name) ?? '')
for (const name of orphaned) rmSync(join(folder, name))

function madeFrom(source: string): string {
  return `// Made by packages/client/scripts/generate.ts from ${source}. Do not edit.\n\n`
}

function readIfThere(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}
