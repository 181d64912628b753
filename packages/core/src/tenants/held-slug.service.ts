import type { Actor } from '../audit/actor.ts'
import { audited, changed, unchanged } from '../audit/audited.ts'
import type { Db } from '../db/handles.ts'
import { RegistryError } from '../errors.ts'
import { everything } from '../sight.ts'
import { findHeldSlug, lockHeldSlug, releaseHeldSlug } from './held-slug.repository.ts'
import type { ReleasedSlug, SlugRelease } from './held-slug.ts'
import type { Slug } from './slug.ts'
import { lockTenant } from './tenant.repository.ts'

/**
 * Gives back a name that a tenant had before, or that of a tenant that is gone. Links and host names that still use it
 * lead nowhere from here on, and to whoever takes it next.
 * @throws {RegistryError} `slug.not_found`, `slug.in_use` while a tenant is called so
 */
export async function releaseSlug(db: Db, actor: Actor, slug: Slug, { reason }: SlugRelease): Promise<ReleasedSlug> {
  return await audited(db, actor, async (tx) => {
    const seen = await findHeldSlug(tx, slug)
    // First the tenant, then the name: in the order of everybody who changes one.
    const tenant = seen?.tenant_id ? await lockTenant(tx, everything, seen.tenant_id) : undefined
    const held = await lockHeldSlug(tx, slug)
    if (!held) throw new RegistryError('slug.not_found')
    if (held.current) throw new RegistryError('slug.in_use')
    if (held.released_at) return unchanged({ slug, released_at: held.released_at })
    if (held.tenant_id !== (tenant?.id ?? null)) {
      throw new RegistryError('database.busy', {
        detail: 'The name is changing hands. Ask again.',
        retryAfterSeconds: 1,
      })
    }
    const released_at = new Date()
    await releaseHeldSlug(tx, slug, released_at)
    return changed(
      { slug, released_at },
      {
        action: 'slug.released',
        crud: 'd',
        tenant: tenant ? { id: tenant.id, name: tenant.name } : null,
        target: { id: slug, type: 'slug', name: slug },
        note: reason,
      },
    )
  })
}
