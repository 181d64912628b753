import type { Reader } from '../db/handles.ts'
import type { TenantId } from '../id.ts'

/** What can be told of a tenant's API keys: everything but what proves them. */
export async function listExportedApiKeys(db: Reader, id: TenantId) {
  return await db
    .selectFrom('api_keys')
    .select(['id', 'name', 'prefix', 'scopes', 'revoked_at', 'created_at', 'updated_at'])
    .where('tenant_id', '=', id)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
}
