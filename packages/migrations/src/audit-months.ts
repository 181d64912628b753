import type { Client } from 'pg'

/** A month of the log that has a partition. */
export interface Month {
  /** `2025-01`. */
  readonly name: string
  /** Its first day, and that of the next month. */
  readonly first: string
  readonly end: string
  /** Whether its partition is a part of the log, is about to be none, or is none any more. */
  readonly state: 'attached' | 'pending' | 'detached'
}

/** The partition of a month. Its name is made of digits alone. */
export const tableOf = ({ name }: Pick<Month, 'name'>): string => `registry.audit_log_${name.replace('-', '_')}`

/** The months that are there, the oldest first; or those alone that a killed run has left halfway. */
export async function months(client: Client, which: 'all' | 'begun'): Promise<Month[]> {
  const { rows } = await client.query<Month>(`
    select substr(c.relname, 11, 4) || '-' || substr(c.relname, 16) as name,
      first::text, (first + interval '1 month')::date::text as end,
      case when i.inhrelid is null then 'detached' when i.inhdetachpending then 'pending' else 'attached' end as state
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'registry'
    left join pg_inherits i on i.inhrelid = c.oid and i.inhparent = 'public.audit_log'::regclass
    cross join lateral (select to_date(substr(c.relname, 11), 'YYYY_MM') as first) at
    where c.relkind = 'r' and c.relname ~ '^audit_log_[0-9]{4}_[0-9]{2}$'
    order by 1`)
  if (which === 'all') return rows
  const { rows: begun } = await client.query<{ name: string }>(
    `select to_char(month, 'YYYY-MM') as name from registry.audit_drops where dropped_at is null`,
  )
  const names = new Set(begun.map(({ name }) => name))
  return rows.filter(({ name, state }) => state !== 'attached' && names.has(name))
}

/** The months before this one that are parts of the log, the oldest first. */
export async function monthsBefore(client: Client): Promise<Month[]> {
  const { rows } = await client.query<{ name: string }>(`select to_char(now() at time zone 'UTC', 'YYYY-MM') as name`)
  const now = rows[0]?.name ?? ''
  return (await months(client, 'all')).filter(({ name, state }) => state === 'attached' && name < now)
}

/** What is said of how long events are kept has to have been said for so long before anything is dropped by it. */
const saidForDays = 7

/** The product under which the registry's own events stand: they go with the others. */
const ownProduct = 'tenant-registry'

/**
 * Why a month cannot be dropped yet: what is not known counts as for ever. The retention is that of the longest plan, or
 * of the assignment that was agreed on for longer. A product that keeps its events for ever and has none in the month keeps
 * nothing there, or one that there is no more would keep all months.
 */
export async function reasonToKeep(client: Client, month: Month): Promise<string | undefined> {
  const table = tableOf(month)
  const { rows } = await client.query<{ reason: string | null }>(
    `with recursive logged (product) as (
      (select product::text from ${table} order by product limit 1)
      union all
      select (select part.product::text from ${table} part where part.product > logged.product order by part.product limit 1)
      from logged where logged.product is not null
    ),
    longest as (
      select greatest(
        (select max(days) from registry.audit_retention),
        (select max(registry.audit_days(limits)) from tenant_products where registry.audit_days(limits) is not null)
      ) as days
    )
    select coalesce(
      (select 'nothing says how long events are kept: no server has started yet' where not exists (select from registry.audit_retention)),
      (select format('%s keeps its events for ever%s', product, case when plan <> '' then format(' on the plan %s', plan) else '' end)
        from registry.audit_retention
        where days is null and (product in (select product from logged) or (select days is null from longest))
        order by product, plan limit 1),
      (select format('nothing says how long the events of %s are kept', product) from logged
        where product is not null and product <> $2 and not exists (select from registry.audit_retention term where term.product = logged.product)
        order by product limit 1),
      (select format('how long %s keeps its events has been said for less than ${saidForDays} days', product) from registry.audit_retention
        where since > now() - make_interval(days => ${saidForDays}) order by product limit 1),
      (select format('some are kept for %s days, until %s', days, to_char($1::date + days, 'YYYY-MM-DD')) from longest
        where ($1 || ' 00:00:00+00')::timestamptz + make_interval(days => days) > now()),
      (select format('stream %s is under a legal hold', stream_id) from registry.legal_holds hold
        where exists (select from ${table} part where part.stream_id = hold.stream_id) limit 1)
    ) as reason`,
    [month.end, ownProduct],
  )
  return rows[0]?.reason ?? undefined
}
