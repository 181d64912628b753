import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { newKeyringText, newSigningKeyText } from '@breakpilot/tenant-core'
import { checkout } from '../postgres/installation.ts'

/**
 * The keyring of `pnpm dev`, made once: what was made with it lasts from one start to the next, as the data does. Only
 * its user can read it.
 */
export const devKeyring = (): string => madeOnce('keyring.json', () => newKeyringText('dev'))

/** The key that `pnpm dev` signs checkpoints of the log with: kept in the same way, so that they verify tomorrow. */
export const devSigningKey = (): string => madeOnce('signing-key.pem', newSigningKeyText)

function madeOnce(name: string, text: () => string): string {
  const file = join(checkout, '.data', name)
  if (existsSync(file)) return file
  const half = `${file}.new-${process.pid}`
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(half, text(), { mode: 0o600 })
  renameSync(half, file)
  return file
}
