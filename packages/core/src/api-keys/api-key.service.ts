import { isDeepStrictEqual } from 'node:util'
import type { Actor } from '../audit/actor.ts'
import { audited, changed, unchanged } from '../audit/audited.ts'
import type { Db, Reader } from '../db/handles.ts'
import { granted as judgedGood, judgeAssignment } from '../entitlements/gates.ts'
import { RegistryError } from '../errors.ts'
import { type ApiKeyId, newApiKeyId, platformTenant, type TenantId } from '../id.ts'
import { byCreation, decodeCursor, type Page, pageLimit, toPage } from '../page.ts'
import type { Catalogue } from '../products/catalogue.ts'
import { findTenantProduct } from '../products/tenant-product.repository.ts'
import type { Sight } from '../sight.ts'
import { tenantChange } from '../tenants/tenant-state.ts'
import { updateTenant } from '../tenants/tenant.repository.ts'
import {
  assertNotRevoked,
  assertProject,
  assertReachesAll,
  changeOf,
  getKeyOwner,
  keyAt,
  lockKeyOwner,
  onApiKey,
  patchedMetadata,
  reaches,
} from './api-key-state.ts'
import * as keys from './api-key.repository.ts'
import {
  type ApiKey,
  type ApiKeyChanges,
  type ApiKeyQuery,
  type ApiKeyRevocation,
  type ApiKeyRotation,
  type IssuedApiKey,
  type NewApiKey,
  overlapSeconds,
  type RevokedApiKeys,
} from './api-key.ts'
import {
  assertEnd,
  assertMayGrant,
  assertPlatformScopes,
  audienceOf,
  type Granted,
  isOtherGrant,
  policyFor,
} from './grant.ts'
import type { KeyIssuer, MintedKey } from './issuer.ts'

/**
 * Makes a key of a tenant. Its secret is in the answer and nowhere else.
 * @param minted by `issuer`, before any transaction: hashing is slow
 * @throws {RegistryError} `tenant.not_found`, `tenant.frozen`, `tenant.archived`, `api_key.scope_unknown`,
 *   `api_key.mixed_audience`, `api_key.grant_exceeded`, `api_key.policy_violated`, `project.not_found`,
 *   `project.archived`, `product.unknown`, `request.invalid`, `secrets.kid_unfit`
 */
export async function issueApiKey(
  db: Db,
  actor: Actor,
  catalogue: Catalogue,
  issuer: KeyIssuer,
  minted: MintedKey,
  tenantId: TenantId,
  input: NewApiKey,
): Promise<IssuedApiKey> {
  return await audited(db, actor, async (tx) => {
    const tenant = await lockKeyOwner(tx, actor, tenantId, 'wider')
    const granted: Granted = {
      tenant_id: tenantId,
      project_id: input.project_id ?? null,
      environment: minted.environment,
      audience: audienceFor(catalogue, tenantId, input),
      scopes: input.scopes,
      ip_allow: input.ip_allow ?? [],
      expires_at: input.expires_at ?? null,
    }
    await assertMayGrant(actor, granted, isProductOf(tx, tenantId))
    assertEnd(granted.expires_at, policyFor(tenantId, tenant.key_policy), new Date())
    await assertProject(tx, tenantId, granted.project_id)
    await issuer.remember(tx, minted)
    const id = newApiKeyId()
    const row = await keys.insertApiKey(tx, {
      ...granted,
      id,
      family_id: id,
      name: input.name,
      prefix: minted.prefix,
      hash: minted.hash,
      issuer_kid: minted.kid,
      enabled: true,
      metadata: input.metadata ?? {},
      created_by: actor.id,
    })
    const issued = { ...keyAt(row, new Date()), key: minted.text }
    return changed(issued, changeOf('api_key.issued', tenant, undefined, row))
  })
}

