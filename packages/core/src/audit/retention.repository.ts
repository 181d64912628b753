import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely'
import type { HousekeepingTx, Reader } from '../db/handles.ts'
import type { StreamId, TenantId } from '../id.ts'
import type { Sight } from '../sight.ts'

/** How long the events of a product are kept on a plan, which is empty where there is none. */
export interface RetentionTerm {
  readonly product: string
  readonly plan: string
  /** Null for ever. */
  readonly days: number | null
}

/**
 * What came in so lately that every plan keeps it still, or what came in before, of which some may be over. A page that
 * is full of the one never has to look for what is left of the other, among months of which nothing is.
 */
export interface Part {
  readonly name: 'recent' | 'older'
  /** Since when all is kept, as PostgreSQL spells it: what `keptSince` gives. */
  readonly keptSince: string
}

/** What a read is about, where it names it. */
export interface Asked {
  /** One log: a stream, or a tenant, whose stream has its id. */
  readonly log?: StreamId | TenantId | undefined
  readonly product?: string | undefined
  /** All of it unless told. */
  readonly part?: Part | undefined
}

/**
 * What is over by the plan of the tenant whose log it is in, or by what is agreed with it, is not there for anybody:
 * events of a tenant that is gone, and of none, go by what the product keeps without a plan. The registry's own go with
 * the months alone. A legal hold keeps a stream readable for the platform, where it asks for this one or for one event;
 * that there is a hold is not for others to see.
 *
 * What is over may still fill partitions for years, and every page would look through them. So each of these is made
 * for what is asked: for a product, whole partitions are left out; for a log, a row costs a look into a small map;
 * and only without either is there a question to the tables for every row that some plan does not keep.
 */
export function retentionConditions(sight: Sight, asked: Asked = {}): Expression<SqlBool>[] {
  const part = partConditions(asked)
  return asked.part?.name === 'recent' ? part : [...part, ...keptConditions(sight, asked)]
}

function keptConditions(sight: Sight, { log, product }: Asked): Expression<SqlBool>[] {
  if (log !== undefined) {
    const cutoffs = cutoffsOf(sight, log)
    return product === undefined
      ? [sql<SqlBool>`received_at >= coalesce(((select ${cutoffs}) ->> product)::timestamptz, '-infinity')`]
      : [sql<SqlBool>`received_at >= (select coalesce((${cutoffs} ->> ${product}::text)::timestamptz, '-infinity'))`]
  }
  if (product === undefined) return [sql<SqlBool>`(received_at >= (select registry.audit_horizon()) or ${kept(sight)})`]
  return [
    sql<SqlBool>`received_at >= (select registry.audit_floor(${product}::text))`,
    sql<SqlBool>`(received_at >= (select registry.audit_horizon(${product}::text)) or ${kept(sight)})`,
  ]
}

const cutoffsOf = (sight: Sight, log: StreamId | TenantId) =>
  sql`registry.audit_cutoffs(${log}::uuid, ${sql.lit(sight.kind === 'platform')})`

/** Whether there are parts of what is asked for: of one product in one log all that is over is left out by its time. */
export const hasParts = ({ log, product }: Asked): boolean => log === undefined || product === undefined

/** When what is asked for has to have come in, for being of the part that is. Leaves whole partitions out. */
export function partConditions({ part }: Pick<Asked, 'part'>): Expression<SqlBool>[] {
  if (part === undefined) return []
  const since = sql`${part.keptSince}::timestamptz`
  return [part.name === 'recent' ? sql<SqlBool>`received_at >= ${since}` : sql<SqlBool>`received_at < ${since}`]
}

/** Nothing is ever over. */
export const always = '-infinity'

/**
 * Since when all of what is asked for is kept, as PostgreSQL spells it; `always` where nothing is ever over. Where that is
 * before this month, it is since the month after: within its own, who reads what came in before would walk past all that
 * came in later, and that may be nearly all of a partition.
 */
export function keptSince(sight: Sight, { log, product }: Asked): RawBuilder<string> {
  const monthOf = (time: RawBuilder<unknown>) => sql`date_trunc('month', ${time} at time zone 'UTC')`
  const after = sql`${monthOf(sql`since`)} + interval '1 month'`
  return sql`coalesce((
    select case when ${after} <= ${monthOf(sql`now()`)} then (${after}) at time zone 'UTC' else since end
    from (select (${keptSinceOf(sight, { log, product })}) as since) as horizon
  )::text, ${sql.lit(always)})`
}

function keptSinceOf(sight: Sight, { log, product }: Asked) {
  if (log !== undefined) return sql`select max(value::timestamptz) from jsonb_each_text(${cutoffsOf(sight, log)})`
  return product === undefined
    ? sql`select registry.audit_horizon()`
    : sql`select registry.audit_horizon(${product}::text)`
}

/** By product and plan for how many days events are kept; of a product without a default nothing is ever over. */
const terms = sql`(
    select jsonb_object_agg(product, days) from (
      select product, jsonb_object_agg(plan, days) as days from registry.audit_retention
      group by product having bool_or(plan = '')
    ) as terms
  )`

/**
 * Whether a row is kept, by the tables themselves. What the plans keep is looked up once for a statement, so that a row
 * costs a look for what is agreed with its tenant, and one for the tenant's plan.
 */
function kept(sight: Sight) {
  const held =
    sight.kind === 'platform'
      ? sql`or exists (select from registry.legal_holds hold where hold.stream_id = audit_log.stream_id)`
      : sql``
  return sql<SqlBool>`(received_at >= coalesce(now() - make_interval(days => case
    when ${terms} -> audit_log.product is not null then coalesce(
      (select registry.audit_days(agreed.limits) from tenant_products agreed
        where agreed.tenant_id = audit_log.stream_id and agreed.product = audit_log.product),
      (select (${terms} -> audit_log.product ->> owner.plan)::integer from tenants owner
        where owner.id = audit_log.stream_id),
      (${terms} -> audit_log.product ->> '')::integer
    )
  end), '-infinity') ${held})`
}

/**
 * Puts down what the manifests say. What is said already is not touched: since when it is said matters. Nor is what is
 * said of a product that they do not name: a server that does not know it yet, or no more, would bring back what is over.
 */
export async function saveTerms(tx: HousekeepingTx, terms: readonly RetentionTerm[]): Promise<number> {
  const known = await tx.selectFrom('registry.audit_retention').select(['product', 'plan', 'days']).execute()
  const keyOf = ({ product, plan }: Pick<RetentionTerm, 'product' | 'plan'>) => `${product}\n${plan}`
  const was = new Map(known.map((term) => [keyOf(term), term.days]))
  const said = new Set(terms.map(keyOf))
  const changed = terms.filter((term) => was.get(keyOf(term)) !== term.days)
  const products = new Set(terms.map(({ product }) => product))
  const gone = known.filter((term) => products.has(term.product) && !said.has(keyOf(term)))
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

/** What the log says of a month that was dropped; its target is the month, as `2025-01`. */
export const monthDroppedAction = 'audit_log.month_dropped'

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
