import { type Expression, expressionBuilder, type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Reader } from '../db/handles.ts'
import type { Schema } from '../db/schema.ts'
import { platformTenant, type TenantId } from '../id.ts'
import type { Position } from '../page.ts'
import type { Sight } from '../sight.ts'
import { products, tenantColumns, type TenantRow } from './tenant.repository.ts'
import type { TenantQuery, TenantSort } from './tenant.ts'

/** What a list of tenants can be narrowed by. */
export type TenantFilter = Omit<TenantQuery, 'limit' | 'cursor' | 'sort'>

/** What each sort goes by, in the form that has an index, and how its position is written in SQL. */
const sortKeys = {
  created_at: { key: sql<Date>`tenants.created_at`, type: sql`timestamptz` },
  name: { key: sql<string>`lower(tenants.name) collate "C"`, type: sql`text` },
  slug: { key: sql<string>`tenants.slug collate "C"`, type: sql`text` },
} as const

/** A row of a list, and what it was sorted by. */
export type ListedTenant = TenantRow & { readonly sorted_by: string | Date }

/**
 * Tenants, sorted, from the one after `after` on. They are found along the index of the sort, which is quick when many
 * match, wherever the page begins. When few do it would read all there are, so those few are fetched and sorted instead.
 */
export async function listTenants(
  db: Reader,
  sight: Sight,
  filter: TenantFilter,
  sort: TenantSort,
  limit: number,
  after?: Position,
): Promise<ListedTenant[]> {
  const order = orderOf(sort, after)
  const criteria = criteriaOf(sight, filter, sort)
  const counted = criteria.filter(({ ids }) => ids !== undefined)
  if (counted.length === 1 && counted[0]?.isIndexed) {
    const all = criteria.map(({ holds }) => holds)
    return (await scanned(db, all, order, limit)) ?? (await sorted(db, all, order, limit))
  }
  // Who sees these tenants alone sees few.
  const fewest = sight.kind === 'tenants' ? undefined : await fewestOf(db, counted)
  if (fewest) {
    const others = criteria.filter((each) => each !== fewest).map(({ holds }) => holds)
    return await sorted(db, [sql<SqlBool>`tenants.id = any(array(${fewest.ids}))`, ...others], order, limit)
  }
  const looked = criteria.filter(({ hashed }) => hashed !== undefined)
  const read = criteria.filter(({ hashed }) => hashed === undefined).map(({ holds }) => holds)
  if (looked.length === 0) return await sorted(db, read, order, limit)
  const near = await sorted(db, read, order, limit, { looked: looked.map(({ holds }) => holds), of: nearMax })
  if (near.length === limit) return near
  return await sorted(db, [...read, ...looked.flatMap(({ hashed }) => hashed ?? [])], order, limit)
}

/** Where a page begins, and how it goes on. */
interface Order {
  readonly key: RawBuilder<string | Date>
  readonly direction: 'asc' | 'desc'
  readonly beyond: readonly Expression<SqlBool>[]
}

function orderOf(sort: TenantSort, after: Position | undefined): Order {
  const descending = sort.startsWith('-')
  const { key, type } = sortKeys[sort.replace('-', '') as keyof typeof sortKeys]
  const sign = descending ? sql`<` : sql`>`
  return {
    key,
    direction: descending ? 'desc' : 'asc',
    beyond: after ? [sql<SqlBool>`(${key}, tenants.id) ${sign} (${after.key}::${type}, ${after.id}::uuid)`] : [],
  }
}

/**
 * The first `limit` tenants for which all conditions hold. With `near` only the first so many are looked at, of which
 * those are answered for which its conditions hold as well.
 */
async function sorted(
  db: Reader,
  conditions: readonly Expression<SqlBool>[],
  { key, direction, beyond }: Order,
  limit: number,
  near?: { readonly looked: readonly Expression<SqlBool>[]; readonly of: number },
): Promise<ListedTenant[]> {
  const wanted = eb.and([...conditions, ...beyond])
  const found = db
    .selectFrom('tenants')
    .select(tenantColumns)
    .select(key.as('sorted_by'))
    .where(wanted)
    .orderBy(key, direction)
    .orderBy('tenants.id', direction)
    .limit(near?.of ?? limit)
    .as('tenants')
  return await db
    .selectFrom(found)
    .selectAll()
    .select(products)
    .where(eb.and([...(near?.looked ?? [])]))
    .orderBy('sorted_by', direction)
    .orderBy('tenants.id', direction)
    .limit(limit)
    .execute()
}

