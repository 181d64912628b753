import type { Catalog } from './catalog.ts'

/** What version 1 is made of: a name for each thing, and what it is. */
export type Facts = Readonly<Record<string, string>>

/**
 * The facts by which we know version 1: tables, columns with type and nullability, enums with labels, foreign-key
 * rules, keys, triggers. The precision of times and the texts of CHECKs are not among them: 0002 sets both.
 */
export function factsOf(catalog: Catalog): Facts {
  const facts: Record<string, string> = {}
  for (const { schema, name, labels } of catalog.enums) {
    if (schema === 'public') facts[`enum ${name}`] = labels.join(', ')
  }
  for (const table of catalog.tables) {
    if (table.schema !== 'public') continue
    facts[`table ${table.name}`] =
      table.partition_key === null ? 'a plain table' : `partitioned by ${table.partition_key}`
    for (const column of table.columns) {
      const type = column.type.replace(/^(time(?:stamp)?)\(\d\)/, '$1')
      facts[`column ${table.name}.${column.name}`] = `${type}${column.not_null ? ' not null' : ''}`
    }
    for (const { name, kind, definition } of table.constraints) {
      if (kind === 'f') facts[`foreign key ${name} of ${table.name}`] = definition
      // Later migrations and the error codes go by the names of keys.
      if (kind === 'p' || kind === 'u') facts[`key ${name} of ${table.name}`] = definition
    }
    for (const { name, definition, enabled } of table.triggers) {
      facts[`trigger ${name} of ${table.name}`] = enabled ? definition : `disabled: ${definition}`
    }
  }
  return facts
}

/** Every difference, one sentence each; of a table that is missing or foreign, only the table is named. */
export function differences(expected: Facts, found: Facts): string[] {
  const missing = Object.keys(expected).filter((key) => !(key in found))
  const extra = Object.keys(found).filter((key) => !(key in expected))
  const tablesOf = (keys: string[]): Set<string> =>
    new Set(keys.filter((key) => key.startsWith('table ')).map((key) => key.slice('table '.length)))
  const lost = tablesOf(missing)
  const strange = tablesOf(extra)
  return [
    ...missing.filter((key) => !belongsTo(key, lost)).map((key) => `${key} is missing (${expected[key]})`),
    ...extra.filter((key) => !belongsTo(key, strange)).map((key) => `${key} is not part of version 1 (${found[key]})`),
    ...Object.keys(expected)
      .filter((key) => key in found && found[key] !== expected[key])
      .map((key) => `${key} is "${found[key]}", version 1 has "${expected[key]}"`),
  ]
}

function belongsTo(key: string, tables: ReadonlySet<string>): boolean {
  const table = /^column (\w+)\./.exec(key)?.[1] ?? /^(?:foreign key|key|trigger) .* of (\w+)$/.exec(key)?.[1]
  return table !== undefined && tables.has(table)
}
