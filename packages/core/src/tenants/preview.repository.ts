import { sql } from 'kysely'
import type { Reader } from '../db/handles.ts'
import type { TenantId } from '../id.ts'

/** How much of a tenant lives, if the tenant itself does. */
export async function countLiving(
  db: Reader,
  id: TenantId,
): Promise<{ readonly projects: number; readonly api_keys: number }> {
  return await db
    .selectFrom('tenants')
    .select([
      sql<number>`(
        select count(*) from tenant_projects where tenant_id = tenants.id and status = 'active'
      )`.as('projects'),
      sql<number>`(
        select count(*) from api_keys
        where tenant_id = tenants.id and revoked_at is null
          and (tenants.keys_valid_after is null or api_keys.created_at >= tenants.keys_valid_after)
      )`.as('api_keys'),
    ])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
}
