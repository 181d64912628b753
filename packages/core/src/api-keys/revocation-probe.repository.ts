import { sql } from 'kysely'
import type { HousekeepingTx } from '../db/handles.ts'
import type { KeyHousekeepingTx } from '../db/housekeeping.ts'
import { newApiKeyId, platformTenant, type TenantId } from '../id.ts'
import { registryAudience } from './scope.ts'

/** Who the probe's key says that made it. */
export const probeName = 'revocation-probe'

/** Takes the turn for a while, unless another replica has it. */
export async function takeProbeTurn(tx: HousekeepingTx): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('registry.revocation_probe')
    .set({ held_until: sql<Date>`clock_timestamp() + interval '50 seconds'` })
    .where('held_until', '<', sql<Date>`clock_timestamp()`)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

/** What is stored of the probe's key. */
export interface ProbeKey {
  readonly prefix: string
  readonly hash: string
  readonly issuer_kid: string
}

/** The probe's keys under a key of the ring: those that somebody ended, and the one in use. */
export async function listProbeKeys(tx: KeyHousekeepingTx, issuerKid: string) {
  return await tx
    .selectFrom('api_keys')
    .select(['prefix', 'revoked_at'])
    .where('tenant_id', '=', platformTenant as TenantId)
    .where('created_by', '=', probeName)
    .where('issuer_kid', '=', issuerKid)
    .execute()
}

/** Puts the probe's key where it can be switched. It opens nothing: no one knows its scope. */
export async function insertProbeKey(tx: KeyHousekeepingTx, key: ProbeKey): Promise<void> {
  const id = newApiKeyId()
  await tx
    .insertInto('api_keys')
    .values({
      ...key,
      id,
      family_id: id,
      tenant_id: platformTenant as TenantId,
      name: 'Revocation probe',
      environment: 'live',
      audience: registryAudience,
      scopes: ['canary:none'],
      enabled: false,
      created_by: probeName,
    })
    .onConflict((conflict) => conflict.column('prefix').doNothing())
    .execute()
}

/** Switches it on or off. One that nobody switches any more ends in a day. */
export async function switchProbeKey(tx: KeyHousekeepingTx, prefix: string, enabled: boolean): Promise<void> {
  await tx
    .updateTable('api_keys')
    .set({ enabled, expires_at: sql<Date>`clock_timestamp() + interval '1 day'` })
    .where('prefix', '=', prefix)
    .execute()
}
