import type { Actor } from '../audit/actor.ts'
import { audited, changed, unchanged } from '../audit/audited.ts'
import type { AuditedTx, Db } from '../db/handles.ts'
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
    const { held, tenant } = await lockWithTenant(tx, slug)
    if (held.current) throw new RegistryError('slug.in_use')
    if (held.released_at) return unchanged({ slug, released_at: held.released_at })
    const released_at = new Date()
    await releaseHeldSlug(tx, slug, released_at)
    return changed(
      { slug, released_at },
      {
        action: 'slug.released',
        crud: 'd',
        tenant,
        target: { id: slug, type: 'slug', name: slug },
        note: reason,
      },
    )
  })
}

/** Locks a name and, before it, the tenant that has or had it: in the order of everybody who changes a name. */
async function lockWithTenant(tx: AuditedTx, slug: Slug) {
  for (;;) {
    const seen = await findHeldSlug(tx, slug)
    if (!seen) throw new RegistryError('slug.not_found')
    const tenant = seen.tenant_id === null ? undefined : await lockTenant(tx, everything, seen.tenant_id)
    const held = await lockHeldSlug(tx, slug)
    // Between the look and the lock it may have become another's: a purge made it nobody's, or somebody took it.
    if (held && held.tenant_id === (tenant?.id ?? null)) {
      return { held, tenant: tenant ? { id: tenant.id, name: tenant.name } : null }
    }
  }
}