/** @throws {RegistryError} `request.invalid`, `product.unknown`, `api_key.scope_unknown`, `api_key.mixed_audience` */
function audienceFor(catalogue: Catalogue, tenantId: TenantId, { product, scopes, project_id }: NewApiKey): string {
  if (tenantId !== platformTenant) {
    if (product === undefined) return audienceOf(catalogue, scopes)
    throw new RegistryError('request.invalid', {
      violations: [{ pointer: '/product', code: 'invalid', message: "is for keys of the platform's own tenant alone" }],
    })
  }
  if (product === undefined || project_id != null) {
    const message = product === undefined ? 'is required' : 'there is no such project'
    const pointer = product === undefined ? '/product' : '/project_id'
    throw new RegistryError('request.invalid', { violations: [{ pointer, code: 'invalid', message }] })
  }
  assertPlatformScopes(catalogue, product, scopes)
  return product
}

/** Says of a product whether the tenant has it now. */
const isProductOf = (db: Reader, tenantId: TenantId) => async (product: string) =>
  judgeAssignment(await findTenantProduct(db, tenantId, product), Date.now()) === judgedGood

/**
 * One page of the keys of a tenant, newest first.
 * @throws {RegistryError} `tenant.not_found`, `page.cursor_invalid`
 */
export async function listApiKeys(
  db: Reader,
  actor: Pick<Actor, 'sight' | 'key'>,
  tenantId: TenantId,
  { limit = pageLimit.default, cursor, ...query }: ApiKeyQuery,
): Promise<Page<ApiKey>> {
  const list = { tenant_id: tenantId, ...query }
  const after = cursor === undefined ? undefined : decodeCursor('api-keys', list, cursor)
  await getKeyOwner(db, actor.sight, tenantId)
  const bound = actor.key?.project_id ?? undefined
  if (bound !== undefined && query.project_id !== undefined && query.project_id !== bound) {
    return { data: [], has_more: false, next_cursor: null }
  }
  const filter = bound === undefined ? query : { ...query, project_id: bound }
  const rows = await keys.listApiKeys(db, tenantId, filter, limit + 1, after)
  const page = toPage(rows, limit, 'api-keys', list, byCreation)
  const now = new Date()
  return { ...page, data: page.data.map((row) => keyAt(row, now)) }
}

/** @throws {RegistryError} `tenant.not_found`; `api_key.not_found`, also for the key of another tenant */
export async function getApiKey(
  db: Reader,
  actor: Pick<Actor, 'sight' | 'key'>,
  tenantId: TenantId,
  id: ApiKeyId,
): Promise<ApiKey> {
  await getKeyOwner(db, actor.sight, tenantId)
  const row = await keys.findApiKey(db, tenantId, id)
  if (!row || !reaches(actor, row)) throw new RegistryError('api_key.not_found')
  return keyAt(row, new Date())
}

/** The key of whatever tenant that has this public part: at most one. */
export async function findApiKeys(db: Reader, sight: Sight, prefix: string): Promise<{ data: ApiKey[] }> {
  if (sight.kind !== 'platform') return { data: [] }
  const row = await keys.findApiKeyByPrefix(db, prefix, sight.owner)
  return { data: row ? [keyAt(row, new Date())] : [] }
}

/**
 * Changes what can be changed of a key by a merge patch (RFC 7396). Switching a key off is always possible.
 * @param expectedVersion the version that the change was decided on, if it should be the present one
 * @throws {RegistryError} what `issueApiKey` throws, `api_key.not_found`, `api_key.revoked`, `api_key.replaced` when a
 *   key that was rotated should be allowed something else, `resource.version_stale`
 */
