import { Pool } from 'pg'
import { columns, listed, tenant } from './bare-sql.ts'

/** pg as it comes, as many connections as the registry's own default. */
const pool = new Pool({ connectionString: process.env['DATABASE_URL'], max: 10 })

/** The same row that the registry reads, as a named prepared statement. */
export async function tenantBySlug(slug: string): Promise<object | undefined> {
  const { rows } = await pool.query<object>({
    name: 'tenant_by_slug',
    text: `select ${tenant} from tenants where slug = $1`,
    values: [slug],
  })
  return rows[0]
}

/** A product that a tenant has, beside what is known of the tenant. */
type Holding = Record<'tenant_id' | 'status' | 'product', string> & Record<string, unknown>

/** The rows that entitlements are made from, as they are: a row for each product of the tenant. */
export async function holdingsOf(tenantId: string): Promise<Holding[]> {
  const { rows } = await pool.query<Holding>({
    name: 'holdings_of',
    text: `select tenants.id as tenant_id, plan, status, status_reason, status_changed_at, frozen_from, trial_ends_at,
        contract_starts_at, contract_ends_at, product, enabled, config, limits, valid_from, valid_until,
        tenant_products.version
      from tenants left join tenant_products on tenant_products.tenant_id = tenants.id
      where tenants.id = $1 order by product collate "C"`,
    values: [tenantId],
  })
  return rows
}

/** The newest tenants, and one more than asked for, which says whether there is another page. */
export async function newestTenants(limit: number): Promise<object[]> {
  const { rows } = await pool.query<object>({
    name: 'newest_tenants',
    text: `select ${tenant} from tenants where ${listed} order by created_at desc, id desc limit $1`,
    values: [limit + 1],
  })
  return rows
}

/** Inserts a tenant: one statement, no transaction of its own, no audit event. */
export async function insertTenant(id: string, slug: string, name: string): Promise<object | undefined> {
  const { rows } = await pool.query<object>({
    name: 'insert_tenant',
    text: `insert into tenants (id, slug, name, status, kind) values ($1, $2, $3, 'trial', 'customer')
      returning ${columns}`,
    values: [id, slug, name],
  })
  return rows[0]
}
