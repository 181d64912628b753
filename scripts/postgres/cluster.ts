import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { isRunning, recordOf } from '../processes/identity.ts'
import { type Installation, postgresInstallation } from './installation.ts'
import { stopOrphan } from './orphan.ts'

const run = promisify(execFile)

/** A data folder, and beside it the password of its superuser `postgres`. */
export interface Cluster {
  installation: Installation
  folder: string
  data: string
  password: string
}

/**
 * Opens a data folder of the embedded PostgreSQL, or of another one, made first if missing: whole or not at all.
 * Whatever server a killed run left on it is stopped.
 */
export async function openCluster(
  name: string,
  { durable, installation: other }: { durable: boolean; installation?: Installation },
): Promise<Cluster> {
  const installation = other ?? (await postgresInstallation())
  const folder = join(installation.home, name)
  discardHalfMade(folder)
  if (!fs.existsSync(folder)) await makeCluster(installation, folder, durable)
  const cluster = { installation, folder, data: join(folder, 'data') }
  expectOurs(cluster)
  await stopOrphan(cluster.data)
  return { ...cluster, password: fs.readFileSync(join(folder, 'password'), 'utf8').trim() }
}

/** Deletes a data folder that no server uses any more. */
export function discardCluster(cluster: Pick<Cluster, 'folder'>): void {
  fs.rmSync(cluster.folder, { recursive: true, force: true, maxRetries: 5 })
}

async function makeCluster({ account, initdb }: Installation, folder: string, durable: boolean): Promise<void> {
  const me = recordOf(process.pid)
  const half = `${folder}.new-${me.pid}-${me.identity}`
  const password = join(half, 'password')
  fs.mkdirSync(half, { mode: 0o700 })
  fs.writeFileSync(password, `${randomBytes(18).toString('base64url')}\n`, { mode: 0o600 })
  if (account) for (const path of [half, password]) fs.chownSync(path, account.uid, account.gid)
  const flags = ['--username=postgres', `--pwfile=${password}`, '--auth=scram-sha-256', '--encoding=UTF8']
  if (!durable) flags.push('--no-sync')
  const initialise = (locale: string) =>
    run(initdb, ['-D', join(half, 'data'), `--locale=${locale}`, '--no-instructions', ...flags], {
      ...account,
      cwd: half,
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    })
  try {
    // macOS before 15 and some slim images have no C.UTF-8: C sorts the same, byte by byte.
    await initialise('C.UTF-8')
      .catch(() => initialise('C'))
      .catch(explain)
    fs.renameSync(half, folder)
  } finally {
    fs.rmSync(half, { recursive: true, force: true })
  }
}

/** @throws {Error} in one line where the cause is known, else as it came */
function explain(error: unknown): never {
  const text = error instanceof Error ? error.message : String(error)
  if (!text.includes('could not look up effective user ID')) throw error
  throw new Error(
    'PostgreSQL cannot run as a user without a name: add this user to /etc/passwd, or set DATABASE_URL or TEST_DATABASE_URL',
    { cause: error },
  )
}

function discardHalfMade(folder: string): void {
  const prefix = `${basename(folder)}.new-`
  for (const name of fs.readdirSync(dirname(folder)).filter((entry) => entry.startsWith(prefix))) {
    const [pid, identity] = name.slice(prefix.length).split('-')
    if (isRunning({ pid: Number(pid), identity: identity ?? '' })) continue
    // Its initdb may still be ending.
    fs.rmSync(join(dirname(folder), name), { recursive: true, force: true, maxRetries: 10 })
  }
}

function expectOurs({ installation, folder, data }: Omit<Cluster, 'password'>): void {
  const { uid } = fs.statSync(folder)
  const expected = installation.account?.uid ?? process.getuid?.() ?? uid
  if (uid !== expected) {
    throw new Error(`${folder} was made by another user (uid ${uid}, not ${expected}): run as that user, or delete it`)
  }
  const version = fs.readFileSync(join(data, 'PG_VERSION'), 'utf8').trim()
  if (version !== installation.majorVersion) {
    throw new Error(`${folder} was made by PostgreSQL ${version}, this is ${installation.majorVersion}: delete it`)
  }
}
