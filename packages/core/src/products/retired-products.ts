import { sql } from 'kysely'
import type { Db } from '../db/handles.ts'
import type { Catalogue } from './catalogue.ts'

/** The products that tenants have and no manifest knows: they are shown to those who have them, and give nothing. */
export async function listProductsWithoutManifest(db: Db, { keys }: Catalogue): Promise<string[]> {
  // From one key to the next in the index: reading every assignment would cost more with every tenant.
  const { rows } = await sql<{ product: string }>`
    with recursive held (product) as (
      (select product from tenant_products order by product limit 1)
      union all
      select (select t.product from tenant_products t where t.product > held.product order by t.product limit 1)
      from held where held.product is not null
    )
    select product from held where product is not null`.execute(db)
  return rows.map(({ product }) => product).filter((product) => !keys.has(product))
}
