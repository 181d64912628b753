import { randomBytes } from 'node:crypto'
import { createMigrator } from '@breakpilot/tenant-migrations'
import { Client } from 'pg'
import { runSeed } from '../dev/programs.ts'
import { discardCluster, openCluster } from '../postgres/cluster.ts'
import { startPostgres } from '../postgres/server.ts'

/** How many tenants there are beside the one that is asked for. */
export const otherTenants = 5000

const prefix = 'tenant_registry_bench_'

/** The database of one run. */
export interface BenchDatabase {
  readonly url: string
  /** PostgreSQL's version, and whose server it is. */
  readonly description: string
  close(): Promise<void>
}

/**
 * Makes a database of its own, migrated and filled, on the server of DATABASE_URL or TEST_DATABASE_URL (whose role has
 * to be able to create databases), else on an embedded one with PostgreSQL's own settings.
 */
export async function openDatabase(): Promise<BenchDatabase> {
  const given = process.env['DATABASE_URL'] || process.env['TEST_DATABASE_URL']
  const server = given ? { url: given, whose: 'a server that was given', close: async () => {} } : await ownServer()
  const name = prefix + randomBytes(4).toString('hex')
  const url = new URL(server.url)
  url.pathname = `/${name}`
  try {
    const version = await asAdmin(server.url, async (admin) => {
      await discardLeftovers(admin)
      await admin.query(`create database ${name} template template0 encoding 'UTF8'`)
      return (await admin.query<{ server_version: string }>('show server_version')).rows[0]?.server_version
    })
    await createMigrator({ connectionString: url.href, runtimeRole: undefined }).up()
    await fill(url.href)
    const sign = new Client({ connectionString: url.href })
    // Without a listener, a server that goes away would end the run with a stack trace.
    sign.on('error', (error) => console.error(`bench: ${error.message}`))
    await sign.connect()
    return {
      url: url.href,
      description: `PostgreSQL ${version} (${server.whose})`,
      async close() {
        await sign.end()
        await asAdmin(server.url, (admin) => admin.query(`drop database if exists ${name} with (force)`))
        await server.close()
      },
    }
  } catch (error) {
    await server.close()
    throw error
  }
}

// A running bench stays connected to its database for as long as it lasts: one without a connection was left behind.
async function discardLeftovers(admin: Client): Promise<void> {
  const { rows } = await admin.query<{ name: string }>(
    `select datname as name from pg_database
      where datname ~ $1 and not exists (select 1 from pg_stat_activity where pg_stat_activity.datname = pg_database.datname)`,
    [`^${prefix}[0-9a-f]{8}$`],
  )
  for (const { name } of rows) await admin.query(`drop database if exists ${name}`)
}

async function ownServer() {
  const cluster = await openCluster('bench', { durable: false })
  const server = await startPostgres(cluster)
  return {
    url: server.url(),
    whose: 'embedded, on the same machine, its own default settings',
    async close() {
      await server.stop()
      discardCluster(cluster)
    },
  }
}

async function asAdmin<T>(url: string, work: (admin: Client) => Promise<T>): Promise<T> {
  const admin = new Client({ connectionString: url })
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.end()
  }
}

/** The tenant `acme` with its two products by the registry's own verbs, and the others. */
async function fill(connectionString: string): Promise<void> {
  await runSeed(connectionString)
  await asAdmin(connectionString, async (owner) => {
    // As many as make an index worth its while; how they came to be does not matter here.
    await owner.query(
      `with others as (
         insert into tenants (id, slug, name, status, kind, created_at)
         select gen_random_uuid(), 'tenant-' || n, 'Tenant ' || n, 'trial', 'customer', now() - n * interval '1 minute'
         from generate_series(1, $1) n returning id
       ) insert into tenant_products (tenant_id, product) select id, 'certifai' from others`,
      [otherTenants],
    )
    await owner.query('vacuum analyze')
  })
}
