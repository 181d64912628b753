import type { Actor } from '../audit/actor.ts'
import type { Change } from '../audit/audit-event.ts'
import { audited, type Outcome } from '../audit/audited.ts'
import type { AuditedTx, Db, Reader } from '../db/handles.ts'
import { invalidAt, RegistryError } from '../errors.ts'
import { type ApiKeyId, platformTenant, type ProjectId, type TenantId } from '../id.ts'
import { mergePatch } from '../merge-patch.ts'
import { findProject } from '../projects/project.repository.ts'
import type { Sight } from '../sight.ts'
import { assertVersion, getSeen, lockSeen, lockWritableTenant } from '../tenants/tenant-state.ts'
import { findPlatformTenant, lockPlatformTenant, type TenantRow } from '../tenants/tenant.repository.ts'
import * as keys from './api-key.repository.ts'
import { type ApiKey, type ApiKeyChanges, keyBounds, type KeyStatus } from './api-key.ts'
import { isOtherGrant } from './grant.ts'

/**
 * The tenant whose keys somebody looks at. The platform's own is out of sight everywhere but here, for the platform's
 * people.
 * @throws {RegistryError} `tenant.not_found`
 */
export async function getKeyOwner(db: Reader, sight: Sight, id: TenantId): Promise<TenantRow> {
  if (id !== platformTenant) return await getSeen(db, sight, id)
  return (sight.kind === 'platform' ? await findPlatformTenant(db) : undefined) ?? notThere()
}

/**
 * Locks the tenant whose keys somebody changes: whoever ends all of them at once takes the same lock.
 * @param access `wider` where keys become able to do more: not in a tenant that is frozen or archived
 * @throws {RegistryError} `tenant.not_found`, `auth.api_key_refused`; for `wider` also `tenant.frozen`,
 *   `tenant.archived`
 */
export async function lockKeyOwner(
  tx: AuditedTx,
  actor: Actor,
  id: TenantId,
  access: 'wider' | 'narrower',
): Promise<TenantRow> {
  // Its row never changes, its keys do.
  if (id === platformTenant) {
    await lockPlatformTenant(tx)
    return await getKeyOwner(tx, actor.sight, id)
  }
  const tenant = access === 'wider' ? await lockWritableTenant(tx, actor, id) : await lockSeen(tx, actor, id)
  await assertStillActs(tx, actor)
  return tenant
}

/**
 * Refuses a key that ended, or is allowed something else, since its request was let in: until now it may have waited for
 * its body, or for the lock that whoever ended it had. What is revoked must not leave other keys behind.
 * @throws {RegistryError} `auth.api_key_refused`
 */
async function assertStillActs(tx: AuditedTx, { key }: Actor): Promise<void> {
  if (!key) return
  const row = await keys.findApiKey(tx, key.tenant_id, key.id)
  if (row && keyAt(row, new Date()).status === 'active' && !isOtherGrant(row, key)) return
  throw new RegistryError('auth.api_key_refused', {
    detail: 'The key ended or was changed while the request was under way.',
  })
}

function notThere(): never {
  throw new RegistryError('tenant.not_found')
}

/** Whether somebody can see a key at all: a key that is bound to a project sees the keys of that project. */
export function reaches({ key }: Pick<Actor, 'key'>, row: Pick<keys.ApiKeyRow, 'project_id'>): boolean {
  return key === undefined || key.project_id === null || key.project_id === row.project_id
}

/**
 * Refuses a key that is bound to a project where it is about the keys of all projects.
 * @throws {RegistryError} `auth.permission_denied`
 */
export function assertReachesAll({ key }: Pick<Actor, 'key'>): void {
  if (key === undefined || key.project_id === null) return
  throw new RegistryError('auth.permission_denied', {
    detail: 'The key is bound to a project, and this is about the keys of all of them.',
  })
}

/**
 * Locks the tenant, and with it all of its keys, and changes one of them.
 * @throws {RegistryError} `tenant.not_found`, `tenant.frozen`, `tenant.archived`, `api_key.not_found`,
 *   `resource.version_stale`
 */
export async function onApiKey<Result>(
  db: Db,
  actor: Actor,
  tenantId: TenantId,
  id: ApiKeyId,
  access: 'wider' | 'narrower',
  expectedVersion: number | undefined,
  change: (tx: AuditedTx, tenant: TenantRow, stored: keys.ApiKeyRow) => Promise<Outcome<Result>>,
): Promise<Result> {
  return await audited(db, actor, async (tx) => {
    const tenant = await lockKeyOwner(tx, actor, tenantId, access)
    const stored = await keys.findApiKey(tx, tenantId, id)
    if (!stored || !reaches(actor, stored)) throw new RegistryError('api_key.not_found')
    assertVersion(stored, expectedVersion)
    return await change(tx, tenant, stored)
  })
}

/** A key as it is at `at`: what ended all keys of its tenant ended this one too. */
export function keyAt({ keys_valid_after, keys_revoked_reason, ...row }: keys.ApiKeyRow, at: Date): ApiKey {
  const endedWithAll = keys_valid_after !== null && row.created_at <= keys_valid_after && row.revoked_at === null
  const key = endedWithAll
    ? { ...row, revoked_at: keys_valid_after, revoked_reason: keys_revoked_reason, revoked_by: null }
    : row
  return { ...key, status: statusAt(key, at) }
}

function statusAt(
  { revoked_at, expires_at, enabled }: Pick<keys.ApiKeyRow, 'revoked_at' | 'expires_at' | 'enabled'>,
  at: Date,
): KeyStatus {
  if (revoked_at !== null) return 'revoked'
  if (expires_at !== null && expires_at <= at) return 'expired'
  return enabled ? 'active' : 'disabled'
}

/** @throws {RegistryError} `api_key.revoked` */
export function assertNotRevoked(row: keys.ApiKeyRow, at: Date): void {
  if (keyAt(row, at).status === 'revoked') throw new RegistryError('api_key.revoked')
}

/** @throws {RegistryError} `project.not_found`, `project.archived` */
export async function assertProject(tx: AuditedTx, tenantId: TenantId, id: ProjectId | null): Promise<void> {
  if (id === null) return
  const project = await findProject(tx, tenantId, id)
  if (!project) throw new RegistryError('project.not_found')
  if (project.status === 'archived') throw new RegistryError('project.archived')
}

/** @throws {RegistryError} `request.invalid` when there would be too many */
export function patchedMetadata(stored: Record<string, string>, patch: ApiKeyChanges['metadata']) {
  if (patch === undefined) return stored
  const metadata = patch === null ? {} : (mergePatch(stored, patch) as Record<string, string>)
  if (Object.keys(metadata).length > keyBounds.metadata) {
    throw invalidAt('/metadata', `must not have more than ${keyBounds.metadata} names`)
  }
  return metadata
}

/** The event of a change of a key. What proves it is not in the row, and who did it the event says already. */
export function changeOf(
  action: `api_key.${string}`,
  { id, name }: Pick<TenantRow, 'id' | 'name'>,
  before: keys.ApiKeyRow | undefined,
  after: keys.ApiKeyRow,
): Change {
  return {
    action,
    crud: before ? 'u' : 'c',
    tenant: { id, name },
    target: { id: after.id, type: 'api_key', name: after.name },
    ...(before && { before: recorded(before) }),
    after: recorded(after),
  }
}

function recorded({
  tenant_id: _tenant,
  created_by: _creator,
  revoked_by: _revoker,
  keys_valid_after: _ended,
  keys_revoked_reason: _why,
  last_used_at: _at,
  last_used_ip: _ip,
  ...row
}: keys.ApiKeyRow) {
  return row
}
