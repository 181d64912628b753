import { type SqlBool, sql } from 'kysely'
import type { AuditedTx, Reader } from '../db/handles.ts'
import type { ApiKeyId, TenantId } from '../id.ts'
import type { Position } from '../page.ts'
import type { ApiKeyQuery, KeyStatus } from './api-key.ts'

/** What there is to read of a key. Never its hash. */
const columns = [
  'id',
  'tenant_id',
  'project_id',
  'name',
  'prefix',
  'environment',
  'audience',
  'scopes',
  'enabled',
  'expires_at',
  'ip_allow',
  'metadata',
  'family_id',
  'replaced_by',
  'created_by',
  'revoked_at',
  'revoked_reason',
  'revoked_by',
  'version',
  'created_at',
  'updated_at',
] as const

/** A key as it is stored: what it is now also depends on its tenant and on the time. */
export type ApiKeyRow = Awaited<ReturnType<ReturnType<typeof selectKeys>['execute']>>[number]

function selectKeys(db: Reader) {
  return db
    .selectFrom('api_keys')
    .innerJoin('tenants', 'tenants.id', 'api_keys.tenant_id')
    .leftJoin('registry.api_key_usage as usage', 'usage.api_key_id', 'api_keys.id')
    .select(columns.map((column) => `api_keys.${column}` as const))
    .select(['tenants.keys_valid_after', 'tenants.keys_revoked_reason', 'usage.last_used_at', 'usage.last_used_ip'])
}

/** Whether a key ended with all of its tenant's. */
const endedWithAll = sql<SqlBool>`coalesce(api_keys.created_at <= tenants.keys_valid_after, false)`

const statusHolds: Readonly<Record<KeyStatus, ReturnType<typeof sql<SqlBool>>>> = {
  revoked: sql<SqlBool>`(api_keys.revoked_at is not null or ${endedWithAll})`,
  expired: sql<SqlBool>`(api_keys.revoked_at is null and not ${endedWithAll} and api_keys.expires_at <= now())`,
  disabled: sql<SqlBool>`(api_keys.revoked_at is null and not ${endedWithAll}
    and (api_keys.expires_at is null or api_keys.expires_at > now()) and not api_keys.enabled)`,
  active: sql<SqlBool>`(api_keys.revoked_at is null and not ${endedWithAll}
    and (api_keys.expires_at is null or api_keys.expires_at > now()) and api_keys.enabled)`,
}

export async function findApiKey(db: Reader, tenantId: TenantId, id: ApiKeyId): Promise<ApiKeyRow | undefined> {
  return await selectKeys(db)
    .where('api_keys.tenant_id', '=', tenantId)
    .where('api_keys.id', '=', id)
    .executeTakeFirst()
}

/** The key of any tenant with this public part. Tenants that are being purged are the owner's alone to see. */
export async function findApiKeyByPrefix(db: Reader, prefix: string, owner: boolean): Promise<ApiKeyRow | undefined> {
  return await selectKeys(db)
    .where('api_keys.prefix', '=', prefix)
    .$if(!owner, (query) => query.where('tenants.purge_requested_at', 'is', null))
    .executeTakeFirst()
}

/** The keys of a tenant, newest first, from the one after `after` on. */
export async function listApiKeys(
  db: Reader,
  tenantId: TenantId,
  { status, project_id, environment, audience, family_id }: Omit<ApiKeyQuery, 'limit' | 'cursor'>,
  limit: number,
  after?: Position,
): Promise<ApiKeyRow[]> {
  return await selectKeys(db)
    .where('api_keys.tenant_id', '=', tenantId)
    .$if(status !== undefined, (query) => query.where(() => statusHolds[status ?? 'active']))
    .$if(project_id !== undefined, (query) => query.where('api_keys.project_id', '=', project_id ?? null))
    .$if(environment !== undefined, (query) => query.where('api_keys.environment', '=', environment ?? 'live'))
    .$if(audience !== undefined, (query) => query.where('api_keys.audience', '=', audience ?? ''))
    .$if(family_id !== undefined, (query) => query.where('api_keys.family_id', '=', family_id ?? ('' as ApiKeyId)))
    .$if(after !== undefined, (query) =>
      query.where(sql<SqlBool>`(api_keys.created_at, api_keys.id) < (${after?.key}::timestamptz, ${after?.id}::uuid)`),
    )
    .orderBy('api_keys.created_at', 'desc')
    .orderBy('api_keys.id', 'desc')
    .limit(limit)
    .execute()
}

