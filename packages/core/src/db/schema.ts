import type { ColumnType } from 'kysely'
import type { EventId, ProjectId, StreamId, TenantId } from '../id.ts'
import type { JsonObject } from '../merge-patch.ts'
import type { Slug } from '../tenants/slug.ts'
import type { DB } from './types.gen.ts'

/** Ids by the name of their column, in whatever table. */
interface Brands {
  stream_id: StreamId
  tenant_id: TenantId
}

/** Ids by table: the database gives one when we do not, and none ever changes. */
interface OwnIds {
  audit_log: EventId
  tenant_projects: ProjectId
  tenants: TenantId
}

/** What comes out of a column as an object goes in as its JSON. */
type JsonColumn<Value> = ColumnType<Value, string | undefined, string>

/** Columns that hold something more particular than their type in the database says. */
interface OwnColumns {
  tenant_products: { config: JsonColumn<JsonObject>; limits: JsonColumn<Record<string, number>> }
  tenant_projects: { slug: Slug; labels: JsonColumn<Record<string, string>> }
  tenants: { slug: Slug; metadata: JsonColumn<Record<string, string>> }
}

type Branded<Table, Row> = {
  [Column in keyof Row]: Column extends keyof Brands
    ? Brands[Column] | Extract<Row[Column], null>
    : Column extends 'id'
      ? Table extends keyof OwnIds
        ? ColumnType<OwnIds[Table], OwnIds[Table], never>
        : Row[Column]
      : Table extends keyof OwnColumns
        ? Column extends keyof OwnColumns[Table]
          ? OwnColumns[Table][Column]
          : Row[Column]
        : Row[Column]
}

/** The tables as the migrated database has them (types.gen.ts), with branded ids. */
export type Schema = { [Table in keyof DB]: Branded<Table, DB[Table]> }
