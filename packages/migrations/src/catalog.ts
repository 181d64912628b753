import type { ParameterQueryable } from './history.ts'

export interface CatalogColumn {
  readonly name: string
  readonly type: string
  readonly not_null: boolean
  /** `default …`, `generated …` or nothing, as it stands in a `create table`. */
  readonly value: string | null
  /** Only where it is not the type's own. */
  readonly collation: string | null
  readonly storage: string | null
  readonly statistics: number | null
  readonly comment: string | null
}

export interface CatalogTable {
  readonly schema: string
  readonly name: string
  readonly partition_key: string | null
  /** What is set `with (…)`, as a `create table` has it. */
  readonly options: string | null
  readonly comment: string | null
  readonly columns: readonly CatalogColumn[]
  readonly constraints: readonly { readonly name: string; readonly kind: string; readonly definition: string }[]
  readonly indexes: readonly { readonly name: string; readonly definition: string }[]
  readonly triggers: readonly { readonly name: string; readonly definition: string; readonly enabled: boolean }[]
}

interface Named {
  readonly schema: string
  readonly name: string
  readonly comment: string | null
}

/** What a database holds in our two schemas, as PostgreSQL itself writes it. Partitions are left out: time makes them. */
export interface Catalog {
  readonly schemas: readonly { readonly name: string; readonly comment: string | null }[]
  readonly enums: readonly (Named & { readonly labels: readonly string[] })[]
  readonly domains: readonly (Named & {
    readonly type: string
    readonly value: string | null
    readonly collation: string | null
    readonly not_null: boolean
    readonly checks: readonly { readonly name: string; readonly definition: string }[]
  })[]
  readonly functions: readonly (Named & { readonly arguments: string; readonly definition: string })[]
  readonly tables: readonly CatalogTable[]
}

// What an extension brought is not ours to describe. Names are compared by bytes: the order is the same everywhere.
const own = (catalog: string, oid: string): string =>
  `not exists (select from pg_depend e where e.classid = '${catalog}'::regclass and e.objid = ${oid} and e.deptype = 'e')`
const place = `n.nspname in ('public', 'registry')`
const order = `order by n.nspname collate "C"`

const schemas = `
  select n.nspname as name, obj_description(n.oid, 'pg_namespace') as comment
  from pg_namespace n where n.nspname = 'registry'`

const enums = `
  select n.nspname as schema, t.typname as name, obj_description(t.oid, 'pg_type') as comment,
    (select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid) as labels
  from pg_type t join pg_namespace n on n.oid = t.typnamespace
  where t.typtype = 'e' and ${place} and ${own('pg_type', 't.oid')}
  ${order}, t.typname collate "C"`

const domains = `
  select n.nspname as schema, t.typname as name, obj_description(t.oid, 'pg_type') as comment,
    format_type(t.typbasetype, t.typtypmod) as type, t.typdefault as value, t.typnotnull as not_null,
    (select quote_ident(l.collname) from pg_collation l, pg_type b
      where b.oid = t.typbasetype and l.oid = t.typcollation and t.typcollation <> b.typcollation) as collation,
    coalesce((select json_agg(json_build_object('name', k.conname, 'definition', pg_get_constraintdef(k.oid))
      order by k.conname collate "C") from pg_constraint k where k.contypid = t.oid and k.contype = 'c'), '[]') as checks
  from pg_type t join pg_namespace n on n.oid = t.typnamespace
  where t.typtype = 'd' and ${place} and ${own('pg_type', 't.oid')}
  ${order}, t.typname collate "C"`

const functions = `
  select n.nspname as schema, p.proname as name, obj_description(p.oid, 'pg_proc') as comment,
    pg_get_function_identity_arguments(p.oid) as arguments, pg_get_functiondef(p.oid) as definition
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where p.prokind in ('f', 'p') and ${place} and ${own('pg_proc', 'p.oid')}
  ${order}, p.proname collate "C", pg_get_function_identity_arguments(p.oid) collate "C"`

// PostgreSQL 18 has a constraint for every NOT NULL (kind n), older ones have not: the column says it already.
const tables = `
  select n.nspname as schema, c.relname as name, pg_get_partkeydef(c.oid) as partition_key,
    array_to_string(c.reloptions, ', ') as options,
    obj_description(c.oid, 'pg_class') as comment,
    (select json_agg(json_build_object(
        'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'not_null', a.attnotnull,
        'value', case
          when a.attidentity <> '' then 'generated ' || case a.attidentity when 'a' then 'always' else 'by default' end || ' as identity'
          when a.attgenerated = 's' then 'generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ') stored'
          when a.attgenerated <> '' then 'generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ')'
          when d.adbin is not null then 'default ' || pg_get_expr(d.adbin, d.adrelid) end,
        'collation', (select quote_ident(l.collname) from pg_collation l
          where l.oid = a.attcollation and a.attcollation <> t.typcollation),
        'storage', case when a.attstorage <> t.typstorage
          then case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end end,
        'statistics', nullif(coalesce(a.attstattarget, -1), -1),
        'comment', col_description(c.oid, a.attnum)) order by a.attnum)
      from pg_attribute a join pg_type t on t.oid = a.atttypid
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
    coalesce((select json_agg(json_build_object('name', k.conname, 'kind', k.contype, 'definition', pg_get_constraintdef(k.oid))
        order by array_position(array['p', 'u', 'x', 'c', 'f'], k.contype::text), k.conname collate "C")
      from pg_constraint k
      where k.conrelid = c.oid and k.conparentid = 0 and k.contype in ('p', 'u', 'x', 'c', 'f')), '[]') as constraints,
    coalesce((select json_agg(json_build_object('name', x.relname, 'definition', pg_get_indexdef(x.oid)) order by x.relname collate "C")
      from pg_index i join pg_class x on x.oid = i.indexrelid
      where i.indrelid = c.oid and not exists (
        select from pg_constraint k where k.conindid = x.oid and k.contype in ('p', 'u', 'x'))), '[]') as indexes,
    coalesce((select json_agg(json_build_object('name', g.tgname, 'definition', pg_get_triggerdef(g.oid),
        'enabled', g.tgenabled = 'O') order by g.tgname collate "C")
      from pg_trigger g where g.tgrelid = c.oid and not g.tgisinternal), '[]') as triggers
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and not c.relispartition and ${place} and ${own('pg_class', 'c.oid')}
    and (n.nspname, c.relname) <> ('public', 'schema_migrations')
  ${order}, c.relname collate "C"`

// With an empty search path PostgreSQL writes every name in full, and with these two every time in one way.
const enter = `
  select s.name, current_setting(s.name) as value, set_config(s.name, w.value, true)
  from (values ('search_path', ''), ('timezone', 'UTC'), ('datestyle', 'ISO')) as w (name, value)
  join pg_catalog.pg_settings s on lower(s.name) = w.name`

/** Reads the catalog. Has to be called inside a transaction: what it sets meanwhile must not outlive it. */
export async function readCatalog(db: ParameterQueryable): Promise<Catalog> {
  const { rows: before } = await db.query(enter)
  const read = async <T>(sql: string): Promise<T[]> => (await db.query(sql)).rows as T[]
  const catalog: Catalog = {
    schemas: await read(schemas),
    enums: await read(enums),
    domains: await read(domains),
    functions: await read(functions),
    tables: await read(tables),
  }
  for (const { name, value } of before as { name: string; value: string }[]) {
    await db.query('select set_config($1, $2, true)', [name, value])
  }
  return catalog
}
