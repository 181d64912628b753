import type { AuditedTx, Reader } from '../db/handles.ts'
import { StreamId, type TenantId } from '../id.ts'
import type { LegalHold } from './legal-hold.ts'

const columns = ['reason', 'by', 'at'] as const

/** A tenant's stream has the tenant's id. */
const streamOf = (id: TenantId) => StreamId.parse(id)

export async function findLegalHold(db: Reader, id: TenantId): Promise<LegalHold | undefined> {
  return await db
    .selectFrom('registry.legal_holds')
    .select(columns)
    .where('stream_id', '=', streamOf(id))
    .executeTakeFirst()
}

/** Puts a hold on a tenant, or gives the one that is there another reason. */
export async function upsertLegalHold(tx: AuditedTx, id: TenantId, reason: string, by: string): Promise<LegalHold> {
  return await tx
    .insertInto('registry.legal_holds')
    .values({ stream_id: streamOf(id), reason, by })
    .onConflict((conflict) => conflict.column('stream_id').doUpdateSet({ reason, by }))
    .returning(columns)
    .executeTakeFirstOrThrow()
}

export async function deleteLegalHold(tx: AuditedTx, id: TenantId): Promise<LegalHold | undefined> {
  return await tx
    .deleteFrom('registry.legal_holds')
    .where('stream_id', '=', streamOf(id))
    .returning(columns)
    .executeTakeFirst()
}
