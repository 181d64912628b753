import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The system account that PostgreSQL runs as; undefined: the one we run as. */
export type Account = { uid: number; gid: number } | undefined

/** PostgreSQL refuses to run as root: then it gets the account `postgres`, made if missing, or `nobody`. */
export async function postgresAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return undefined
  const existing = await find('postgres')
  if (existing) return existing
  const nologin = ['--shell', '/usr/sbin/nologin']
  await run('useradd', ['--system', '--user-group', '--no-create-home', ...nologin, 'postgres']).catch(() =>
    run('adduser', ['-S', '-D', '-H', 'postgres']).catch(() => undefined),
  )
  const account = (await find('postgres')) ?? (await find('nobody'))
  if (!account) throw new Error('PostgreSQL refuses to run as root, and no account `postgres` could be made')
  return account
}

async function find(name: string): Promise<Account> {
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, name])).stdout)),
    )
    return uid ? { uid, gid: gid ?? uid } : undefined
  } catch {
    return undefined
  }
}