/** How many keys of a tenant are in one of these states, the state of the tenant not considered. */
export async function countApiKeys(db: Reader, tenantId: TenantId, statuses: readonly KeyStatus[]): Promise<number> {
  const { count } = await db
    .selectFrom('api_keys')
    .innerJoin('tenants', 'tenants.id', 'api_keys.tenant_id')
    .select(sql<number>`count(*)::int`.as('count'))
    .where('api_keys.tenant_id', '=', tenantId)
    .where(
      sql<SqlBool>`(${sql.join(
        statuses.map((status) => statusHolds[status]),
        sql` or `,
      )})`,
    )
    .executeTakeFirstOrThrow()
  return count
}

/**
 * When a key of a tenant that the transaction has locked is made: now, and in any case after what ended all keys
 * before. Not `now()`, which is when the transaction began, and not by the clock alone, which may have been set back.
 */
const madeNow = (tenantId: TenantId) => sql<Date>`greatest(
  clock_timestamp(),
  (select keys_valid_after + interval '1 millisecond' from tenants where id = ${tenantId})
)`

/** What is stored of a new key. */
export interface InsertedApiKey {
  readonly id: ApiKeyId
  readonly tenant_id: TenantId
  readonly project_id: ApiKeyRow['project_id']
  readonly family_id: ApiKeyId
  readonly name: string
  readonly prefix: string
  readonly hash: string
  readonly issuer_kid: string
  readonly environment: ApiKeyRow['environment']
  readonly audience: string
  readonly scopes: readonly string[]
  readonly enabled: boolean
  readonly expires_at: Date | null
  readonly ip_allow: readonly string[]
  readonly metadata: Record<string, string>
  readonly created_by: string
}

/** Inserts a key of a tenant that the transaction has locked. */
export async function insertApiKey(tx: AuditedTx, key: InsertedApiKey): Promise<ApiKeyRow> {
  await tx
    .insertInto('api_keys')
    .values({
      ...key,
      scopes: [...key.scopes],
      ip_allow: [...key.ip_allow],
      metadata: JSON.stringify(key.metadata),
      created_at: madeNow(key.tenant_id),
    })
    .execute()
  return await getApiKey(tx, key.tenant_id, key.id)
}

/** The columns of a key that change. */
export interface ApiKeyUpdate {
  readonly name?: string
  readonly scopes?: readonly string[]
  readonly enabled?: boolean
  readonly expires_at?: Date | null
  readonly ip_allow?: readonly string[]
  readonly metadata?: Record<string, string>
  readonly replaced_by?: ApiKeyId
  readonly revoked_at?: Date
  readonly revoked_reason?: string
  readonly revoked_by?: string
}

/** Changes a key whose tenant the transaction has locked. */
export async function updateApiKey(
  tx: AuditedTx,
  { tenant_id, id }: Pick<ApiKeyRow, 'tenant_id' | 'id'>,
  { scopes, ip_allow, metadata, ...update }: ApiKeyUpdate,
): Promise<ApiKeyRow> {
  await tx
    .updateTable('api_keys')
    .set({
      ...update,
      ...(scopes && { scopes: [...scopes] }),
      ...(ip_allow && { ip_allow: [...ip_allow] }),
      ...(metadata && { metadata: JSON.stringify(metadata) }),
    })
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .execute()
  return await getApiKey(tx, tenant_id, id)
}

async function getApiKey(db: Reader, tenantId: TenantId, id: ApiKeyId): Promise<ApiKeyRow> {
  const row = await findApiKey(db, tenantId, id)
  if (!row) throw new Error(`the key ${id} is not there`)
  return row
}

/** The latest moment at which a key of a tenant was made: the clock may have been set back since. */
export async function latestIssue(tx: AuditedTx, tenantId: TenantId): Promise<Date> {
  const { at } = await tx
    .selectFrom('api_keys')
    .select(sql<Date>`greatest(clock_timestamp(), max(created_at))::timestamptz(3)`.as('at'))
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow()
  return at
}
