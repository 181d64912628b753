import {
  type Actor,
  createCatalogue,
  createTenant,
  type Db,
  NewTenant,
  parseManifest,
  scriptActor,
  StreamId,
  type Tenant,
  type TenantId,
} from '@breakpilot/tenant-core'
import type { z } from 'zod'

/** Who does what a test only needs to have been done. */
export const testActor: Actor = scriptActor('test')

/** Two products, as small as they can be. */
export const testCatalogue = createCatalogue([
  parseManifest(
    `{ key: certifai, name: CertifAI, status: active, owner: team, supports_projects: true, plans: { starter: {}, professional: {} } }`,
    'certifai.yaml',
  ),
  parseManifest(
    `{ key: compliance, name: Compliance, status: active, owner: team, supports_projects: false, plans: { professional: {} } }`,
    'compliance.yaml',
  ),
])

/** The same, with the scopes that keys are made of. */
export const keyCatalogue = createCatalogue([
  parseManifest(
    `{ key: certifai, name: CertifAI, status: active, owner: team, supports_projects: true, plans: { starter: {}, professional: {} }, scopes: [certifai:read, certifai:write, certifai:reports:read] }`,
    'certifai.yaml',
  ),
  parseManifest(
    `{ key: compliance, name: Compliance, status: active, owner: team, supports_projects: false, plans: { professional: {} }, scopes: [compliance:read, compliance:write] }`,
    'compliance.yaml',
  ),
])

let tenants = 0

/** A tenant, made through the same door as everybody's. State only what the test is about. */
export async function aTenant(db: Db, fields: Partial<z.input<typeof NewTenant>> = {}): Promise<Tenant> {
  tenants += 1
  const slug = `tenant-${tenants}-${Math.random().toString(36).slice(2, 8)}`
  return createTenant(db, testActor, testCatalogue, NewTenant.parse({ slug, name: `Tenant ${tenants}`, ...fields }))
}

/** The events of a tenant's stream, oldest first, as far as tests look at them. */
export async function eventsOf(db: Db, id: TenantId) {
  return await db
    .selectFrom('audit_log')
    .select(['action', 'crud', 'actor_id', 'target_id', 'fields', 'metadata'])
    .where('stream_id', '=', StreamId.parse(id))
    .orderBy('stream_seq')
    .execute()
}
