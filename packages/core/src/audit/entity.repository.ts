import { sql } from 'kysely'
import { columnArrays } from '../db/binary-array.ts'
import type { AuditedTx, HousekeepingTx, Reader } from '../db/handles.ts'
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

/** By one look into the index each: a plan from when the table was small would read all of it. */
export async function findEntities(tx: Reader, keys: readonly EntityKey[]): Promise<Entity[]> {
  return await executeShape(
    tx,
    'audit_entities',
    sql<Entity>`
    select known.* from unnest(${sql.join(columnArrays(keyColumns, keys))}) as asked (scope, kind, entity_id)
    cross join lateral (
      select scope, kind, entity_id, name, href, type, fields from registry.audit_entities known
      where known.scope = asked.scope and known.kind = asked.kind and known.entity_id = asked.entity_id limit 1
    ) known`,
  )
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

const keyColumns = { scope: 'uuid', kind: 'text', entity_id: 'text' } as const
const columns = { ...keyColumns, name: 'text', href: 'text', type: 'text', fields: 'json' } as const