export async function updateApiKey(
  db: Db,
  actor: Actor,
  catalogue: Catalogue,
  tenantId: TenantId,
  id: ApiKeyId,
  changes: ApiKeyChanges,
  expectedVersion?: number,
): Promise<ApiKey> {
  const { name, scopes, expires_at, enabled, ip_allow, metadata } = changes
  const switchesOff = enabled === false && Object.values(changes).filter((value) => value !== undefined).length === 1
  const access = switchesOff ? 'narrower' : 'wider'
  return await onApiKey(db, actor, tenantId, id, access, expectedVersion, async (tx, tenant, stored) => {
    const now = new Date()
    assertNotRevoked(stored, now)
    const wanted = {
      name: name ?? stored.name,
      scopes: scopes ?? stored.scopes,
      expires_at: expires_at === undefined ? stored.expires_at : expires_at,
      enabled: enabled ?? stored.enabled,
      ip_allow: ip_allow === undefined ? stored.ip_allow : (ip_allow ?? []),
      metadata: patchedMetadata(stored.metadata, metadata),
    }
    if (!switchesOff) {
      const granted: Granted = { ...stored, ...wanted }
      if (actor.key?.id === id)
        throw new RegistryError('api_key.grant_exceeded', { detail: 'A key does not change itself.' })
      if (scopes) assertSameAudience(catalogue, stored, scopes)
      const isOther = isOtherGrant(stored, granted)
      if (isOther && stored.replaced_by !== null) throw new RegistryError('api_key.replaced')
      // A new name for a key of a product that is no longer there hands nothing on; a key never goes beyond itself.
      if (isOther || (wanted.enabled && !stored.enabled) || actor.key || tenantId === platformTenant) {
        await assertMayGrant(actor, granted, isProductOf(tx, tenantId))
      }
      assertEnd(wanted.expires_at, policyFor(tenantId, tenant.key_policy), now, {
        madeAt: stored.created_at,
        mayBeOver: expires_at === undefined,
      })
    }
    const differs = Object.entries(wanted).some(
      ([field, value]) => !isDeepStrictEqual(value, stored[field as keyof typeof wanted]),
    )
    if (!differs) return unchanged(keyAt(stored, now))
    const row = await keys.updateApiKey(tx, stored, wanted)
    return changed(keyAt(row, now), changeOf('api_key.updated', tenant, stored, row))
  })
}

function assertSameAudience(catalogue: Catalogue, stored: keys.ApiKeyRow, scopes: readonly string[]): void {
  if (stored.tenant_id === platformTenant) {
    assertPlatformScopes(catalogue, stored.audience, scopes)
    return
  }
  const audience = audienceOf(catalogue, scopes)
  if (audience === stored.audience) return
  throw new RegistryError('api_key.mixed_audience', {
    detail: `The key opens ${stored.audience}, and these scopes open ${audience}. Make another key for them.`,
    facts: { allowed: [stored.audience] },
  })
}

/**
 * Makes a key that takes the place of another: it may do the same, until the same end. The old one lives on for a
 * while, so that whoever uses it can change over.
 * @throws {RegistryError} what `issueApiKey` throws, `api_key.not_found`, `api_key.revoked`, `api_key.expired`,
 *   `api_key.replaced` when that was done already, `resource.version_stale`
 */
export async function rotateApiKey(
  db: Db,
  actor: Actor,
  issuer: KeyIssuer,
  minted: MintedKey,
  tenantId: TenantId,
  id: ApiKeyId,
  { overlap_seconds = overlapSeconds.default }: ApiKeyRotation,
  expectedVersion?: number,
): Promise<IssuedApiKey> {
  return await onApiKey(db, actor, tenantId, id, 'wider', expectedVersion, async (tx, tenant, stored) => {
    const now = new Date()
    const { status } = keyAt(stored, now)
    if (status === 'revoked') throw new RegistryError('api_key.revoked')
    if (stored.replaced_by !== null) throw new RegistryError('api_key.replaced', { facts: { id: stored.replaced_by } })
    if (status === 'expired') throw new RegistryError('api_key.expired')
    if (minted.environment !== stored.environment) throw new Error('the key was minted for another environment')
    await assertMayGrant(actor, stored, isProductOf(tx, tenantId))
    assertEnd(stored.expires_at, policyFor(tenantId, tenant.key_policy), now, { madeAt: stored.created_at })
    await assertProject(tx, tenantId, stored.project_id)
    await issuer.remember(tx, minted)
    const next = await keys.insertApiKey(tx, {
      tenant_id: tenantId,
      project_id: stored.project_id,
      environment: stored.environment,
      audience: stored.audience,
      scopes: stored.scopes,
      ip_allow: stored.ip_allow,
      expires_at: stored.expires_at,
      id: newApiKeyId(),
      family_id: stored.family_id,
      name: stored.name,
      prefix: minted.prefix,
      hash: minted.hash,
      issuer_kid: minted.kid,
      enabled: stored.enabled,
      metadata: stored.metadata,
      created_by: actor.id,
    })
    const until = new Date(now.getTime() + overlap_seconds * 1000)
    const old = await keys.updateApiKey(tx, stored, {
      replaced_by: next.id,
      expires_at: stored.expires_at !== null && stored.expires_at < until ? stored.expires_at : until,
    })
    return changed(
      { ...keyAt(next, now), key: minted.text },
      changeOf('api_key.issued', tenant, undefined, next),
      changeOf('api_key.rotated', tenant, stored, old),
    )
  })
}