/**
 * The same, found by the indexes of the conditions instead of that of the sort: in one go, since there is but one thing
 * that few can have in common. Undefined when they are more than few.
 */
async function scanned(
  db: Reader,
  conditions: readonly Expression<SqlBool>[],
  order: Order,
  limit: number,
): Promise<ListedTenant[] | undefined> {
  const { key, direction, beyond } = order
  const by = sql.raw(direction)
  // Materialized, or PostgreSQL would go along the index of the sort all the same.
  const page = sql<{ found_id: TenantId; size: number }>`(
    with found as materialized (
      select tenants.id, ${key} as key from tenants where ${eb.and([...conditions, ...beyond])}
      limit ${fewMax.together + 1}
    )
    select id as found_id, (select count(*)::integer from found) as size from found
    order by key ${by}, id ${by} limit ${limit}
  )`
  const rows = await db
    .selectFrom(page.as('page'))
    .innerJoin('tenants', 'tenants.id', 'page.found_id')
    .select(tenantColumns)
    .select([key.as('sorted_by'), 'page.size'])
    .select(products)
    .orderBy(key, direction)
    .orderBy('tenants.id', direction)
    .execute()
  if ((rows[0]?.size ?? 0) > fewMax.together) return undefined
  return rows.map(({ size: _, ...row }) => row)
}

/** Something that the tenants of a list have in common. */
interface Criterion {
  /** Whether a row of `tenants` has it. */
  readonly holds: Expression<SqlBool>
  /** A query for the ids of all that have it, where an index finds them and the sort does not already. */
  readonly ids?: Expression<unknown>
  /** Up to how many `ids` are few. */
  readonly fewMax?: number
  /** Whether indexes find all that `holds` holds for, in one go. */
  readonly isIndexed?: boolean
  /** The same as `holds`, where that looks up each row: dear to begin with, and cheap for each row that is passed over. */
  readonly hashed?: Expression<SqlBool>
}

/**
 * How many tenants are few. At 100 000, to fetch and sort 2 000 takes as long as the walk along a sort that is to be
 * expected when 2 000 match. Of those that may all be at the far end of the sort more are fetched before a walk is
 * risked: a product may have been given only to tenants of one age, and names that begin alike stand together.
 */
const fewMax = { apart: 2_000, together: 5_000 } as const

/** How many tenants are looked up one by one before those that are wanted count as far away. */
const nearMax = 2_000

/** The criterion that fewest tenants meet, if those are few. */
async function fewestOf(db: Reader, found: readonly Criterion[]): Promise<Criterion | undefined> {
  if (found.length === 0) return undefined
  const counts = found.map(({ ids, fewMax: max = fewMax.apart }) => {
    return sql`(select nullif(count(*), ${max + 1})::integer from (${ids} limit ${max + 1}) as found)`
  })
  const { sizes } = await db
    .selectFrom(sql<{ sizes: (number | null)[] }>`(select array[${sql.join(counts)}] as sizes)`.as('counted'))
    .select('sizes')
    .executeTakeFirstOrThrow()
  const few = sizes.filter((size) => size !== null)
  return few.length === 0 ? undefined : found[sizes.indexOf(Math.min(...few))]
}

const eb = expressionBuilder<Schema, 'tenants'>()

/** What tenants have to have to be in a list: to be in sight, as `visible` says, and to match the filter. */
function criteriaOf(sight: Sight, filter: TenantFilter, sort: TenantSort): Criterion[] {
  const { status, kind, plan, product, sales_owner, q } = filter
  // What is indexed together with the time of creation is in order when the list goes by it.
  const inOrder = sort.endsWith('created_at')
  return [
    ...inSight(sight),
    ...(status === undefined ? [] : isNow(status, inOrder)),
    ...(kind === undefined ? [] : [byTime(eb('kind', '=', kind), inOrder || kind !== 'demo')]),
    ...(plan === undefined ? [] : [byTime(eb('plan', '=', plan), inOrder)]),
    ...(sales_owner === undefined ? [] : [byTime(eb('sales_owner', '=', sales_owner), inOrder)]),
    ...trialEnds(filter),
    ...created(filter.created_after, filter.created_before, inOrder),
    ...(product === undefined ? [] : [hasProduct(product)]),
    ...(q === undefined ? [] : [answers(q)]),
  ]
}

