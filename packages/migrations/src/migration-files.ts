import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MigrationError } from './migration-error.ts'
import { checked } from './migration.ts'
import type { Migration } from './migration.ts'
import { checksumOf, normalised } from './sql-text.ts'

/** The folder of a checkout; a published package or an image has none. */
export const sqlFolder = new URL('../sql/', import.meta.url)

/**
 * Reads and checks a folder of `NNNN_name.up.sql` and `NNNN_name.down.sql`.
 * @throws {MigrationError} `usage` naming the file: a name of another form, half of a pair, a gap in the numbers, or a
 * text the engine could not run.
 */
export function readMigrationFiles(folder: string): Migration[] {
  const pairs = new Map<string, { up?: string; down?: string }>()
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.sql')) continue
    const [, name, direction] = /^(\d{4}_[a-z][a-z0-9_]*)\.(up|down)\.sql$/.exec(file) ?? []
    if (name === undefined || (direction !== 'up' && direction !== 'down')) {
      throw new MigrationError('usage', `${file} is not called NNNN_name.up.sql or NNNN_name.down.sql`)
    }
    pairs.set(name, { ...pairs.get(name), [direction]: normalised(readFileSync(join(folder, file), 'utf8')) })
  }
  const migrations = [...pairs].map(([name, { up, down }], index) => {
    if (up === undefined) throw new MigrationError('usage', `${name}.up.sql is missing`)
    if (down === undefined) throw new MigrationError('usage', `${name}.down.sql is missing`)
    const version = Number(name.slice(0, 4))
    if (version !== index + 1) throw new MigrationError('usage', `${name}: the next number is ${index + 1}`)
    return { version, name, checksum: checksumOf(up), up, down }
  })
  checked(migrations)
  return migrations
}

/** The generated module that carries the files into a build. */
export function embedded(migrations: readonly Migration[]): string {
  const literal = (text: string): string => `\`${text.replaceAll(/[\\`]|\$\{/g, '\\$&')}\``
  const entries = migrations.map(
    ({ version, name, checksum, up, down }) => `  {
    version: ${version},
    name: '${name}',
    checksum: '${checksum}',
    up: ${literal(up)},
    down: ${literal(down)},
  },
`,
  )
  return `// Made by packages/migrations/scripts/embed.ts from packages/migrations/sql/*.sql. Do not edit.
import type { Migration } from './migration.ts'

/** Every migration of this package, in order. */
export const migrations: readonly Migration[] = [
${entries.join('')}]
`
}
