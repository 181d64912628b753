import { join } from 'node:path'
import { NewTenant, NewTenantProduct, TenantId } from '@breakpilot/tenant-core'
import { checkout } from '../postgres/installation.ts'

/** The five products that there are here. */
export const manifestFolder = join(checkout, 'scripts/bench/products')

/** The tenant that is asked for: a customer under contract. */
export const acmeId = TenantId.parse('00000000-0000-0000-0000-000000000001')
export const acme = NewTenant.parse({
  id: acmeId,
  slug: 'acme',
  name: 'Acme Inc.',
  status: 'active',
  plan: 'professional',
  contract_starts_at: '2020-01-01T00:00:00.000Z',
  contract_ends_at: '2099-12-31T00:00:00.000Z',
})

/** Its products: two are as the plan has them, three have something of their own, one of these ends one day. */
export const acmeProducts = new Map<string, NewTenantProduct>([
  terms('atlas', { config: { model: 'large', retention: { days: 365 } }, limits: { projects: 40 } }),
  terms('beacon', {}),
  terms('certifai', { config: { model: 'large', retention: { days: 365 } }, limits: { projects: 40 } }),
  terms('compliance', {}),
  terms('dossier', {
    config: { model: 'large', retention: { days: 365 } },
    limits: { projects: 40 },
    valid_from: '2020-03-01T00:00:00.000Z',
    valid_until: '2099-09-01T00:00:00.000Z',
  }),
])

function terms(product: string, agreed: object): [string, NewTenantProduct] {
  return [product, NewTenantProduct.parse(agreed)]
}
