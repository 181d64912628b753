/**
 * `pnpm migrate …`: the migrator, from its source. Without DATABASE_URL it works on the database of the `pnpm dev`
 * that runs in this checkout.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { exit } from 'node:process'
import { runningDevDatabase } from './dev/dev-record.ts'
import { checkout } from './postgres/installation.ts'

const words = process.argv.slice(2)
const env = { ...process.env }
if (!env['DATABASE_URL'] && words[0] !== 'create') {
  const database = runningDevDatabase()
  if (!database) {
    console.error(
      'migrate: set DATABASE_URL, or leave `make dev` running in another terminal: its database is used then',
    )
    exit(2)
  }
  env['DATABASE_URL'] = database.ownerUrl
  if (database.runtimeRole) env['RUNTIME_ROLE'] ??= database.runtimeRole
}

const entry = join(checkout, 'apps/migrate/src/main.ts')
const child = spawn(process.execPath, ['--conditions=@breakpilot/source', entry, ...words], { stdio: 'inherit', env })
// The terminal sends Ctrl-C to both, and the migrator decides what it means; SIGTERM comes to us alone.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => void child.kill('SIGTERM'))
child.once('exit', (code) => exit(code ?? 1))
