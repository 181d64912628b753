import { openEnum, Timestamp } from '@breakpilot/tenant-core'
import { z } from 'zod'
import type { Principal } from '../auth/index.ts'
import { platformRoles, tenantRoles } from '../auth/principal.ts'
import { route } from '../route.ts'

const kinds = ['operator', 'tenant-user', 'product', 'api-key', 'product-key', 'unassigned'] as const

/** Who makes a request, as the registry sees it. */
const Me = z
  .object({
    kind: openEnum(kinds).meta({ description: 'What kind of caller you are.' }),
    id: z.string().meta({ description: 'The id under which the log knows you.', examples: ['f:keycloak:alice'] }),
    name: z.string().meta({ description: 'Your name, or that of the key.', examples: ['Alice'] }),
    roles: z.array(openEnum(platformRoles)).meta({ description: 'Your roles on the platform, the strongest first.' }),
    memberships: z
      .array(
        z
          .object({
            tenant_id: z.string().meta({
              description: 'The id of the tenant.',
              examples: ['00000000-0000-0000-0000-000000000001'],
            }),
            role: openEnum(tenantRoles).meta({ description: 'Your role there.' }),
          })
          .meta({ id: 'Membership', description: 'A tenant that you are of.' }),
      )
      .meta({ description: 'The tenants that you are of.' }),
    product: z
      .string()
      .nullable()
      .meta({ description: 'The product that you speak for.', examples: ['certifai'] }),
    api_key: z
      .object({
        id: z.string().meta({ description: 'The id of the key.', examples: ['0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e10'] }),
        tenant_id: z
          .string()
          .meta({ description: 'Whose key it is.', examples: ['00000000-0000-0000-0000-000000000001'] }),
        project_id: z
          .string()
          .nullable()
          .meta({ description: 'The project that it is bound to.', examples: [null] }),
        environment: z.string().meta({ description: 'Its environment.', examples: ['live'] }),
        audience: z.string().meta({ description: 'Whom it opens.', examples: ['tenant-registry'] }),
        scopes: z.array(z.string()).meta({ description: 'What it may be used for.', examples: [['tenant:read']] }),
        expires_at: Timestamp.nullable().meta({ description: 'When it ends.' }),
      })
      .meta({ id: 'MyApiKey', description: 'The key that you came with.' })
      .nullable()
      .meta({ description: 'The key that you came with, if you came with one.' }),
  })
  .meta({ id: 'Me', description: 'Who makes the request, as the registry sees it.' })

function meOf(principal: Principal): z.output<typeof Me> {
  const { kind, actor } = principal
  const key = kind === 'api-key' || kind === 'product-key' ? principal.key : undefined
  return {
    kind,
    id: actor.id,
    name: actor.name,
    roles: kind === 'operator' ? [...principal.roles] : [],
    memberships:
      kind === 'tenant-user' ? [...principal.memberships].map(([tenant_id, role]) => ({ tenant_id, role })) : [],
    product: kind === 'product' || kind === 'product-key' ? principal.product : null,
    api_key: key
      ? {
          id: key.id,
          tenant_id: key.tenant_id,
          project_id: key.project_id,
          environment: key.environment,
          audience: key.audience,
          scopes: [...key.scopes],
          expires_at: key.expires_at,
        }
      : null,
  }
}

export const meRoutes = [
  route({
    method: 'get',
    path: '/v1/me',
    operation: 'getMe',
    tag: 'service',
    summary: 'Who am I?',
    description: 'Answers who makes the request and what that rests on: roles, memberships, or a key and its scopes.',
    scope: 'self',
    status: 200,
    response: Me,
    errors: [],
    handle: async ({ principal }) => {
      if (!principal) throw new Error('there is nobody')
      return meOf(principal)
    },
  }),
]
