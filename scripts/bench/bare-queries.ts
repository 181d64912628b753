import { Pool } from 'pg'

const columns = `id, slug, name, status, kind, plan, erp_id, stripe_id, trial_ends_at, contract_starts_at,
  contract_ends_at, sales_owner, created_at, updated_at`
const products = `array(
  select product from tenant_products where tenant_products.tenant_id = tenants.id order by product collate "C"
) as products`

/** pg as it comes, as many connections as the registry's own default. */
export const pool = new Pool({ connectionString: process.env['DATABASE_URL'], max: 10 })

/** The same row that the registry reads, as a named prepared statement. */
export async function tenantBySlug(slug: string): Promise<object | undefined> {
  const { rows } = await pool.query<object>({
    name: 'tenant_by_slug',
    text: `select ${columns}, ${products} from tenants where slug = $1`,
    values: [slug],
  })
  return rows[0]
}

/** The newest tenants, and one more than asked for, which says whether there is another page. */
export async function newestTenants(limit: number): Promise<object[]> {
  const { rows } = await pool.query<object>({
    name: 'newest_tenants',
    text: `select ${columns}, ${products} from tenants order by created_at desc, id desc limit $1`,
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
