import { uuidv7 } from 'uuidv7'
import type { Db, Reader } from '../../db/handles.ts'
import { housekeeping } from '../../db/housekeeping.ts'
import { RegistryError } from '../../errors.ts'
import { newSupportViewerId, StreamId, type SupportViewerId, TenantId } from '../../id.ts'
import type { Actor } from '../actor.ts'
import { type Change, ownEvent } from '../audit-event.ts'
import { appendEvents } from '../audit.repository.ts'
import { audited, changed } from '../audited.ts'
import { findTenantOfLog } from '../event-export.repository.ts'
import { assertRoom, savedExportsMax, searchOfExport } from './saved-export.service.ts'
import type { SavedExport } from './saved-export.ts'
import type { StreamScope } from './scope.ts'
import * as viewers from './support-viewer.repository.ts'
import type { SupportViewer } from './support-viewer.repository.ts'
import type { NewSupportViewer, SupportViewerToken } from './support-viewer.ts'
import { newViewerToken } from './viewer-token.ts'

export type { SupportViewer } from './support-viewer.repository.ts'

/** Where the page of the viewer is. */
const page = '/audit/viewer'

/**
 * Lets somebody of the platform's look into the whole log of a tenant for a while, that of one which is gone too: over
 * all products and environments, the registry's own events among them as the platform sees them.
 * @param actor has to be of the platform: who asks for others is refused as for a tenant that is not there
 * @param ttlSeconds how long
 * @throws {RegistryError} `tenant.not_found`
 */
export async function issueSupportViewerToken(
  db: Db,
  actor: Actor,
  { tenant_id, product, environment }: NewSupportViewer,
  { ttlSeconds }: { readonly ttlSeconds: number },
): Promise<SupportViewerToken> {
  if (actor.sight.kind !== 'platform') throw new RegistryError('tenant.not_found')
  const { token, digest } = newViewerToken()
  const scope: StreamScope = {
    stream_id: StreamId.parse(tenant_id),
    ...(product !== undefined && { product }),
    ...(environment !== undefined && { environment }),
  }
  const id = newSupportViewerId()
  const { name, role } = actor
  const issuer = { id: actor.id, ...(name !== undefined && { name }), role }
  return await audited(db, actor, async (tx) => {
    const tenant = await tenantOf(tx, scope)
    if (!tenant && !(await viewers.isRetired(tx, tenant_id))) throw new RegistryError('tenant.not_found')
    const expires_at = await viewers.insertSupportViewer(tx, { id, token_digest: digest, scope, issuer, ttlSeconds })
    return changed(
      { id, token, expires_at, url: `${page}#token=${token}` },
      {
        action: 'audit_viewer.issued',
        crud: 'c',
        tenant,
        target: { id, type: 'audit_viewer' },
        after: { ...asked(scope), expires_at },
      },
    )
  })
}

/**
 * Ends a token before its time, and every session made with it.
 * @param actor has to be of the platform, and need not be who made it
 * @throws {RegistryError} `audit_viewer.not_found` also for one that is over
 */
export async function endSupportViewer(db: Db, actor: Actor, id: SupportViewerId): Promise<void> {
  if (actor.sight.kind !== 'platform') throw new RegistryError('audit_viewer.not_found')
  await audited(db, actor, async (tx) => {
    const viewer = await viewers.findSupportViewer(tx, id)
    if (!viewer || !(await viewers.deleteSupportViewer(tx, id))) throw new RegistryError('audit_viewer.not_found')
    return changed(undefined, {
      action: 'audit_viewer.ended',
      crud: 'd',
      tenant: await tenantOf(tx, viewer.scope),
      target: { id, type: 'audit_viewer' },
      before: { ...asked(viewer.scope), issuer: viewer.issuer.id },
    })
  })
}

/**
 * Records that somebody of the platform's looked: after what was found, and before they see it. What cannot be recorded
 * is not shown.
 */
export async function recordSupportView(db: Db, actor: Actor, { scope }: SupportViewer): Promise<void> {
  await record(db, actor, scope, { action: 'audit.viewed', after: asked(scope) })
}

/** Records that somebody of the platform's takes what they see as a file, before they get it. */
export async function recordSupportExport(
  db: Db,
  actor: Actor,
  { scope }: SupportViewer,
  { body }: Pick<SavedExport, 'body'>,
): Promise<void> {
  await record(db, actor, scope, { action: 'audit.exported', after: { format: 'csv', ...asked(scope), body } })
}

async function record(db: Db, actor: Actor, scope: StreamScope, what: Pick<Change, 'action' | 'after'>) {
  await housekeeping(db, async (tx) => {
    const tenant = await tenantOf(tx, scope)
    const target = { id: scope.stream_id, type: 'audit_log' }
    await appendEvents(tx, [ownEvent(actor, { ...what, crud: 'r', tenant, target })])
  })
}

/** What is asked for less than all; whose log it is the event says anyway. */
const asked = ({ product, environment }: StreamScope) => ({ product, environment })

/** The tenant whose log it is; null when it is gone. */
const tenantOf = async (db: Reader, { stream_id }: StreamScope) =>
  (await findTenantOfLog(db, TenantId.parse(stream_id))) ?? null

/**
 * Saves a search under a name, for as long as the viewer may look.
 * @throws {RegistryError} `audit_search.invalid` for a search that cannot be read, `audit_export.too_many`
 */
export async function saveSupportExport(
  db: Db,
  actor: Actor,
  viewer: SupportViewer,
  { name, body }: Pick<SavedExport, 'name' | 'body'>,
): Promise<Omit<SavedExport, 'saved_at'>> {
  searchOfExport(body)
  return await audited(db, actor, async (tx) => {
    assertRoom(await viewers.countSupportExports(tx, viewer.id))
    const saved = { id: uuidv7(), name, body }
    await viewers.insertSupportExport(tx, { ...saved, viewer_id: viewer.id })
    return changed(saved, {
      action: 'audit_export.saved',
      crud: 'c',
      tenant: await tenantOf(tx, viewer.scope),
      target: { id: saved.id, type: 'audit_export', name },
      after: { ...asked(viewer.scope), body },
    })
  })
}

/** What a viewer saved, newest first. */
export async function listSupportExports(db: Reader, { id }: SupportViewer, limit: number): Promise<SavedExport[]> {
  return await viewers.listSupportExports(db, id, Math.min(limit, savedExportsMax))
}

/** @throws {RegistryError} `audit_export.not_found` also for what another viewer saved */
export async function getSupportExport(db: Reader, viewer: SupportViewer, id: string): Promise<SavedExport> {
  const found = await viewers.findSupportExport(db, viewer.id, id)
  if (!found) throw new RegistryError('audit_export.not_found')
  return found
}
