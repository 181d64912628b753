import type { KeyPolicy } from '../api-keys/key-policy.ts'
import type { Actor } from '../audit/actor.ts'
import { audited, changed, unchanged } from '../audit/audited.ts'
import type { Db, Reader } from '../db/handles.ts'
import { invalidAt, RegistryError } from '../errors.ts'
import { newTenantId, type TenantId } from '../id.ts'
import { mergePatch } from '../merge-patch.ts'
import { decodeCursor, type Page, pageLimit, toPage } from '../page.ts'
import type { Catalogue } from '../products/catalogue.ts'
import type { Sight } from '../sight.ts'
import { text } from '../text.ts'
import { Timestamp } from '../timestamp.ts'
import { assertPlan } from './plan.ts'
import { isReserved, type Slug } from './slug.ts'
import * as lists from './tenant-list.repository.ts'
import { lockSeen, settleTrial, tenantAt, tenantChange } from './tenant-state.ts'
import * as tenants from './tenant.repository.ts'
import { metadataNamesMax, type NewTenant, type Tenant, type TenantChanges, type TenantQuery } from './tenant.ts'

/**
 * Creates a tenant.
 * @throws {RegistryError} `tenant.slug_reserved`, `tenant.plan_required`, `tenant.plan_unknown`, `tenant.id_retired`, and
 *   `tenant.…_taken` for the slug and the ids that no two tenants share.
 * @example
 *   const tenant = await createTenant(db, actor, catalogue, NewTenant.parse({ slug: 'acme', name: 'Acme Inc.' }))
 */
export async function createTenant(db: Db, actor: Actor, catalogue: Catalogue, input: NewTenant): Promise<Tenant> {
  const { id = newTenantId(), reserved_slug_reason, metadata = {}, key_policy = {}, ...fields } = input
  assertSlugFree(input.slug, catalogue, reserved_slug_reason)
  const status = input.status ?? (input.kind === 'demo' ? 'demo' : 'trial')
  if (status === 'active' && input.plan == null) throw new RegistryError('tenant.plan_required')
  assertPlan(input.plan, catalogue)
  return await audited(db, actor, async (tx) => {
    const row = await tenants.insertTenant(tx, id, {
      ...fields,
      status,
      kind: input.kind ?? (status === 'demo' ? 'demo' : 'customer'),
      metadata: JSON.stringify(metadata),
      key_policy: JSON.stringify(key_policy),
      status_changed_by: actor.id,
    })
    return changed(tenantAt(row, new Date()), {
      action: 'tenant.created',
      crud: 'c',
      tenant: { id: row.id, name: row.name },
      target: { id: row.id, type: 'tenant', name: row.name },
      after: row,
      ...(reserved_slug_reason !== undefined && { note: reserved_slug_reason }),
    })
  })
}

/**
 * Changes what can be changed of a tenant by a merge patch (RFC 7396). A new slug does not take the old one away: it
 * goes on leading to this tenant, and to no other. What changes nothing records nothing.
 * @param expectedVersion the version that the change was decided on, if it should be the present one
 * @throws {RegistryError} `tenant.not_found`, `resource.version_stale`, `tenant.being_purged`, `tenant.slug_reserved`,
 *   `tenant.slug_taken`, `tenant.erp_id_taken`, `tenant.stripe_id_taken`, `tenant.plan_unknown`, `tenant.plan_required`,
 *   `tenant.frozen` for the tenant's own people, `request.invalid` when the contract would end before it begins
 */
export async function updateTenant(
  db: Db,
  actor: Actor,
  catalogue: Catalogue,
  id: TenantId,
  changes: TenantChanges,
  expectedVersion?: number,
): Promise<Tenant> {
  const { reserved_slug_reason: reason, metadata, key_policy: policy, ...fields } = changes
  return await audited(db, actor, async (tx) => {
    const now = new Date()
    const locked = await lockSeen(tx, actor, id, expectedVersion)
    assertChangeable(locked, actor, now)
    const wanted = {
      ...fields,
      ...(metadata !== undefined && { metadata: mergedMetadata(locked.metadata, metadata) }),
      ...(policy !== undefined && { key_policy: mergedPolicy(locked.key_policy, policy) }),
    }
    const differing = Object.entries(wanted).filter(
      ([name, value]) => spell(value) !== spell(locked[name as keyof tenants.TenantRow]),
    )
    if (differing.length === 0) return unchanged(tenantAt(locked, now))
    const { metadata: mergedTo, key_policy, ...update } = Object.fromEntries(differing) as Partial<typeof wanted>
    if (update.slug !== undefined) assertSlugFree(update.slug, catalogue, reason)
    assertPlan(update.plan, catalogue)
    assertContract(update, locked)
    const settled = await settleTrial(tx, locked, now)
    const row = await tenants.updateTenant(tx, settled.row, {
      ...(update as tenants.TenantUpdate),
      ...(mergedTo !== undefined && { metadata: JSON.stringify(mergedTo) }),
      ...(key_policy !== undefined && { key_policy: JSON.stringify(key_policy) }),
    })
    const action = update.slug === undefined ? 'tenant.updated' : 'tenant.renamed'
    const note = update.slug !== undefined && reason !== undefined ? { note: reason } : {}
    return changed(tenantAt(row, now), ...settled.changes, tenantChange(action, settled.row, row, note))
  })
}

