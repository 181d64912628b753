import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { newKeyringText } from '@breakpilot/tenant-core'
import { checkout } from '../postgres/installation.ts'

/**
 * The keyring of `pnpm dev`, made once: what was made with it lasts from one start to the next, as the data does. Only
 * its user can read it.
 */
export function devKeyring(): string {
  const file = join(checkout, '.data', 'keyring.json')
  if (existsSync(file)) return file
  const half = `${file}.new-${process.pid}`
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(half, newKeyringText('dev'), { mode: 0o600 })
  renameSync(half, file)
  return file
}
