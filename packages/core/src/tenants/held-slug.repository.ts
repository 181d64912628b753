import type { AuditedTx, Reader } from '../db/handles.ts'
import type { TenantId } from '../id.ts'
import type { Slug } from './slug.ts'

/** Whose a name is or was. */
export async function findHeldSlug(db: Reader, slug: Slug) {
  return await heldSlug(db, slug).executeTakeFirst()
}

/** Locks a name in the namespace. Whoever holds its tenant has to be locked before: a rename and a purge do so too. */
export async function lockHeldSlug(tx: AuditedTx, slug: Slug) {
  return await heldSlug(tx, slug).forUpdate().executeTakeFirst()
}

const heldSlug = (db: Reader, slug: Slug) =>
  db.selectFrom('registry.slugs').select(['tenant_id', 'current', 'released_at']).where('slug', '=', slug)

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
