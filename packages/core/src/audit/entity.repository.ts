import { sql } from 'kysely'
import { columnArrays } from '../db/binary-array.ts'
import { type AuditedTx, type HousekeepingTx, type Reader, unwrap } from '../db/handles.ts'
import { executeShape } from '../db/prepared.ts'
import type { StreamId } from '../id.ts'

/** Whom or what something is known of. */
export interface EntityKey {
  /** What product, environment and group it is known in: UUIDv5 of the three. */
  readonly scope: StreamId
  readonly kind: 'actor' | 'group' | 'target'
  readonly entity_id: string
}

/** What is known. A map is its JSON text. */
export interface Entity extends EntityKey {
  readonly name: string | null
  readonly href: string | null
  readonly type: string | null
  readonly fields: string | null
}

/**
 * What is known of these, as far as something is. By one look into the index each: a plan from when the table was small
 * would read all of it. Who asks knows the keys, so that their places come back in their stead.
 */
export async function findEntities(tx: Reader, keys: readonly EntityKey[]): Promise<Entity[]> {
  const rows = await executeShape(
    tx,
    'audit_entities',
    sql<Omit<Entity, keyof EntityKey> & { place: number }>`
    select asked.place::integer, known.name, known.href, known.type, known.fields
    from unnest(${sql.join(columnArrays(keyColumns, keys))}) with ordinality as asked (scope, kind, entity_id, place)
    cross join lateral (
      select name, href, type, fields from registry.audit_entities known
      where known.scope = asked.scope and known.kind = asked.kind and known.entity_id = asked.entity_id limit 1
    ) known`,
  )
  return rows.map(({ place, ...known }) => ({ ...(keys[place - 1] as EntityKey), ...known }))
}

/** Writes down what is known now, in the order of the keys: two that do this at once never wait in a circle. */
export async function upsertEntities(tx: AuditedTx | HousekeepingTx, entities: readonly Entity[]): Promise<void> {
  await executeShape(
    tx,
    'audit_entities',
    sql`
    insert into registry.audit_entities as known (scope, kind, entity_id, name, href, type, fields)
    select * from unnest(${sql.join(columnArrays(columns, entities))}) as said (scope, kind, entity_id, name, href, type, fields)
    order by scope, kind, entity_id
    on conflict (scope, kind, entity_id) do update
    set name = coalesce(excluded.name, known.name), href = coalesce(excluded.href, known.href),
      type = coalesce(excluded.type, known.type), fields = coalesce(excluded.fields, known.fields)`,
  )
}

/** In what products, environments and groups something is known of one. Reads all that is known: it is asked for rarely. */
export async function listScopesKnowing(
  db: Reader,
  { kind, entity_id }: Omit<EntityKey, 'scope'>,
): Promise<StreamId[]> {
  const rows = await db
    .selectFrom('registry.audit_entities')
    .select('scope')
    .where('kind', '=', kind)
    .where('entity_id', '=', entity_id)
    .$castTo<Pick<EntityKey, 'scope'>>()
    .execute()
  return rows.map(({ scope }) => scope)
}

/**
 * Waits for all transactions that have looked at what is known, and keeps others from looking until this one ends: what
 * it deletes then is in no event that is still to be written. Every event that comes in waits meanwhile, so it gives up soon.
 */
export async function lockEntities(tx: HousekeepingTx): Promise<void> {
  const db = unwrap(tx)
  await sql`set local lock_timeout = '1s'`.execute(db)
  await sql`lock table registry.audit_entities in access exclusive mode`.execute(db)
}

/** Deletes what is known of these, and answers of how many something was. */
export async function deleteEntities(tx: HousekeepingTx, keys: readonly EntityKey[]): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from registry.audit_entities known
    using unnest(${sql.join(columnArrays(keyColumns, keys))}) as gone (scope, kind, entity_id)
    where known.scope = gone.scope and known.kind = gone.kind and known.entity_id = gone.entity_id`.execute(unwrap(tx))
  return Number(numAffectedRows ?? 0)
}

const keyColumns = { scope: 'uuid', kind: 'text', entity_id: 'text' } as const
const columns = { ...keyColumns, name: 'text', href: 'text', type: 'text', fields: 'json' } as const
