import type { SchemaObject } from 'openapi3-ts/oas31'

/** JSON Schema, as far as our generator writes it. */
interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly examples?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
}

/** Makes an example of a component. */
type Derive = (component: string) => object

const step = {
  status_reason: 'payment_overdue',
  status_note: 'Invoice 2026-117 is 60 days late.',
  status_changed_by: 'jane@breakpilot.com',
} as const

/** A tenant that is behind with its payments, as its examples tell it. */
export const frozenTenant = {
  ...step,
  status: 'frozen',
  effective_status: 'frozen',
  frozen_from: 'active',
  allowed_transitions: ['active', 'archived'],
} as const

/** A key that can be used. */
const activeKey = {
  enabled: true,
  project_id: null,
  replaced_by: null,
  revoked_at: null,
  revoked_reason: null,
  revoked_by: null,
}
const withoutPeople = ({ revoked_by: _, ...key }: typeof activeKey) => key

/**
 * What the components say in their examples where their fields, each with an example of its own, do not tell one story
 * together: that of Acme Inc., the tenant of the seed.
 */
const story: Readonly<Record<string, (derive: Derive) => object>> = {
  Tenant: () => ({ status: 'active', effective_status: 'active', status_note: null }),
  TenantSummary: () => ({ status: 'active', effective_status: 'active' }),
  TransitionPreview: (derive) => ({ tenant: { ...derive('Tenant'), ...frozenTenant } }),
  ApiKey: () => activeKey,
  OwnApiKey: () => withoutPeople(activeKey),
  IssuedApiKey: () => activeKey,
  OwnIssuedApiKey: () => withoutPeople(activeKey),
  VerifiedKey: () => ({ valid: true, project_id: null, environment: 'live' }),
  Product: (derive) => ({ plans: { professional: derive('ProductPlan') } }),
  TenantProductPreview: (derive) => ({
    after: { ...derive('Entitlement'), access: 'none', reason: 'disabled', config: {}, limits: {}, features: [] },
  }),
  Entitlements: () => ({ status: 'active', trial_days_left: null }),
  EvaluationResult: (derive) => ({ entitlements: derive('Entitlements') }),
  EvaluationItem: () => ({ project_id: undefined, at: undefined }),
  RegistryChange: () => ({ n: 4711 }),
  AuditEvent: () => ({ tenant_id: '00000000-0000-0000-0000-000000000001', crud: 'u' }),
}

/**
 * Makes an example of what a schema describes: its own, or one of the examples of its parts. What may be null and shows
 * nothing else is null, what is optional and shows nothing is not there, and a list has one entry. Answers undefined
 * where nothing is shown that it could be made of.
 */
export function exampleOf(given: SchemaObject, components: ReadonlyMap<string, SchemaObject>): unknown {
  return derived(given)

  function derived(schema: Schema): unknown {
    const [shown] = schema.examples ?? schema.enum ?? []
    if (shown !== undefined) return shown
    if (schema.const !== undefined) return schema.const
    if (schema.$ref !== undefined) return component(schema.$ref.split('/').at(-1) ?? '')
    if (schema.anyOf) return schema.anyOf.some(({ type }) => type === 'null') ? null : derived(schema.anyOf[0] ?? {})
    if (schema.items) return [derived(schema.items)]
    if (schema.type === 'object') return object(schema)
    if (schema.type === 'boolean') return false
    return Array.isArray(schema.type) && schema.type.includes('null') ? null : undefined
  }

  function component(name: string): object {
    const value = derived(components.get(name) ?? {}) as object
    return known({ ...value, ...story[name]?.(component) })
  }

  function object({ properties = {}, required = [] }: Schema): object {
    const fields = Object.entries(properties).map(([name, property]) => [name, derived(property)] as const)
    // What shows nothing keeps its place, for the story.
    return Object.fromEntries(fields.filter(([name, value]) => value !== null || required.includes(name)))
  }
}

/** The fields that have a value. */
const known = (fields: object) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
