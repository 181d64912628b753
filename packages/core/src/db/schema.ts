import type { ColumnType } from 'kysely'
import type { EventId, StreamId, TenantId } from '../id.ts'
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
  tenants: TenantId
}

type Branded<Table, Row> = {
  [Column in keyof Row]: Column extends keyof Brands
    ? Brands[Column] | Extract<Row[Column], null>
    : Column extends 'id'
      ? Table extends keyof OwnIds
        ? ColumnType<OwnIds[Table], OwnIds[Table], never>
        : Row[Column]
      : [Table, Column] extends ['tenants', 'slug']
        ? Slug
        : [Table, Column] extends ['tenants', 'metadata']
          ? ColumnType<Record<string, string>, string | undefined, string>
          : Row[Column]
}

/** The tables as the migrated database has them (types.gen.ts), with branded ids. */
export type Schema = { [Table in keyof DB]: Branded<Table, DB[Table]> }
