import { type Expression, type SqlBool, sql } from 'kysely'
import type { HousekeepingTx, Reader } from '../db/handles.ts'
import type { TenantId } from '../id.ts'
import type { Sight } from '../sight.ts'

/** How long the events of a product are kept on a plan, which is empty where there is none. */
export interface RetentionTerm {
  readonly product: string
  readonly plan: string
  /** Null for ever. */
  readonly days: number | null
}

/**
 * What is over by the plan of the tenant whose log it is in, or by what is agreed with it, is not there for anybody:
 * events of a tenant that is gone, and of none, go by what the product keeps without a plan. A legal hold keeps a
 * stream readable for the platform alone, since that there is one is not for others to see.
 *
 * Events that every plan keeps are told from the others by one comparison, so that most reads cost nothing more.
 * @param tenant whose log alone is asked for, if it is one tenant's: its own terms are what most of it is within
 */
export function retentionConditions(sight: Sight, tenant?: TenantId): Expression<SqlBool>[] {
  const horizon = tenant === undefined ? sql`registry.audit_horizon()` : sql`registry.audit_horizon(${tenant}::uuid)`
  const held =
    sight.kind === 'platform'
      ? sql`and not exists (select from registry.legal_holds hold where hold.stream_id = audit_log.stream_id)`
      : sql``
  return [
    sql<SqlBool>`(received_at >= (select ${horizon}) or not exists (
      select from registry.audit_retention fallback
      left join tenants owner on owner.id = audit_log.stream_id
      left join registry.audit_retention term on term.product = fallback.product and term.plan = owner.plan
      left join tenant_products agreed on agreed.tenant_id = owner.id and agreed.product = fallback.product
      where fallback.product = audit_log.product and fallback.plan = ''
        and audit_log.received_at
          < now() - make_interval(days => coalesce(registry.audit_days(agreed.limits), term.days, fallback.days))
        ${held}
    ))`,
  ]
}

/** Puts down what the manifests say. What is said already is not touched: since when it is said matters. */
export async function saveTerms(tx: HousekeepingTx, terms: readonly RetentionTerm[]): Promise<number> {
  const known = await tx.selectFrom('registry.audit_retention').select(['product', 'plan', 'days']).execute()
  const keyOf = ({ product, plan }: Pick<RetentionTerm, 'product' | 'plan'>) => `${product}\n${plan}`
  const was = new Map(known.map((term) => [keyOf(term), term.days]))
  const said = new Set(terms.map(keyOf))
  const changed = terms.filter((term) => was.get(keyOf(term)) !== term.days)
  const gone = known.filter((term) => !said.has(keyOf(term)))
  for (const { product, plan } of gone) {
    await tx.deleteFrom('registry.audit_retention').where('product', '=', product).where('plan', '=', plan).execute()
  }
  if (changed.length > 0) {
    await tx
      .insertInto('registry.audit_retention')
      .values([...changed])
      .onConflict((conflict) =>
        conflict
          .columns(['product', 'plan'])
          .doUpdateSet((eb) => ({ days: eb.ref('excluded.days'), since: sql<Date>`now()` })),
      )
      .execute()
  }
  return changed.length + gone.length
}

/** A month of the log that is gone. */
export interface DroppedMonth {
  /** Its first day. */
  readonly month: string
  readonly events: number
  readonly streams: number
}

/** Months that are gone and not told of, locked; those that another process tells of are passed over. */
export async function lockUntoldDrops(tx: HousekeepingTx): Promise<DroppedMonth[]> {
  return await tx
    .selectFrom('registry.audit_drops')
    .select([sql<string>`month::text`.as('month'), 'events', 'streams'])
    .where('dropped_at', 'is not', null)
    .where('recorded_at', 'is', null)
    .orderBy('month')
    .forUpdate()
    .skipLocked()
    .execute()
}

export async function markTold(tx: HousekeepingTx, months: readonly string[]): Promise<void> {
  await tx
    .updateTable('registry.audit_drops')
    .set({ recorded_at: sql<Date>`now()` })
    .where(sql<SqlBool>`month = any(${months}::date[])`)
    .execute()
}

/** How many months the partitions reach ahead, this one not counted. */
export async function countPartitionsAhead(db: Reader): Promise<number> {
  const { ahead } = await db
    .selectFrom(
      sql<{ ahead: number }>`(
        select count(*)::integer as ahead from pg_inherits
        where inhparent = 'public.audit_log'::regclass
          and inhrelid::regclass::text > 'registry.audit_log_' || to_char(now() at time zone 'UTC', 'YYYY_MM')
      )`.as('partitions'),
    )
    .select('ahead')
    .executeTakeFirstOrThrow()
  return ahead
}
