import type { Actor } from '../audit/actor.ts'
import { audited, changed, unchanged } from '../audit/audited.ts'
import type { Db, Reader } from '../db/handles.ts'
import { RegistryError } from '../errors.ts'
import type { TenantId } from '../id.ts'
import type { Sight } from '../sight.ts'
import * as holds from './legal-hold.repository.ts'
import type { LegalHold, NewLegalHold } from './legal-hold.ts'
import { getSeen, lockSeen } from './tenant-state.ts'

/** @throws {RegistryError} `tenant.not_found`, `legal_hold.not_found` */
export async function getLegalHold(db: Reader, sight: Sight, id: TenantId): Promise<LegalHold> {
  await getSeen(db, sight, id)
  const hold = await holds.findLegalHold(db, id)
  if (!hold) throw new RegistryError('legal_hold.not_found')
  return hold
}

/**
 * Puts a tenant and its log under a legal hold. It stops a purge, also one that has been asked for.
 * @throws {RegistryError} `tenant.not_found`
 */
export async function placeLegalHold(db: Db, actor: Actor, id: TenantId, input: NewLegalHold): Promise<LegalHold> {
  return await audited(db, actor, async (tx) => {
    const tenant = await lockSeen(tx, actor, id)
    const before = await holds.findLegalHold(tx, id)
    if (before?.reason === input.reason) return unchanged(before)
    const hold = await holds.upsertLegalHold(tx, id, input.reason, actor.id)
    return changed(hold, {
      action: before ? 'legal_hold.updated' : 'legal_hold.placed',
      crud: before ? 'u' : 'c',
      tenant: { id, name: tenant.name },
      target: { id, type: 'legal_hold', name: tenant.name },
      ...(before && { before }),
      after: hold,
    })
  })
}

/** @throws {RegistryError} `tenant.not_found`, `legal_hold.not_found` */
export async function liftLegalHold(db: Db, actor: Actor, id: TenantId): Promise<void> {
  await audited(db, actor, async (tx) => {
    const tenant = await lockSeen(tx, actor, id)
    const hold = await holds.deleteLegalHold(tx, id)
    if (!hold) throw new RegistryError('legal_hold.not_found')
    return changed(undefined, {
      action: 'legal_hold.lifted',
      crud: 'd',
      tenant: { id, name: tenant.name },
      target: { id, type: 'legal_hold', name: tenant.name },
      before: hold,
    })
  })
}
