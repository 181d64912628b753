import { z } from 'zod'
import { planLayerOf } from '../entitlements/layers.ts'
import { RegistryError } from '../errors.ts'
import type { Page } from '../page.ts'
import { openEnum } from '../text.ts'
import type { Catalogue } from './catalogue.ts'
import { StoredConfig } from './config.ts'
import type { Manifest } from './manifest.ts'

const limits = () => z.record(z.string(), z.int())

/** What a plan of a product gives. */
const ProductPlan = z
  .object({
    config: StoredConfig.meta({
      description: 'What goes over the default configuration.',
      examples: [{ region: 'eu' }],
    }),
    limits: limits().meta({ description: 'What goes over the default limits.', examples: [{ projects: 25 }] }),
    features: z.array(z.string()).meta({ description: 'The features that are on.', examples: [['reports', 'api']] }),
  })
  .meta({ id: 'ProductPlan', description: 'What a plan of a product gives.' })

/** A product of the platform, as everybody may know it. */
export const Product = z
  .object({
    key: z.string().meta({ description: 'The key of the product. It never changes.', examples: ['certifai'] }),
    name: z.string().meta({ description: 'The name of the product, for people.', examples: ['CertifAI'] }),
    status: openEnum(['active', 'retired']).meta({
      description: 'Whether tenants can get the product, or nobody may use it any more.',
    }),
    owner: z.string().meta({ description: 'The team that answers for the product.', examples: ['team-certifai'] }),
    supports_projects: z
      .boolean()
      .meta({ description: 'Whether tenants of the product can have projects.', examples: [true] }),
    features: z
      .array(z.string())
      .meta({ description: 'The features that are on without a plan.', examples: [['reports', 'api']] }),
    limits: limits().meta({ description: 'The limits that hold without a plan.', examples: [{ projects: 3 }] }),
    plans: z.record(z.string(), ProductPlan).meta({ description: 'The plans of the product by name.' }),
    config_schema: StoredConfig.nullable().meta({
      description: 'What a configuration has to fit, in JSON Schema 2020-12; null where anything does.',
      examples: [{ type: 'object' }],
    }),
    default_config: StoredConfig.meta({
      description: 'What every configuration starts from.',
      examples: [{ region: 'eu' }],
    }),
    scopes: z
      .array(z.string())
      .meta({ description: 'What API keys of the product may be allowed.', examples: [['certifai:read']] }),
    requires: z
      .array(z.string())
      .meta({ description: 'The products that a tenant has to have for it.', examples: [[]] }),
  })
  .meta({ id: 'Product', description: 'A product of the platform.' })
export type Product = z.output<typeof Product>

/** All products, in alphabetical order of their keys, on one page: there are only so many. */
export function listProducts({ products }: Catalogue): Page<Product> {
  const data = [...products.values()].sort((a, b) => (a.key < b.key ? -1 : 1)).map(asProduct)
  return { data, has_more: false, next_cursor: null }
}

/** @throws {RegistryError} `product.not_found` */
export function getProduct({ products }: Catalogue, key: string): Product {
  const manifest = products.get(key)
  if (!manifest) throw new RegistryError('product.not_found')
  return asProduct(manifest)
}

/** What of a manifest is everybody's business. */
function asProduct(manifest: Manifest): Product {
  const { key, name, status, owner, supports_projects, plans = {} } = manifest
  return {
    key,
    name,
    status,
    owner,
    supports_projects,
    features: manifest.features ?? [],
    limits: manifest.limits ?? {},
    plans: Object.fromEntries(
      Object.entries(plans).map(([plan, { config = {}, limits = {} }]) => [
        plan,
        { config, limits, features: [...planLayerOf(manifest, plan).features] },
      ]),
    ),
    config_schema: manifest.config_schema ?? null,
    default_config: manifest.default_config ?? {},
    scopes: manifest.scopes ?? [],
    requires: manifest.requires ?? [],
  }
}
