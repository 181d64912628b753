import { type AuditRow, bareId } from '@breakpilot/tenant-core'
import { wireTime } from './graphql/node.ts'

type Cell = string | number | boolean | null

const time = (at: Date | null) => wireTime(at)?.slice(0, -1).replace('T', ' ') ?? null

/** Maps are JSON texts already. */
const mapText = (map: unknown) => (typeof map === 'string' ? map : null)

/** What is there of a group or a target, as JSON. */
function party(entries: Readonly<Record<string, string | null>>): string | null {
  const said = Object.entries(entries).filter(([, value]) => value !== null)
  return said.length > 0 ? JSON.stringify(Object.fromEntries(said)) : null
}

/** The columns, by the names that Retraced gives them. They are the same in every file. */
const columns: Readonly<Record<string, (row: AuditRow) => Cell>> = {
  id: ({ id }) => bareId(id),
  action: ({ action }) => action,
  crud: ({ crud }) => crud,
  description: ({ description }) => description,
  canonical_time: ({ canonical_at }) => time(canonical_at),
  created: ({ created_at }) => time(created_at),
  received: ({ received_at }) => time(received_at),
  actor_id: ({ actor_id }) => actor_id,
  actor_name: ({ actor_name }) => actor_name,
  actor_url: ({ actor_href }) => actor_href,
  actor_fields: ({ actor_fields }) => mapText(actor_fields),
  group: ({ group_id: id, group_name: name }) => party({ id, name }),
  target: ({ target_id: id, target_name: name, target_href: href, target_type: type }) =>
    party({ id, name, href, type }),
  target_fields: ({ target_fields }) => mapText(target_fields),
  source_ip: ({ source_ip }) => source_ip,
  component: ({ component }) => component,
  version: ({ version }) => version,
  external_id: ({ external_id }) => external_id,
  is_anonymous: ({ is_anonymous }) => is_anonymous,
  is_failure: ({ is_failure }) => is_failure,
  fields: ({ fields }) => mapText(fields),
  metadata: ({ metadata }) => mapText(metadata),
}

/** The same where the events are of several products. */
const columnsOfAll: typeof columns = {
  ...columns,
  product: ({ product }) => product,
  environment: ({ environment }) => environment,
}

/**
 * A file of events, piece by piece: a line of names, and a line for each. Nothing of it is there before the first events
 * are.
 * @param ofAll whether the events may be of several products, and each says of which one
 */
export async function* csvOf(
  pages: AsyncIterable<readonly AuditRow[]>,
  { ofAll = false } = {},
): AsyncGenerator<string, void> {
  const shown = ofAll ? columnsOfAll : columns
  let begun = `${Object.keys(shown).join(',')}\n`
  for await (const rows of pages) {
    yield begun + rows.map((row) => lineOf(row, Object.values(shown))).join('')
    begun = ''
  }
  if (begun !== '') yield begun
}

const lineOf = (row: AuditRow, cells: readonly ((row: AuditRow) => Cell)[]) =>
  `${cells.map((cell) => written(cell(row))).join(',')}\n`

/** What makes spreadsheets take a text for a formula, also in its full-width forms: https://owasp.org/www-community/attacks/CSV_Injection */
const formula = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/
const number = /^[+-]?\d+(?:\.\d+)?$/

/** A cell as RFC 4180 has it, and of no formula. */
function written(cell: Cell): string {
  if (cell === null) return ''
  const text = String(cell)
  const safe = formula.test(text) && !number.test(text) ? `'${text}` : text
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** A name that is a file's everywhere. */
export const fileNameOf = (name: string) => name.replaceAll(/[^A-Za-z0-9._-]+/g, '_').slice(0, 96) || 'export'
