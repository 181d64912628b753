import { join } from 'node:path'
import { checkout } from '../postgres/installation.ts'
import { isRunning, type ProcessRecord } from '../processes/identity.ts'
import { type Holder, readLock } from '../processes/lock.ts'

/** What a running `pnpm dev` says about itself, in a file that only its user can read. */
export interface DevRecord {
  /** Where the server answers. */
  url: string
  server: ProcessRecord
  database: DevDatabase
  /** It has been told to stop and will be gone soon. */
  stopping: boolean
}

/** The database of `pnpm dev`, for each of those who may use it. */
export interface DevDatabase {
  /** The server: the runtime role. */
  runtimeUrl: string
  runtimeRole: string | undefined
  /** Migrations: the owner of the schema. */
  ownerUrl: string
}

/** The file: it is also the lock that keeps a second `pnpm dev` out. */
export const devFile = join(checkout, '.data', 'dev.json')

/** The database of the `pnpm dev` that runs in this checkout, if one does. */
export function runningDevDatabase(): DevDatabase | undefined {
  const record: Holder<DevRecord> | undefined = readLock(devFile)
  return record && isRunning(record) ? record.database : undefined
}
