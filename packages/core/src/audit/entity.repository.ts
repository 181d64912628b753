import { sql } from 'kysely'
import { type AuditedTx, type HousekeepingTx, type Reader, unwrap } from '../db/handles.ts'
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

export async function findEntities(tx: Reader, keys: readonly EntityKey[]): Promise<Entity[]> {
  const { rows } = await sql<Entity>`
    select known.scope, known.kind, known.entity_id, known.name, known.href, known.type, known.fields
    from unnest(
      ${keys.map(({ scope }) => scope)}::uuid[],
      ${keys.map(({ kind }) => kind)}::text[],
      ${keys.map(({ entity_id }) => entity_id)}::text[]
    ) as asked (scope, kind, entity_id)
    join registry.audit_entities known
      on known.scope = asked.scope and known.kind = asked.kind and known.entity_id = asked.entity_id`.execute(
    unwrap(tx),
  )
  return rows
}

/** Writes down what is known now, in the order of the keys: two that do this at once never wait in a circle. */
export async function upsertEntities(tx: AuditedTx | HousekeepingTx, entities: readonly Entity[]): Promise<void> {
  await sql`
    insert into registry.audit_entities as known (scope, kind, entity_id, name, href, type, fields)
    select * from unnest(
      ${entities.map(({ scope }) => scope)}::uuid[],
      ${entities.map(({ kind }) => kind)}::text[],
      ${entities.map(({ entity_id }) => entity_id)}::text[],
      ${entities.map(({ name }) => name)}::text[],
      ${entities.map(({ href }) => href)}::text[],
      ${entities.map(({ type }) => type)}::text[],
      ${entities.map(({ fields }) => fields)}::json[]
    ) as said (scope, kind, entity_id, name, href, type, fields)
    order by scope, kind, entity_id
    on conflict (scope, kind, entity_id) do update
    set name = coalesce(excluded.name, known.name), href = coalesce(excluded.href, known.href),
      type = coalesce(excluded.type, known.type), fields = coalesce(excluded.fields, known.fields)`.execute(unwrap(tx))
}