/** The ids of those that have something that is indexed together with the time of creation. */
function idsByTime(holds: Expression<SqlBool>) {
  // In the order of the index, or PostgreSQL would read the table itself to count those that are many.
  return sql`(select tenants.id from tenants where ${holds} order by created_at desc, id desc)`
}

/** A criterion that is indexed together with the time of creation, so that some lists have it in order. */
function byTime(holds: Expression<SqlBool>, inOrder: boolean): Criterion {
  return { holds, ...(!inOrder && { ids: idsByTime(holds) }) }
}

function inSight(sight: Sight): Criterion[] {
  const customer = { holds: sql<SqlBool>`tenants.id <> ${sql.lit(platformTenant)}` }
  if (sight.kind === 'platform' && sight.owner) return [customer]
  const stays = { holds: sql<SqlBool>`(tenants.purge_requested_at is null and ${customer.holds})` }
  if (sight.kind === 'platform') return [stays]
  if (sight.kind === 'product') return [stays, hasProduct(sight.product)]
  return [stays, { holds: sql<SqlBool>`tenants.id = any(${sight.tenantIds}::uuid[]) and tenants.status <> 'archived'` }]
}

function hasProduct(product: string): Criterion {
  // As in `idsByTime`.
  const ids = sql`(select tenant_id from tenant_products where product = ${product} order by tenant_id)`
  return {
    holds: sql<SqlBool>`exists (
      select from tenant_products where tenant_products.tenant_id = tenants.id and tenant_products.product = ${product}
    )`,
    ids,
    fewMax: fewMax.together,
    // `is true` keeps PostgreSQL from making a join of it, which would look up each row again.
    hashed: sql<SqlBool>`(tenants.id in ${ids}) is true`,
  }
}

/** An ended trial is frozen, whether that was written down or not. */
function isNow(status: NonNullable<TenantFilter['status']>, inOrder: boolean): Criterion[] {
  const written = byTime(eb('status', '=', status), inOrder)
  if (status === 'trial') return [written, { holds: sql<SqlBool>`(trial_ends_at is null or trial_ends_at > now())` }]
  if (status !== 'frozen') return [written]
  const over = sql<SqlBool>`status = 'trial' and trial_ends_at <= now()`
  return [
    {
      holds: sql<SqlBool>`(status = 'frozen' or (${over}))`,
      ids: sql`
        ${idsByTime(eb('status', '=', status))}
        union all select tenants.id from tenants where ${over}`,
    },
  ]
}

/** Trials by their end: those that run, and those whose end was written down. */
function trialEnds({ status, trial_ends_after: from, trial_ends_before: until }: TenantFilter): Criterion[] {
  if (!from && !until) return []
  const running = sql<SqlBool>`status = 'trial'`
  const ended = sql<SqlBool>`(status = 'frozen' and frozen_from = 'trial' and status_reason = 'trial_expired')`
  const trial = status === 'trial' ? running : eb.or([running, ended])
  const holds = eb.and([trial, ...within('trial_ends_at', from, until)])
  return [{ holds, ids: sql`select tenants.id from tenants where ${holds}` }]
}

function created(from: Date | undefined, until: Date | undefined, inOrder: boolean): Criterion[] {
  return from || until ? [byTime(eb.and(within('created_at', from, until)), inOrder)] : []
}

function within(column: 'created_at' | 'trial_ends_at', from: Date | undefined, until: Date | undefined) {
  return [...(from ? [eb(column, '>=', from)] : []), ...(until ? [eb(column, '<', until)] : [])]
}

/** What no character of a slug comes after. */
const afterEverySlug = '\u{10ffff}'

/** Tenants that answer a question: by the beginning of their slug, or by the words of their name. */
function answers(q: string): Criterion {
  const prefix = q.toLowerCase()
  const bySlug = sql<SqlBool>`
    (tenants.slug collate "C" >= ${prefix} and tenants.slug collate "C" < ${prefix + afterEverySlug})`
  const byName = sql<SqlBool>`tenants.name_words @@ registry.name_query(${q})`
  return {
    holds: eb.or([bySlug, byName]),
    // Materialized: PostgreSQL takes every beginning of a word for a common one, and with a limit would rather read on
    // until it has met enough.
    ids: sql`
      with named as materialized (select tenants.id from tenants where ${byName})
      select tenants.id from tenants where ${bySlug} union all select id from named`,
    fewMax: fewMax.together,
    isIndexed: true,
  }
}
