/**
 * For those who look after the secrets: `status` says what depends on each key of the keyring, `new-key` makes one;
 * `new-signing-key` makes the key that checkpoints of the log are signed with, `signing-key` shows its public half.
 */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createDb, kidStatuses, newSigningKeyText, parseSigningKey, type SigningKey } from '@breakpilot/tenant-core'
import { ConfigError, readConfig } from './config.ts'
import { isAmiss, statusText } from './secrets-text.ts'

const usage = `usage: secrets status     what depends on each key of the keyring; 1 when one that is needed is missing, or is another one
       secrets new-key    a fresh key in Base64, for the keyring's file
       secrets new-signing-key FILE
                          a fresh key for AUDIT_SIGNING_KEY_FILE into a new file; prints its public half
       secrets signing-key
                          the public half of the key of AUDIT_SIGNING_KEY_FILE
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

/** Its public half is what auditors keep: with it, and without us, they verify what was signed. */
function tell({ publicKey }: SigningKey): void {
  process.stderr.write(`key id: ${publicKey.id}\n`)
  process.stdout.write(publicKey.pem)
}

function newSigningKey(file: string): void {
  const text = newSigningKeyText()
  // Never over one that is there: what that one signed could not be followed by anything.
  writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
  tell(parseSigningKey(text))
}

function signingKey(): void {
  const { signingKey: key } = readConfig(process.env)
  if (!key) throw new ConfigError('AUDIT_SIGNING_KEY_FILE: is required')
  tell(key)
}

async function run(): Promise<number> {
  const [verb, ...rest] = parseArgs({ allowPositionals: true }).positionals
  if (rest.length === 0 && verb === 'status') return await status()
  if (rest.length === 0 && verb === 'new-key') {
    process.stdout.write(`${randomBytes(32).toString('base64')}\n`)
    return 0
  }
  const [file, ...others] = rest
  if (verb === 'new-signing-key' && file !== undefined && others.length === 0) {
    newSigningKey(file)
    return 0
  }
  if (rest.length === 0 && verb === 'signing-key') {
    signingKey()
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