/** @throws {RegistryError} `tenant.not_found` */
export async function getTenant(db: Reader, sight: Sight, id: TenantId): Promise<Tenant> {
  return found(await tenants.findTenant(db, sight, id))
}

/**
 * By the slug that a tenant has, or by one that it had before.
 * @throws {RegistryError} `tenant.not_found`
 */
export async function getTenantBySlug(db: Reader, sight: Sight, slug: Slug): Promise<Tenant> {
  return found(await tenants.findTenantBySlug(db, sight, slug))
}

/** @throws {RegistryError} `tenant.not_found` */
export async function getTenantByErpId(db: Reader, sight: Sight, erpId: string): Promise<Tenant> {
  return found(await tenants.findTenantByErpId(db, sight, erpId))
}

/** @throws {RegistryError} `tenant.not_found` */
export async function getTenantByStripeId(db: Reader, sight: Sight, stripeId: string): Promise<Tenant> {
  return found(await tenants.findTenantByStripeId(db, sight, stripeId))
}

/**
 * One page of the tenants in sight, newest first unless the query sorts otherwise.
 * @throws {RegistryError} `page.cursor_invalid`
 */
export async function listTenants(db: Reader, sight: Sight, query: TenantQuery): Promise<Page<Tenant>> {
  const { limit = pageLimit.default, cursor, sort = '-created_at', ...filter } = query
  const list = { ...filter, sort }
  const after =
    cursor === undefined
      ? undefined
      : decodeCursor('tenants', list, cursor, sort.endsWith('created_at') ? Timestamp : text(2048))
  const rows = await lists.listTenants(db, sight, filter, sort, limit + 1, after)
  const page = toPage(rows, limit, 'tenants', list, ({ sorted_by: key, id }) => ({
    key: key instanceof Date ? key.toISOString() : key,
    id,
  }))
  const now = new Date()
  return { ...page, data: page.data.map(({ sorted_by: _, ...row }) => tenantAt(row, now)) }
}

/**
 * Writes down that trials are over, each once whatever the number of processes that do this at once.
 * @param rowsMax how many at most; call again while it answers so many
 * @returns how many there were
 */
export async function sweepEndedTrials(db: Db, actor: Actor, now: Date, rowsMax = 100): Promise<number> {
  return await audited(db, actor, async (tx) => {
    const rows = await tenants.lockEndedTrials(tx, now, rowsMax)
    const settled = []
    for (const row of rows) settled.push(await settleTrial(tx, row, now))
    const changes = settled.flatMap((each) => each.changes)
    const last = changes.pop()
    return last ? changed(rows.length, ...changes, last) : unchanged(0)
  })
}

function found(row: tenants.TenantRow | undefined): Tenant {
  if (!row) throw new RegistryError('tenant.not_found')
  return tenantAt(row, new Date())
}

function assertSlugFree(slug: Slug, catalogue: Catalogue, reason: string | undefined): void {
  if (reason !== undefined || !isReserved(slug, catalogue.keys)) return
  throw new RegistryError('tenant.slug_reserved', {
    detail: `The slug ${slug} is a word of the platform's own. A platform owner can give it away with a reason.`,
  })
}

/** What is on its way out does not change any more; what is frozen or archived does not change by its own people. */
function assertChangeable(row: tenants.TenantRow, actor: Actor, now: Date): void {
  if (row.purge_requested_at !== null) throw new RegistryError('tenant.being_purged')
  if (actor.sight.kind === 'tenants' && tenantAt(row, now).effective_status === 'frozen') {
    throw new RegistryError('tenant.frozen')
  }
}

type Contract = Pick<tenants.TenantRow, 'contract_starts_at' | 'contract_ends_at'>

function assertContract(update: { [Field in keyof Contract]?: Contract[Field] | undefined }, stored: Contract): void {
  const { contract_starts_at: from = stored.contract_starts_at, contract_ends_at: until = stored.contract_ends_at } =
    update
  if (from && until && from > until) throw invalidAt('/contract_ends_at', 'must not be before contract_starts_at')
}

function mergedMetadata(stored: Record<string, string>, patch: Record<string, string | null> | null) {
  const merged = patch === null ? {} : mergePatch(stored, patch)
  if (Object.keys(merged).length > metadataNamesMax) {
    throw invalidAt('/metadata', `must not have more than ${metadataNamesMax} names`)
  }
  return merged
}

function mergedPolicy(stored: KeyPolicy, patch: TenantChanges['key_policy'] | null): KeyPolicy {
  const merged = { ...stored, ...patch }
  const kept = Object.entries(merged).filter(([, rule]) => rule !== null && rule !== undefined)
  return patch === null ? {} : (Object.fromEntries(kept) as KeyPolicy)
}

function spell(value: unknown): string {
  if (value instanceof Date) return value.toISOString()
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  return JSON.stringify(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
