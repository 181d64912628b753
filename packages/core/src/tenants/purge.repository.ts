import { sql, type SqlBool } from 'kysely'
import { type AuditedTx, type HousekeepingTx, type Reader, unwrap } from '../db/handles.ts'
import type { TenantId } from '../id.ts'
import { findLegalHold } from './legal-hold.repository.ts'

/** The tenants whose purge was asked for and that nothing holds, the longest waiting first. */
export async function listPurgeable(db: Reader, rowsMax: number): Promise<TenantId[]> {
  const rows = await db
    .selectFrom('tenants')
    .select('id')
    .where('purge_requested_at', 'is not', null)
    .where(() => sql<SqlBool>`not exists (select from registry.legal_holds hold where hold.stream_id = tenants.id)`)
    .orderBy('purge_requested_at')
    .orderBy('id')
    .limit(rowsMax)
    .execute()
  return rows.map(({ id }) => id)
}

/** Takes the tenant's id off at most so many of its events, by the owner's function. Answers how many it were. */
export async function releaseEvents(tx: HousekeepingTx | AuditedTx, id: TenantId, rowsMax: number): Promise<number> {
  const { rows } = await sql<{ released: number }>`
    select registry.release_tenant_events(${id}::uuid, ${rowsMax}) as released`.execute(unwrap(tx))
  return rows[0]?.released ?? 0
}

/**
 * Locks a tenant against everything, also against rows that refer to it: whoever writes its log locks it first and the
 * head of its stream then, and so does who takes it away.
 */
export async function lockForDeletion(tx: AuditedTx, id: TenantId): Promise<{ readonly name: string }> {
  return await tx.selectFrom('tenants').select('name').where('id', '=', id).forUpdate().executeTakeFirstOrThrow()
}

/** Deletes a tenant and all that is its own. Its log stays, and so do its names and its id, so that nobody gets them. */
export async function deleteTenant(tx: AuditedTx, id: TenantId): Promise<void> {
  await tx.deleteFrom('tenants').where('id', '=', id).execute()
}

/**
 * Whether the transaction has the turn to purge this tenant, until it ends: then nobody else purges it, and nobody puts
 * a hold on it. Since it was listed it may have gone, or have been put under one.
 */
export async function tryPurgeTurn(tx: AuditedTx | HousekeepingTx, id: TenantId): Promise<boolean> {
  const { rows } = await sql<{ granted: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended('purge ' || ${id}, 0)) as granted`.execute(unwrap(tx))
  if (!rows[0]?.granted) return false
  // A statement of its own: it has to see what was committed until the turn was ours.
  const asked = await tx
    .selectFrom('tenants')
    .select('id')
    .where('id', '=', id)
    .where('purge_requested_at', 'is not', null)
    .forShare()
    .executeTakeFirst()
  return asked !== undefined && (await findLegalHold(tx, id)) === undefined
}
