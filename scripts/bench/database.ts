import { randomBytes } from 'node:crypto'
import { createDb, createTenant, loadCatalogue, putTenantProduct, scriptActor } from '@breakpilot/tenant-core'
import { createMigrator } from '@breakpilot/tenant-migrations'
import { Client } from 'pg'
import { discardCluster, openCluster } from '../postgres/cluster.ts'
import { startPostgres } from '../postgres/server.ts'
import { acme, acmeId, acmeProducts, manifestFolder } from './acme.ts'

/** How many tenants there are beside the one that is asked for. */
export const otherTenants = 100_000

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

/** The tenant `acme` with its products by the registry's own verbs, and the others. */
async function fill(connectionString: string): Promise<void> {
  const db = createDb({ connectionString, poolSize: 1 })
  try {
    const actor = scriptActor('bench')
    const catalogue = await loadCatalogue(manifestFolder)
    await createTenant(db, actor, catalogue, acme)
    for (const [product, terms] of acmeProducts) await putTenantProduct(db, actor, catalogue, acmeId, product, terms)
  } finally {
    await db.destroy()
  }
  await asAdmin(connectionString, async (owner) => {
    await owner.query('begin')
    // How they came to be does not matter here, so nothing is told of it.
    for (const table of tables) await owner.query(`alter table ${table} disable trigger user`)
    await owner.query(others, [otherTenants])
    for (const table of tables) await owner.query(`alter table ${table} enable trigger user`)
    await owner.query('commit')
    await owner.query('vacuum analyze')
  })
}

const tables = ['tenants', 'tenant_products']

/**
 * Customers, a minute between each two: every fifth a trial, every tenth frozen. Every 20th is called Northern something. One
 * in two has the product certifai, one in 20 atlas, one in 1000 dossier.
 */
const others = `
  with numbers as (
    select n, gen_random_uuid() as id, n % 5 = 0 as is_trial, n % 10 = 1 as is_frozen from generate_series(1, $1::integer) n
  ), inserted as (
    insert into tenants (id, slug, name, status, status_reason, frozen_from, kind, plan, erp_id, sales_owner,
      trial_ends_at, contract_starts_at, contract_ends_at, metadata, created_at)
    select id, 'tenant-' || n,
      (array['Northern', 'Southern', 'Eastern', 'Western', 'Upper', 'Lower', 'Inner', 'Outer', 'Old', 'New', 'Red', 'Blue',
        'Green', 'White', 'Black', 'Golden', 'Silver', 'First', 'Second', 'United'])[1 + n * 7 % 20]
      || ' ' || (array['Steel', 'Water', 'Energy', 'Foods', 'Textiles', 'Pharma', 'Rail'])[1 + n % 7] || ' ' || n,
      (case when is_trial then 'trial' when is_frozen then 'frozen' else 'active' end)::tenant_status,
      case when is_frozen then 'payment_overdue' end,
      case when is_frozen then 'active'::tenant_status end,
      'customer',
      (array['starter', 'professional', 'enterprise'])[1 + n % 3],
      'C-' || n,
      'owner-' || n % 50 || '@breakpilot.com',
      case when is_trial then timestamptz '2099-12-31 00:00:00Z' end,
      case when not is_trial then timestamptz '2020-01-01 00:00:00Z' end,
      case when not is_trial then timestamptz '2099-12-31 00:00:00Z' end,
      jsonb_build_object('segment', 'enterprise'),
      now() - n * interval '1 minute'
    from numbers
  ), named as (
    insert into registry.slugs (slug, tenant_id, current) select 'tenant-' || n, id, true from numbers
  )
  insert into tenant_products (tenant_id, product)
  select id, product from numbers, (values ('certifai', 2), ('atlas', 20), ('dossier', 1000)) products (product, every)
  where n % every = 0`
