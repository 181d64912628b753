import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MigrationError } from './migration-error.ts'
import { sqlFolder } from './migration-files.ts'

/** With number and suffix it still fits every file system, and a line of `status`. */
const nameLengthMax = 60

/**
 * Writes the next pair of empty files and answers their paths.
 * @throws {MigrationError} `usage` for a name that is none, and outside a checkout, where there is no folder for them.
 */
export function createMigrationFiles(name: string, folder: string = fileURLToPath(sqlFolder)): string[] {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name)) {
    throw new MigrationError('usage', `"${name}" is no name: lower-case words joined by _, like add_team_table`)
  }
  if (name.length > nameLengthMax) {
    throw new MigrationError('usage', `a name has at most ${nameLengthMax} characters, this one has ${name.length}`)
  }
  if (!existsSync(folder)) throw new MigrationError('usage', 'migrations are made in a checkout; there is none here')
  const last = Math.max(0, ...readdirSync(folder).map((file) => Number(/^(\d{4})_/.exec(file)?.[1] ?? 0)))
  const stem = `${String(last + 1).padStart(4, '0')}_${name}`
  return ['up', 'down'].map((direction) => {
    const path = join(folder, `${stem}.${direction}.sql`)
    writeFileSync(path, '', { flag: 'wx' })
    return path
  })
}
