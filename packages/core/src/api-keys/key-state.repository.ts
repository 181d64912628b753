import { sql } from 'kysely'
import type { HousekeepingTx, Reader } from '../db/handles.ts'
import type { KeyHousekeepingTx } from '../db/housekeeping.ts'
import { type Param, prepared } from '../db/prepared.ts'
import type { ApiKeyId, ProjectId, TenantId } from '../id.ts'

/** Everything that a verification is judged by, of one moment: the key, its tenant, its project, its product. */
const stateByPrefix = prepared('api_key_states', (db, prefixes: Param<readonly string[]>) =>
  db
    .selectFrom('api_keys')
    .innerJoin('tenants', 'tenants.id', 'api_keys.tenant_id')
    .leftJoin('tenant_projects as project', (join) =>
      join
        .onRef('project.tenant_id', '=', 'api_keys.tenant_id')
        .on('project.id', '=', sql<ProjectId>`api_keys.project_id`),
    )
    .leftJoin('tenant_products as assigned', (join) =>
      join.onRef('assigned.tenant_id', '=', 'api_keys.tenant_id').onRef('assigned.product', '=', 'api_keys.audience'),
    )
    .select([
      'api_keys.id',
      'api_keys.family_id',
      'api_keys.tenant_id',
      'api_keys.project_id',
      'api_keys.name',
      'api_keys.prefix',
      'api_keys.hash',
      'api_keys.environment',
      'api_keys.audience',
      'api_keys.scopes',
      'api_keys.issuer_kid',
      'api_keys.enabled',
      'api_keys.expires_at',
      'api_keys.ip_allow',
      'tenants.status',
      'tenants.status_reason',
      'tenants.status_changed_at',
      'tenants.trial_ends_at',
      'project.status as project_status',
      'assigned.enabled as assigned_enabled',
      'assigned.valid_from as assigned_from',
      'assigned.valid_until as assigned_until',
    ])
    .select(
      sql<boolean>`(api_keys.revoked_at is not null or coalesce(api_keys.created_at <= tenants.keys_valid_after, false))`.as(
        'revoked',
      ),
    )
    .where('api_keys.prefix', '=', sql<string>`any(${prefixes}::text[])`),
)

/** A key as a verification judges it. */
export type KeyStateRow = Awaited<ReturnType<typeof stateByPrefix>>[number]

/** The keys with these public parts, as far as they are there. */
export async function findKeyStates(db: Reader, prefixes: readonly string[]): Promise<KeyStateRow[]> {
  return await stateByPrefix(db, prefixes)
}

const statusOfProject = prepared('api_key_project', (db, tenantId: Param<TenantId>, id: Param<ProjectId>) =>
  db.selectFrom('tenant_projects').select('status').where('tenant_id', '=', tenantId).where('id', '=', id),
)

/** What a project of a tenant is in; undefined when the tenant has no such project. */
export async function findProjectStatus(db: Reader, tenantId: TenantId, id: ProjectId) {
  return (await statusOfProject(db, tenantId, id))[0]?.status
}

/** A use of a key. */
export interface KeyUse {
  readonly id: ApiKeyId
  readonly at: Date
  readonly ip: string | null
}

/** Writes down when keys were last used. Later uses win, in whatever order replicas report them. */
export async function recordUses(tx: HousekeepingTx, uses: readonly KeyUse[]): Promise<void> {
  await tx
    .insertInto('registry.api_key_usage')
    .columns(['api_key_id', 'last_used_at', 'last_used_ip'])
    .expression(
      tx
        .selectFrom(
          sql<{ id: ApiKeyId; at: Date; ip: string }>`unnest(
            ${uses.map(({ id }) => id)}::uuid[],
            ${uses.map(({ at }) => at.toISOString())}::timestamptz[],
            ${uses.map(({ ip }) => ip)}::inet[]
          )`.as<'used'>(sql`used(id, at, ip)`),
        )
        // A key may be purged between its use and this.
        .where(sql<boolean>`exists (select from api_keys where api_keys.id = used.id)`)
        .select(['used.id', 'used.at', 'used.ip'])
        // In one order everywhere, so that two replicas never wait for each other in a circle.
        .orderBy('used.id'),
    )
    .onConflict((conflict) =>
      conflict
        .column('api_key_id')
        .doUpdateSet({
          last_used_at: sql`excluded.last_used_at`,
          last_used_ip: sql`coalesce(excluded.last_used_ip, api_key_usage.last_used_ip)`,
        })
        .where(sql<boolean>`excluded.last_used_at > api_key_usage.last_used_at`),
    )
    .execute()
}

/** Puts a better hash of the same secret in the place of one, unless somebody else has already. */
export async function replaceHash(tx: KeyHousekeepingTx, id: ApiKeyId, was: string, hash: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('api_keys')
    .set({ hash })
    .where('id', '=', id)
    .where('hash', '=', was)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}
