import {
  getProduct,
  getTenantProduct,
  listProducts,
  listTenantProducts,
  NewTenantProduct,
  previewTenantProduct,
  Product,
  ProductParam,
  putTenantProduct,
  removeTenantProduct,
  TenantProduct,
  TenantProductChanges,
  TenantProductPreview,
  updateTenantProduct,
} from '@breakpilot/tenant-core'
import { z } from 'zod'
import { pageOf } from '../page.ts'
import { noContent, route } from '../route.ts'
import { tenantParams } from './tenant-id.ts'

const tag = 'products'
const tenantProducts = '/v1/tenants/{tenant_id}/products'
const tenantProduct = `${tenantProducts}/{product}` as const
const params = tenantParams.extend({ product: ProductParam })

/** The version of an assignment, for its entity tag. */
const version = (assignment: TenantProduct) => assignment.version

/** What new terms can be refused for. */
const refusals = [
  'product.required_by_other',
  'product.requirement_missing',
  'product.retired',
  'tenant.archived',
  'tenant.frozen',
  'tenant_product.config_invalid',
  'tenant_product.limit_unknown',
] as const

export const productRoutes = [
  route({
    method: 'get',
    path: '/v1/products',
    operation: 'listProducts',
    tag,
    summary: 'List the products',
    description: 'Answers the products of the platform, all on one page: retired ones too.',
    scope: 'catalogue:read',
    status: 200,
    response: pageOf(Product, 'ProductPage'),
    errors: [],
    handle: async ({ catalogue }) => listProducts(catalogue),
  }),
  route({
    method: 'get',
    path: '/v1/products/{product}',
    operation: 'getProduct',
    tag,
    summary: 'Get a product',
    description: 'Answers what a product offers: its plans, limits and features, and what can be configured.',
    scope: 'catalogue:read',
    params: z.object({ product: ProductParam }),
    status: 200,
    response: Product,
    etag: () => null,
    errors: ['product.not_found'],
    handle: async ({ catalogue, params }) => getProduct(catalogue, params.product),
  }),
  route({
    method: 'get',
    path: tenantProducts,
    operation: 'listTenantProducts',
    tag,
    summary: 'List the products of a tenant',
    description:
      'Answers the products that a tenant has and on which terms, all on one page. A product sees itself alone. What the tenant may use of them now is its entitlements.',
    scope: 'products:read',
    params: tenantParams,
    status: 200,
    response: pageOf(TenantProduct, 'TenantProductPage'),
    errors: [],
    handle: ({ db, sight, params }) => listTenantProducts(db, sight, params.tenant_id),
  }),
  route({
    method: 'get',
    path: tenantProduct,
    operation: 'getTenantProduct',
    tag,
    summary: 'Get the terms of a product of a tenant',
    description: 'Answers on which terms a tenant has a product.',
    scope: 'products:read',
    params,
    status: 200,
    response: TenantProduct,
    etag: version,
    errors: ['tenant_product.not_found'],
    handle: ({ db, sight, params }) => getTenantProduct(db, sight, params.tenant_id, params.product),
  }),
  route({
    method: 'put',
    path: tenantProduct,
    operation: 'putTenantProduct',
    tag,
    summary: 'Give a tenant a product',
    description:
      'Gives a tenant a product on these terms, or replaces the terms on which it has it. The terms that it has already change nothing. With `If-None-Match: *` nothing is replaced, with `If-Match` nothing new is given.',
    scope: 'products:write',
    params,
    body: NewTenantProduct,
    status: 200,
    response: TenantProduct,
    preconditions: true,
    etag: version,
    errors: [...refusals, 'product.not_found'],
    handle: ({ db, actor, catalogue, params: { tenant_id, product }, body, expected }) =>
      putTenantProduct(db, actor, catalogue, tenant_id, product, body, expected),
    preview: {
      response: TenantProductPreview,
      handle: ({ db, actor, catalogue, params: { tenant_id, product }, body, expected }) =>
        previewTenantProduct(db, actor, catalogue, tenant_id, product, (unit) =>
          putTenantProduct(unit, actor, catalogue, tenant_id, product, body, expected),
        ),
    },
  }),
  route({
    method: 'patch',
    path: tenantProduct,
    operation: 'updateTenantProduct',
    tag,
    summary: 'Change the terms of a product of a tenant',
    description: 'Changes the terms on which a tenant has a product by a merge patch (RFC 7396).',
    scope: 'products:write',
    params,
    body: TenantProductChanges,
    status: 200,
    response: TenantProduct,
    preconditions: true,
    etag: version,
    errors: [...refusals, 'tenant_product.not_found'],
    examples: { body: { enabled: false }, response: { enabled: false, version: 4 } },
    handle: ({ db, actor, catalogue, params: { tenant_id, product }, body, expectedVersion }) =>
      updateTenantProduct(db, actor, catalogue, tenant_id, product, body, expectedVersion),
    preview: {
      response: TenantProductPreview,
      handle: ({ db, actor, catalogue, params: { tenant_id, product }, body, expectedVersion }) =>
        previewTenantProduct(db, actor, catalogue, tenant_id, product, (unit) =>
          updateTenantProduct(unit, actor, catalogue, tenant_id, product, body, expectedVersion),
        ),
    },
  }),
  route({
    method: 'delete',
    path: tenantProduct,
    operation: 'removeTenantProduct',
    tag,
    summary: 'Take a product away from a tenant',
    description:
      'The tenant no longer has the product, and its configuration is gone. To keep that, disable it instead.',
    scope: 'products:write',
    params,
    status: 204,
    response: noContent,
    preconditions: true,
    errors: ['product.required_by_other', 'tenant.archived', 'tenant.frozen', 'tenant_product.not_found'],
    handle: ({ db, actor, catalogue, params: { tenant_id, product }, expectedVersion }) =>
      removeTenantProduct(db, actor, catalogue, tenant_id, product, expectedVersion),
    preview: {
      response: TenantProductPreview,
      handle: ({ db, actor, catalogue, params: { tenant_id, product }, expectedVersion }) =>
        previewTenantProduct(db, actor, catalogue, tenant_id, product, (unit) =>
          removeTenantProduct(unit, actor, catalogue, tenant_id, product, expectedVersion),
        ),
    },
  }),
]
