/**
 * Compares the committed OpenAPI document with the one of the last release, and fails when a caller of that release
 * would break and nobody said why that has to be. `--release` makes the committed document the released one.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { exit } from 'node:process'
import { breakingChanges } from './check-openapi/changes.ts'
import type { OpenApi } from './check-openapi/document.ts'

const folder = resolve(import.meta.dirname, '../packages/http')
const breaksFile = 'openapi.breaks.json'
const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'))

if (process.argv.includes('--release')) {
  writeFileSync(join(folder, 'openapi.released.json'), readFileSync(join(folder, 'openapi.json')))
  writeFileSync(join(folder, breaksFile), '{}\n')
  exit(0)
}

const changes = breakingChanges(read('openapi.released.json') as OpenApi, read('openapi.json') as OpenApi)
const reasons = read(breaksFile) as Record<string, string>
const unexplained = changes.filter((change) => !reasons[change]?.trim())
const outdated = Object.keys(reasons).filter((change) => !changes.includes(change))

if (unexplained.length) {
  console.error(`These changes may break callers of the last release. If that has to be, say why in
packages/http/${breaksFile}, under exactly these names:\n`)
  for (const change of unexplained) console.error(`  ${JSON.stringify(change)}: "…",`)
}
for (const change of outdated) {
  console.error(`packages/http/${breaksFile} explains what does not happen: ${JSON.stringify(change)}`)
}
exit(unexplained.length || outdated.length ? 1 : 0)
