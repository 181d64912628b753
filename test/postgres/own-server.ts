import { randomInt } from 'node:crypto'
import { createMigrator } from '@breakpilot/tenant-migrations'
import { Client } from 'pg'
import { discardCluster, openCluster } from '../../scripts/postgres/cluster.ts'
import { startPostgres } from '../../scripts/postgres/server.ts'
import { recordOf } from '../../scripts/processes/identity.ts'
import { createDatabase, type TestDatabase } from './database.ts'
import { makeRoles } from './test-roles.ts'

/** A PostgreSQL of a test's own, which may crash without taking the other tests with it. */
export interface OwnServer {
  readonly database: TestDatabase
  /** Writes out what was committed until now: no crash takes that back. */
  writeOut(): Promise<void>
  /** Drops everything that is under way and stops, as in a crash: the next start has to recover. */
  crash(): Promise<void>
  /** Starts again, on the same port. Does nothing where it runs. */
  start(): Promise<void>
  close(): Promise<void>
}

/**
 * Commits wait for no disk unless they ask for it, and for as long as can be set nobody writes for them: whatever does
 * not ask is lost in a crash.
 */
const settings = { fsync: 'off', synchronous_commit: 'off', wal_writer_delay: '10s' }

/** Starts the embedded PostgreSQL on a data folder of its own, with a migrated database. */
export async function anOwnServer(name: string): Promise<OwnServer> {
  const me = recordOf(process.pid)
  // By this name, whoever runs the tests next deletes the folder if this run is killed.
  const cluster = await openCluster(`test-${me.pid}-${me.identity}-${name}`, { durable: false })
  // Below the ports that are given to who asks for any: while the server is down, nobody takes its port by chance.
  let server = await startPostgres(cluster, { settings, preferredPort: randomInt(20_000, 30_000) })
  const { port } = server
  let isRunning = true
  const close = async () => {
    await server.stop()
    discardCluster(cluster)
  }
  try {
    const { server: roles, session } = await makeRoles(server.url())
    await session.end()
    const database = await createDatabase(roles, `template template0 encoding 'UTF8'`)
    await createMigrator({ connectionString: database.ownerUrl, runtimeRole: database.runtimeRole }).up()
    return {
      database,
      writeOut: async () => {
        const admin = new Client({ connectionString: database.adminUrl })
        await admin.connect()
        await admin.query('checkpoint')
        await admin.end()
      },
      crash: async () => {
        process.kill(server.pid, 'SIGQUIT')
        await server.ended
        isRunning = false
      },
      start: async () => {
        if (isRunning) return
        server = await startPostgres(cluster, { settings, preferredPort: port })
        if (server.port !== port) throw new Error(`somebody has taken port ${port} meanwhile`)
        isRunning = true
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
