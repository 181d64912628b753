import { sql, type SqlBool } from 'kysely'
import { columnArrays } from '../db/binary-array.ts'
import type { HousekeepingTx, Reader } from '../db/handles.ts'
import { executeShape } from '../db/prepared.ts'
import { TenantId } from '../id.ts'

/** What a product calls the one for whom something was done. */
export interface Group {
  readonly product: string
  /** As it was sent. */
  readonly id: string
  /** Whether the product names its tenants by their slugs as well. */
  readonly bySlug: boolean
}

/** The key of a group among those that were asked about. */
export const groupKey = ({ product, id }: Pick<Group, 'product' | 'id'>): string => `${product}\n${id}`

/**
 * The tenants that groups are: those whose id, or whose present or former slug, it is, and which have or had the
 * product. Anything else is no tenant, and stays a text. The tenants are locked as rows that refer to them lock them, in
 * the order of their ids, so that they are there until the transaction ends.
 */
export async function lockTenantsOfGroups(
  tx: HousekeepingTx,
  groups: readonly Group[],
): Promise<Map<string, TenantId>> {
  return await find(tx, groups, sql` order by tenant.id for key share of tenant`)
}

/** The tenants that groups are, as they are now. */
export async function findTenantsOfGroups(db: Reader, groups: readonly Group[]): Promise<Map<string, TenantId>> {
  return await find(db, groups, sql``)
}

/** A tenant that has or had a product, and what else it is or was called. */
export interface TenantOfProduct {
  readonly tenant_id: TenantId
  readonly product: string
  readonly slugs: readonly string[]
}

/** Tenants with the products that they have or had, in that order, after this one. */
export async function listTenantsOfProducts(
  db: Reader,
  after: TenantOfProduct | undefined,
  rowsMax: number,
): Promise<TenantOfProduct[]> {
  return await db
    .selectFrom('registry.tenant_products_ever as had')
    .select(['had.tenant_id', 'had.product'])
    .select(
      sql<string[]>`array(select held.slug from registry.slugs held where held.tenant_id = had.tenant_id)`.as('slugs'),
    )
    .$if(after !== undefined, (query) =>
      query.where(() => sql<SqlBool>`(had.tenant_id, had.product) > (${after?.tenant_id}::uuid, ${after?.product})`),
    )
    .orderBy('had.tenant_id')
    .orderBy('had.product')
    .limit(rowsMax)
    .execute()
}

async function find(
  db: Reader,
  groups: readonly Group[],
  ending: ReturnType<typeof sql>,
): Promise<Map<string, TenantId>> {
  const byId = groups.filter(({ id }) => TenantId.safeParse(id).success)
  const bySlug = groups.filter(({ id, bySlug: hasSlugs }) => hasSlugs && !TenantId.safeParse(id).success)
  if (byId.length + bySlug.length === 0) return new Map()
  const arraysOf = (sent: readonly Group[]) => sql.join(columnArrays({ product: 'text', id: 'text' }, sent))
  const rows = await executeShape(
    db,
    'audit_groups',
    sql<{ product: string; id: string; tenant_id: TenantId }>`
    select named.product, named.id, tenant.id as tenant_id
    from (
      select product, id, id::uuid as tenant_id
      from unnest(${arraysOf(byId)}) as sent (product, id)
      union all
      select sent.product, sent.id, held.tenant_id
      from unnest(${arraysOf(bySlug)}) as sent (product, id)
      join registry.slugs held on held.slug = sent.id
    ) named
    join registry.tenant_products_ever had on had.tenant_id = named.tenant_id and had.product = named.product
    join tenants tenant on tenant.id = named.tenant_id${ending}`,
  )
  return new Map(rows.map((row) => [groupKey(row), row.tenant_id]))
}
