/**
 * For those who look after the keyring: `status` says what depends on each of its keys, `new-key` makes one.
 */
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { createDb, kidStatuses } from '@breakpilot/tenant-core'
import { ConfigError, readConfig } from './config.ts'
import { isAmiss, statusText } from './secrets-text.ts'

const usage = `usage: secrets status     what depends on each key of the keyring; 1 when one that is needed is missing, or is another one
       secrets new-key    a fresh key in Base64, for the keyring's file
`

async function status(): Promise<number> {
  const { database, keyring } = readConfig(process.env)
  if (!keyring) throw new ConfigError('SECRETS_KEYRING_FILE: is required')
  const db = createDb({ ...database, poolSize: 1 })
  try {
    const statuses = await kidStatuses(db, keyring)
    process.stdout.write(statusText(statuses))
    return statuses.some(isAmiss) ? 1 : 0
  } finally {
    await db.destroy()
  }
}

async function run(): Promise<number> {
  const [verb, ...rest] = parseArgs({ allowPositionals: true }).positionals
  if (rest.length === 0 && verb === 'status') return await status()
  if (rest.length === 0 && verb === 'new-key') {
    process.stdout.write(`${randomBytes(32).toString('base64')}\n`)
    return 0
  }
  process.stderr.write(usage)
  return 2
}

try {
  process.exitCode = await run()
} catch (error) {
  process.stderr.write(`secrets: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
}