/** The environment that the key which takes its place is minted for; of a key that is not there any will do. */
export async function environmentOf(db: Reader, tenantId: TenantId, id: ApiKeyId) {
  return (await keys.findApiKey(db, tenantId, id))?.environment ?? 'live'
}

/**
 * Ends a key for good. Ending one that has ended changes nothing and records nothing.
 * @throws {RegistryError} `tenant.not_found`, `api_key.not_found`, `resource.version_stale`
 */
export async function revokeApiKey(
  db: Db,
  actor: Actor,
  tenantId: TenantId,
  id: ApiKeyId,
  { reason }: ApiKeyRevocation,
  expectedVersion?: number,
): Promise<ApiKey> {
  return await onApiKey(db, actor, tenantId, id, 'narrower', expectedVersion, async (tx, tenant, stored) => {
    const now = new Date()
    const present = keyAt(stored, now)
    // Also one that ended with all others: when and why it ended stays as it is.
    if (present.status === 'revoked') return unchanged(present)
    const row = await keys.updateApiKey(tx, stored, {
      revoked_at: now,
      revoked_reason: reason,
      revoked_by: actor.id,
    })
    return changed(keyAt(row, now), changeOf('api_key.revoked', tenant, stored, row))
  })
}

/**
 * Ends all keys that a tenant has, at once, however many: only keys that are made afterwards are valid.
 * @throws {RegistryError} `tenant.not_found`, `tenant.being_purged`, `tenant.platform_own`; `auth.permission_denied` for
 *   a key that is bound to a project
 */
export async function revokeAllApiKeys(
  db: Db,
  actor: Actor,
  tenantId: TenantId,
  { reason }: ApiKeyRevocation,
): Promise<RevokedApiKeys> {
  assertReachesAll(actor)
  return await audited(db, actor, async (tx) => {
    const tenant = await lockKeyOwner(tx, actor, tenantId, 'narrower')
    if (tenantId === platformTenant) {
      throw new RegistryError('tenant.platform_own', { detail: 'Revoke its keys one by one.' })
    }
    if (tenant.purge_requested_at !== null) throw new RegistryError('tenant.being_purged')
    const api_keys = await keys.countApiKeys(tx, tenantId, ['active', 'disabled'])
    const row = await updateTenant(tx, tenant, {
      keys_valid_after: await keys.latestIssue(tx, tenantId),
      keys_revoked_reason: reason,
    })
    const { keys_valid_after } = row
    return changed(
      { api_keys, keys_valid_after, reason },
      { ...tenantChange('tenant.api_keys_revoked', tenant, row), note: reason },
    )
  })
}

/** What `revokeAllApiKeys` would end. */
export async function previewRevokeAll(
  db: Reader,
  actor: Pick<Actor, 'sight' | 'key'>,
  tenantId: TenantId,
  { reason }: ApiKeyRevocation,
): Promise<RevokedApiKeys> {
  assertReachesAll(actor)
  const { keys_valid_after } = await getKeyOwner(db, actor.sight, tenantId)
  if (tenantId === platformTenant) throw new RegistryError('tenant.platform_own')
  return { api_keys: await keys.countApiKeys(db, tenantId, ['active', 'disabled']), keys_valid_after, reason }
}
