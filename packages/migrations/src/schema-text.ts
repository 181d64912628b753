import type { Catalog, CatalogColumn, CatalogTable } from './catalog.ts'

/** The whole schema as one text to read and to review: the same for the same schema on every PostgreSQL. */
export function schemaText(catalog: Catalog): string {
  const functions = catalog.functions.map(
    ({ schema, name, arguments: args, definition, comment }) =>
      `${definition.trimEnd()};${commentOn(`function ${schema}.${name}(${args})`, comment)}`,
  )
  const blocks = [
    ...catalog.schemas.map(({ name, comment }) => `create schema ${name};${commentOn(`schema ${name}`, comment)}`),
    ...catalog.enums.map(
      ({ schema, name, labels, comment }) =>
        `create type ${schema}.${name} as enum (${labels.map(literal).join(', ')});${commentOn(`type ${schema}.${name}`, comment)}`,
    ),
    ...catalog.domains.map(domainText),
    ...functions,
    ...catalog.tables.map(tableText),
  ]
  return `${blocks.join('\n\n')}\n`
}

function domainText(domain: Catalog['domains'][number]): string {
  const { schema, name, type, collation, value, not_null, checks, comment } = domain
  const parts = [
    `create domain ${schema}.${name} as ${type}`,
    ...(collation === null ? [] : [`collate ${collation}`]),
    ...(value === null ? [] : [`default ${value}`]),
    ...(not_null ? ['not null'] : []),
    ...checks.map((check) => `constraint ${check.name} ${check.definition}`),
  ]
  return `${parts.join(' ')};${commentOn(`domain ${schema}.${name}`, comment)}`
}

function tableText(table: CatalogTable): string {
  const name = `${table.schema}.${table.name}`
  const lines = [
    ...table.columns.map(columnText),
    ...table.constraints.map((constraint) => `constraint ${constraint.name} ${constraint.definition}`),
  ]
  const partitioned = table.partition_key === null ? '' : ` partition by ${table.partition_key.toLowerCase()}`
  const options = table.options === null ? '' : ` with (${table.options})`
  const after = [
    ...table.columns.flatMap(({ name: column, storage, statistics }) => [
      ...(storage === null ? [] : [`alter table ${name} alter column ${column} set storage ${storage};`]),
      ...(statistics === null ? [] : [`alter table ${name} alter column ${column} set statistics ${statistics};`]),
    ]),
    ...table.indexes.map(({ definition }) => `${definition};`),
    ...table.triggers.flatMap((trigger) => [
      `${trigger.definition};`,
      ...(trigger.enabled ? [] : [`alter table ${name} disable trigger ${trigger.name};`]),
    ]),
  ]
  const comments = [
    commentOn(`table ${name}`, table.comment),
    ...table.columns.map((column) => commentOn(`column ${name}.${column.name}`, column.comment)),
  ]
  return [
    `create table ${name} (\n  ${lines.join(',\n  ')}\n)${partitioned}${options};${comments.join('')}`,
    ...after,
  ].join('\n')
}

function columnText({ name, type, collation, not_null, value }: CatalogColumn): string {
  const parts = [name, type, ...(collation === null ? [] : [`collate ${collation}`]), ...(not_null ? ['not null'] : [])]
  return [...parts, ...(value === null ? [] : [value])].join(' ')
}

function commentOn(what: string, comment: string | null): string {
  return comment === null ? '' : `\ncomment on ${what} is ${literal(comment)};`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
