import type { ColumnType } from 'kysely'
import type { KeyPolicy } from '../api-keys/key-policy.ts'
import type { KeyEnvironment } from '../api-keys/token.ts'
import type { ApiKeyId, EventId, ProjectId, StreamId, TenantId } from '../id.ts'
import type { JsonObject } from '../merge-patch.ts'
import type { Slug } from '../tenants/slug.ts'
import type { DB } from './types.gen.ts'

/** Ids by the name of their column, in whatever table. */
interface Brands {
  api_key_id: ApiKeyId
  family_id: ApiKeyId
  project_id: ProjectId
  replaced_by: ApiKeyId
  stream_id: StreamId
  tenant_id: TenantId
}

/** Ids by table: the database gives one when we do not, and none ever changes. */
interface OwnIds {
  api_keys: ApiKeyId
  audit_log: EventId
  tenant_projects: ProjectId
  tenants: TenantId
}

/** What comes out of a column as an object goes in as its JSON. */
type JsonColumn<Value> = ColumnType<Value, string | undefined, string>

/** Columns that hold something more particular than their type in the database says. */
interface OwnColumns {
  api_keys: {
    environment: KeyEnvironment
    metadata: JsonColumn<Record<string, string>>
  }
  tenant_products: { config: JsonColumn<JsonObject>; limits: JsonColumn<Record<string, number>> }
  tenant_projects: { slug: Slug; labels: JsonColumn<Record<string, string>> }
  tenants: { slug: Slug; metadata: JsonColumn<Record<string, string>>; key_policy: JsonColumn<KeyPolicy> }
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
