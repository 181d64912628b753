import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { docker, type Finished, run, succeed } from './commands.ts'
import type { Images } from './images.ts'
import { runLabel } from './test-run.ts'

/** How the images are run in production: they may write nowhere, and may do nothing that root may. */
export const confined = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges']

/** The passwords are such that no output contains them by chance. */
export const passwords = { admin: 'admin-hunter2', owner: 'owner-hunter2', runtime: 'runtime-hunter2' }
export const ownerUrl = `postgres://tenant_registry_owner:${passwords.owner}@postgres:5432/tenant_registry`
export const runtimeUrl = `postgres://tenant_registry_runtime:${passwords.runtime}@postgres:5432/tenant_registry`

/** A network with a PostgreSQL that has the roles and an empty database, under the name `postgres`. */
export interface Stage {
  readonly postgres: string
  /** Starts a container, and answers its id. */
  start(image: string, options: readonly string[], ...command: readonly string[]): Promise<string>
  /** Runs a container to its end. */
  run(image: string, options: readonly string[], ...command: readonly string[]): Promise<Finished>
  /** One statement, with the words of psql when PostgreSQL refuses it. */
  sql(url: string, statement: string): Promise<Finished>
  remove(): Promise<void>
}

export async function setStage(images: Images): Promise<Stage> {
  const label = ['--label', `${runLabel}=${images.run}`]
  const network = await docker('network', 'create', ...label, `${images.run}-${Date.now()}`)
  const here = ['--network', network, ...label]
  const containers: string[] = []
  const start: Stage['start'] = async (image, options, ...command) => {
    const container = await docker('run', '--detach', ...here, ...options, image, ...command)
    containers.push(container)
    return container
  }
  const remove = async () => {
    if (containers.length > 0) await docker('rm', '--force', '--volumes', ...containers)
    await docker('network', 'rm', network)
  }
  try {
    const env = ['--env', `POSTGRES_PASSWORD=${passwords.admin}`]
    const postgres = await start(images.postgres, ['--network-alias', 'postgres', ...env])
    await untilItAnswers(postgres)
    await makeRoles(postgres)
    return {
      postgres,
      start,
      run: (image, options, ...command) => run('docker', ['run', '--rm', ...here, ...options, image, ...command]),
      sql: (url, statement) => {
        const words = ['psql', '--no-psqlrc', '--tuples-only', '--no-align', '--quiet', '--command', statement, url]
        return run('docker', ['exec', postgres, ...words])
      },
      remove,
    }
  } catch (error) {
    await remove()
    throw error
  }
}

// Over TCP: while the image prepares its data, PostgreSQL listens on the socket alone.
async function untilItAnswers(postgres: string): Promise<void> {
  await eventually(async () => {
    await docker('exec', postgres, 'pg_isready', '--quiet', '--host', '127.0.0.1', '--username', 'postgres')
  })
}

// The very script that an administrator runs.
async function makeRoles(postgres: string): Promise<void> {
  const script = await readFile(resolve(import.meta.dirname, '../../apps/migrate/roles.sql'), 'utf8')
  const settings = ['ON_ERROR_STOP=1', `owner_password=${passwords.owner}`, `runtime_password=${passwords.runtime}`]
  const words = ['exec', '--interactive', postgres, 'psql', '--no-psqlrc', '--quiet', '--username', 'postgres']
  await succeed('docker', [...words, ...settings.map((setting) => `--set=${setting}`)], { input: script })
}

/** Tries again until it does not throw, for half a minute. */
export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const end = Date.now() + 30_000
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() > end) throw error
      await sleep(250)
    }
  }
}

/** Waits for a container to end by itself. */
export async function ended(container: string): Promise<Finished> {
  const code = Number(await docker('wait', container))
  const { stdout, stderr } = await run('docker', ['logs', container])
  return { code, stdout, stderr }
}
