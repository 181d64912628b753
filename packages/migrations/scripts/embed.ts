// Carries sql/*.sql into src/migrations.gen.ts. With --check it changes nothing and exits 1 when they differ.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { embedded, readMigrationFiles, sqlFolder } from '../src/migration-files.ts'

const target = fileURLToPath(new URL('../src/migrations.gen.ts', import.meta.url))
const text = embedded(readMigrationFiles(fileURLToPath(sqlFolder)))
const current = existsSync(target) ? readFileSync(target, 'utf8') : ''

if (process.argv.includes('--check')) {
  if (text !== current) {
    process.stderr.write(
      'packages/migrations/src/migrations.gen.ts is out of date: run packages/migrations/scripts/embed.ts\n',
    )
    process.exitCode = 1
  }
} else if (text !== current) {
  writeFileSync(target, text)
}
