import type { AuditedTx, Reader } from '../db/handles.ts'
import type { TenantId } from '../id.ts'
import type { Slug } from './slug.ts'

/** Locks a name in the namespace, and says whose it is or was. */
export async function lockHeldSlug(tx: AuditedTx, slug: Slug) {
  return await tx
    .selectFrom('registry.slugs as held')
    .leftJoin('tenants', 'tenants.id', 'held.tenant_id')
    .select(['held.tenant_id', 'held.current', 'held.released_at', 'tenants.name'])
    .where('held.slug', '=', slug)
    .forUpdate('held')
    .executeTakeFirst()
}

/** Gives a name back: it leads nowhere, and the next tenant that wants it gets it. */
export async function releaseHeldSlug(tx: AuditedTx, slug: Slug, at: Date): Promise<void> {
  await tx.updateTable('registry.slugs').set({ tenant_id: null, released_at: at }).where('slug', '=', slug).execute()
}

/** The names that a tenant had before, in the order in which it took them. */
export async function listFormerSlugs(db: Reader, id: TenantId): Promise<string[]> {
  const rows = await db
    .selectFrom('registry.slugs')
    .select('slug')
    .where('tenant_id', '=', id)
    .where('current', '=', false)
    .orderBy('taken_at')
    .orderBy('slug')
    .execute()
  return rows.map(({ slug }) => slug)
}
