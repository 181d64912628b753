import { createHmac } from 'node:crypto'
import { Client } from 'pg'
import type { Cluster } from '../postgres/cluster.ts'
import type { PostgresServer } from '../postgres/server.ts'
import type { DevDatabase } from './dev-record.ts'

const name = 'tenant_registry'
const roles = { owner: 'tenant_registry_owner', runtime: 'tenant_registry_runtime' }

/** Makes the two roles and the database, where they are missing. */
export async function prepareDatabase(server: PostgresServer, cluster: Cluster): Promise<DevDatabase> {
  // The same after every start, so that a URL that somebody noted stays right.
  const passwordOf = (role: string) => createHmac('sha256', cluster.password).update(role).digest('hex').slice(0, 24)
  const admin = new Client({ connectionString: server.url() })
  await admin.connect()
  try {
    const existing = await admin.query<{ name: string }>('select rolname as name from pg_roles')
    for (const role of Object.values(roles)) {
      if (existing.rows.some((row) => row.name === role)) continue
      await admin.query(`create role ${role} login password '${passwordOf(role)}'`)
    }
    if (!(await admin.query('select 1 from pg_database where datname = $1', [name])).rowCount) {
      await admin.query(`create database ${name} owner ${roles.owner} template template0 encoding 'UTF8'`)
    }
  } finally {
    await admin.end()
  }
  const urlFor = (role: string) => `postgres://${role}:${passwordOf(role)}@127.0.0.1:${server.port}/${name}`
  return { ownerUrl: urlFor(roles.owner), runtimeUrl: urlFor(roles.runtime), runtimeRole: roles.runtime }
}
