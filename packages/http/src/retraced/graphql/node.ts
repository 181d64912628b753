import { type AuditRow, bareId, decodeEventMap, type EventMap } from '@breakpilot/tenant-core'

/** A time as this wire has it: to the second, in UTC. */
export const wireTime = (at: Date | null): string | null => at && at.toISOString().replace(/\.\d+Z$/, 'Z')

const mapOf = (json: unknown): EventMap | null => (typeof json === 'string' ? decodeEventMap(json) : null)

const listOf = (json: unknown) => mapOf(json)?.map(([key, value]) => ({ key, value })) ?? null

/**
 * An event as the schema has it. What is seldom asked for, and dear, is made when it is asked for.
 * @param ofAll whether events of several products stand beside it: then the sentence for people begins with whose it is
 */
export function nodeOf(row: AuditRow, { ofAll = false } = {}) {
  return {
    id: bareId(row.id),
    action: row.action,
    description: row.description,
    group: { id: row.group_id, name: row.group_name },
    actor: {
      id: row.actor_id,
      name: row.actor_name,
      href: row.actor_href,
      fields: () => listOf(row.actor_fields),
    },
    target: {
      id: row.target_id,
      name: row.target_name,
      href: row.target_href,
      type: row.target_type,
      fields: () => listOf(row.target_fields),
    },
    crud: row.crud,
    display: () => ({ markdown: ofAll ? `${markdownOfOrigin(row)}: ${markdownOf(row)}` : markdownOf(row) }),
    received: wireTime(row.received_at),
    created: wireTime(row.created_at),
    canonical_time: wireTime(row.canonical_at),
    is_failure: row.is_failure,
    is_anonymous: row.is_anonymous,
    source_ip: row.source_ip,
    country: null,
    loc_subdiv1: null,
    loc_subdiv2: null,
    component: row.component,
    version: row.version,
    fields: () => listOf(row.fields),
    raw: () => rawOf(row),
    external_id: row.external_id,
    metadata: () => listOf(row.metadata),
  }
}

/** Names come from products and stand in somebody's page: none of their characters marks anything up. */
const escapeMarkdown = (text: string) =>
  text.replaceAll(/[\\`*_{}[\]()#+!|<>~]/g, String.raw`\$&`).replaceAll(/\s+/g, ' ')

function markdownOf({ actor_id, actor_name, action, target_id, target_name }: AuditRow): string {
  const who = actor_name ?? actor_id
  const what = target_name ?? target_id
  const subject = who === null ? 'An unknown actor' : `**${escapeMarkdown(who)}**`
  return `${subject} performed the action **${escapeMarkdown(action)}**${what === null ? '' : ` on **${escapeMarkdown(what)}**`}`
}

/** Who recorded it: the schema has no field for that, since elsewhere all are of one product. */
const markdownOfOrigin = ({ product, environment }: AuditRow) =>
  `**${escapeMarkdown(product)}**${environment === 'live' ? '' : ` (${escapeMarkdown(environment)})`}`

/** The event as JSON, in the words of the wire, its maps as they were sent. Made of what is stored: nothing else is kept. */
function rawOf(row: AuditRow): string {
  const party = (entries: Entries) =>
    entries.every(([, value]) => isAbsent(value)) ? null : new Written(write(entries))
  return write([
    ['id', bareId(row.id)],
    ['action', row.action],
    ['crud', row.crud],
    [
      'group',
      party([
        ['id', row.group_id],
        ['name', row.group_name],
      ]),
    ],
    [
      'actor',
      party([
        ['id', row.actor_id],
        ['name', row.actor_name],
        ['href', row.actor_href],
        ['fields', written(row.actor_fields)],
      ]),
    ],
    [
      'target',
      party([
        ['id', row.target_id],
        ['name', row.target_name],
        ['href', row.target_href],
        ['type', row.target_type],
        ['fields', written(row.target_fields)],
      ]),
    ],
    ['created', row.created_at?.toISOString() ?? null],
    ['received', row.received_at.toISOString()],
    ['source_ip', row.source_ip],
    ['description', row.description],
    ['component', row.component],
    ['version', row.version],
    ['external_id', row.external_id],
    ['is_anonymous', row.is_anonymous],
    ['is_failure', row.is_failure],
    ['fields', written(row.fields)],
    ['metadata', written(row.metadata)],
  ])
}

/** A value that is JSON already. */
class Written {
  readonly json: string
  constructor(json: string) {
    this.json = json
  }
}
const written = (json: unknown) => (typeof json === 'string' ? new Written(json) : null)

type Entries = readonly (readonly [name: string, value: string | boolean | Written | null])[]
const isAbsent = (value: unknown) => value === null

function write(entries: Entries): string {
  const members = entries.flatMap(([name, value]) => {
    if (value === null) return []
    return [`${JSON.stringify(name)}:${value instanceof Written ? value.json : JSON.stringify(value)}`]
  })
  return `{${members.join(',')}}`
}
