import { FakeRegistry, type FakeRegistryOptions } from './fake-registry.ts'

export type { FakeApiKeyChanges, FakeApiKeyFields, FakeApiKeys } from './api-keys.ts'
export type { FakeProduct } from './builders.ts'
export type { FakeRegistry, FakeRegistryOptions, FakeTenantFields, Outage } from './fake-registry.ts'
export type { FakeHandler, FakeRequest } from './handlers.ts'
export { FakeRefusal, refuse, type RefusalFacts } from './refusal.ts'
export type { GivenEntitlement } from './store.ts'

/**
 * A registry in memory, so that a product tests without a network: you say what it has, and `registry.client()` is a
 * real client of it. It answers what products ask and nothing else: `registry.answer` gives it more answers.
 * @example
 *   const registry = fakeRegistry({ products: ['certifai'] })
 *   const acme = registry.tenant({ slug: 'acme' })
 *   registry.entitle(acme, 'certifai', { access: 'read_only' })
 *   const answer = await registry.client().entitlements.get(acme.id)
 */
export function fakeRegistry(options: FakeRegistryOptions = {}): FakeRegistry {
  return new FakeRegistry(options)
}
