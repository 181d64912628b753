import type { AuditedTx, HousekeepingTx, Reader } from '../db/handles.ts'
import type { StreamId } from '../id.ts'
import type { NewAuditEvent } from './audit-event.ts'
import { type Entity, type EntityKey, findEntities, upsertEntities } from './entity.repository.ts'
import { decodeEventMap, encodeEventMap, type EventMap } from './event-map.ts'
import { streamOf } from './stream.ts'

/**
 * No more of what is said of somebody is remembered than this, in UTF-16 code units: a thousand small events may name
 * them, and each would become as large.
 */
const rememberedMax = { text: 1_024, fields: 8_192 } as const

/**
 * Fills in what was last said of the actors, targets and groups of events: the names, addresses, types and fields that
 * an event leaves out. What it says itself is remembered for the next ones, unless it is long. All of it within one product, environment
 * and group, so that no customer is shown what another one said.
 */
export async function fillIn(
  tx: AuditedTx | HousekeepingTx,
  events: readonly NewAuditEvent[],
): Promise<NewAuditEvent[]> {
  const { filled, said } = fillInFrom(await findKnown(tx, events), events)
  await remember(tx, said)
  return filled
}

/** What is known of the actors, targets and groups of events. */
export async function findKnown(tx: Reader, events: readonly Naming[]): Promise<Entity[]> {
  const keys = new Map(events.flatMap(keysOf).map((key) => [spell(key), key]))
  return keys.size > 0 ? await findEntities(tx, [...keys.values()]) : []
}

/** Fills in what is known, and answers what is to be remembered of what the events say themselves. */
export function fillInFrom(
  stored: readonly Entity[],
  events: readonly NewAuditEvent[],
): { readonly filled: NewAuditEvent[]; readonly said: Entity[] } {
  const known = new Map(stored.map((entity) => [spell(entity), entity]))
  const changed = new Map<string, Entity>()

  /** What is known of one after it was named with this. */
  function learn(key: EntityKey, said: Said): Entity {
    const name = spell(key)
    const before = known.get(name) ?? { ...key, name: null, href: null, type: null, fields: null }
    const now = {
      ...key,
      name: upTo(rememberedMax.text, said.name) ?? before.name,
      href: upTo(rememberedMax.text, said.href) ?? before.href,
      type: upTo(rememberedMax.text, said.type) ?? before.type,
      fields: upTo(rememberedMax.fields, said.fields && encodeEventMap(said.fields)) ?? before.fields,
    }
    if (saysNothingNew(before, now)) return before
    known.set(name, now)
    changed.set(name, now)
    return now
  }

  const filled = events.map((event): NewAuditEvent => {
    const scope = scopeOf(event)
    const about = <Party extends Said>(kind: EntityKey['kind'], said: Party | undefined) =>
      said?.id ? withKnown(said, learn({ scope, kind, entity_id: said.id }, said)) : said
    const actor = about('actor', event.actor)
    const target = about('target', event.target)
    const group = about('group', event.group)
    // Most events say all that is known themselves.
    const isWhole = actor === event.actor && target === event.target && group === event.group
    return isWhole ? event : { ...event, ...(actor && { actor }), ...(target && { target }), ...(group && { group }) }
  })
  return { filled, said: [...changed.values()] }
}

/** Writes down what events said. */
export async function remember(tx: AuditedTx | HousekeepingTx, said: readonly Entity[]): Promise<void> {
  if (said.length > 0) await upsertEntities(tx, said)
}

/** Of whom something may be known: the parts of an event that say so. */
type Naming = Pick<NewAuditEvent, 'product' | 'environment' | 'actor' | 'group' | 'target'>

/** What an event says of somebody or something. */
interface Said {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly href?: string | undefined
  readonly type?: string | undefined
  readonly fields?: EventMap | undefined
}

function keysOf(event: Naming): EntityKey[] {
  const scope = scopeOf(event)
  return (['actor', 'group', 'target'] as const).flatMap((kind) => {
    const id = event[kind]?.id
    return id ? [{ scope, kind, entity_id: id }] : []
  })
}

/** Never a tenant's stream: that one is the same for all products. */
const scopeOf = ({ product, environment, group }: Naming): StreamId =>
  streamOf({ tenant_id: null, product, environment, group_id: group?.id ?? null })

/** No kind has a blank in it, and no scope. */
const spell = ({ scope, kind, entity_id }: EntityKey) => `${scope} ${kind} ${entity_id}`

const saysNothingNew = (before: Entity, now: Entity) =>
  before.name === now.name && before.href === now.href && before.type === now.type && before.fields === now.fields

const upTo = (lengthMax: number, text: string | undefined) =>
  text !== undefined && text.length <= lengthMax ? text : undefined

/** What is said of somebody, with what is known beside it; itself where that is nothing. */
function withKnown<Party extends Said>(said: Party, { name, href, type, fields }: Entity): Party {
  const unsaid = {
    ...(name !== null && said.name === undefined && { name }),
    ...(href !== null && said.href === undefined && { href }),
    ...(type !== null && said.type === undefined && { type }),
    ...(fields !== null && said.fields === undefined && { fields: decodeEventMap(fields) }),
  }
  return Object.keys(unsaid).length > 0 ? { ...said, ...unsaid } : said
}
