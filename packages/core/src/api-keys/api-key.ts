import { z } from 'zod'
import { ApiKeyId, ProjectId, TenantId } from '../id.ts'
import { PageQuery } from '../page.ts'
import { ProductKey } from '../products/manifest.ts'
import { name, openEnum, text } from '../text.ts'
import { Timestamp } from '../timestamp.ts'
import { IpRange } from './ip-range.ts'
import { Scope } from './scope.ts'
import { keyEnvironments, prefixShape } from './token.ts'

/** What a key is in now, its tenant not considered but for what ended all of its keys. */
export const keyStatuses = ['active', 'disabled', 'expired', 'revoked'] as const
export type KeyStatus = (typeof keyStatuses)[number]

const describe = {
  id: 'The id of the key. It never changes.',
  tenant_id: 'The id of the tenant whose key it is.',
  project_id: 'The project that the key is bound to; null for a key of the whole tenant.',
  name: 'What the key is for, for people.',
  prefix: 'The public part of the key: safe to show and to log. It finds the key again.',
  environment: 'Whether the key is for real work or for trying things out.',
  audience: 'Whom the key opens: the key of a product, or `tenant-registry` for this API. It follows from the scopes.',
  scopes: 'What the key may be used for: `area:verb`, or `area:*` for everything of an area.',
  status: 'Whether the key can be used, as far as that depends on the key itself.',
  enabled: 'Whether the key was switched off for a while.',
  expires_at: 'From when on the key is no longer valid; null for never.',
  ip_allow:
    'From where the key may be used: networks in CIDR notation, IPv4 or IPv6. An empty list allows every address.',
  metadata: 'Whatever you want to remember with the key: up to 20 names with a text each. No secrets.',
  family_id: 'The first of the keys that were made from each other by rotation.',
  replaced_by: 'The key that took its place by rotation, if one did.',
  created_by: 'Who made the key.',
  revoked_at: 'When the key ended for good; null while it has not.',
  revoked_reason: 'Why it ended.',
  revoked_by: 'Who ended it; null when all keys of the tenant were ended.',
  last_used_at: 'When the key was last used, up to a minute late; null for never.',
  last_used_ip: 'From where it was last used, where that is known.',
  version: 'Grows with every change. `If-Match` compares it.',
  created_at: 'When the key was made.',
  updated_at: 'When anything of the key last changed.',
} as const

const examples = {
  name: ['Deployment'],
  scopes: [['certifai:read', 'certifai:write']],
  ip_allow: [['203.0.113.0/24', '2001:db8::/32']],
  metadata: [{ owner: 'platform-team' }],
  prefix: ['bpk_live_7Xk2mQ9vT4bN'],
  key: ['bpk_live_7Xk2mQ9vT4bN_0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2yZ3aB4cD5e0000000000000'],
  reason: ['no_longer_needed'],
} as const

const shape = {
  id: ApiKeyId.meta({ description: describe.id }),
  tenant_id: TenantId.meta({ description: describe.tenant_id }),
  project_id: ProjectId.nullable().meta({ description: describe.project_id }),
  name: z.string().meta({ description: describe.name, examples: [...examples.name] }),
  prefix: z.string().meta({ description: describe.prefix, examples: [...examples.prefix] }),
  environment: openEnum(keyEnvironments).meta({ description: describe.environment }),
  audience: z.string().meta({ description: describe.audience, examples: ['certifai'] }),
  scopes: z.array(z.string()).meta({ description: describe.scopes, examples: [['certifai:read', 'certifai:write']] }),
  status: openEnum(keyStatuses).meta({ description: describe.status }),
  enabled: z.boolean().meta({ description: describe.enabled }),
  expires_at: Timestamp.nullable().meta({ description: describe.expires_at }),
  ip_allow: z.array(z.string()).meta({ description: describe.ip_allow, examples: [['203.0.113.0/24']] }),
  metadata: z
    .record(z.string(), z.string())
    .meta({ description: describe.metadata, examples: [{ owner: 'platform-team' }] }),
  family_id: ApiKeyId.meta({ description: describe.family_id }),
  replaced_by: ApiKeyId.nullable().meta({ description: describe.replaced_by }),
  created_by: z
    .string()
    .nullable()
    .meta({ description: describe.created_by, examples: ['f:keycloak:alice'] }),
  revoked_at: Timestamp.nullable().meta({ description: describe.revoked_at }),
  revoked_reason: z
    .string()
    .nullable()
    .meta({ description: describe.revoked_reason, examples: [...examples.reason] }),
  revoked_by: z
    .string()
    .nullable()
    .meta({ description: describe.revoked_by, examples: ['f:keycloak:alice'] }),
  last_used_at: Timestamp.nullable().meta({ description: describe.last_used_at }),
  last_used_ip: z
    .string()
    .nullable()
    .meta({ description: describe.last_used_ip, examples: ['203.0.113.7'] }),
  version: z.int().meta({ description: describe.version, examples: [1] }),
  created_at: Timestamp.meta({ description: describe.created_at }),
  updated_at: Timestamp.meta({ description: describe.updated_at }),
}

/** What is known of a key: everything but what proves it. */
export const ApiKey = z.object(shape).meta({ id: 'ApiKey', description: 'An API key, without its secret.' })
export type ApiKey = z.output<typeof ApiKey>

const { created_by: _creator, revoked_by: _revoker, ...ownShape } = shape

/** What leaves to those who are not of the platform: who of it did what is none of their business. */
export const OwnApiKey = z.object(ownShape).meta({ id: 'OwnApiKey', description: 'An API key, as its tenant sees it.' })

const secret = {
  key: z.string().meta({
    description: 'The key itself. It is shown here and never again: keep it where secrets are kept.',
    examples: [...examples.key],
  }),
}

/** A key that was just made, with its secret. */
export const IssuedApiKey = z
  .object({ ...shape, ...secret })
  .meta({ id: 'IssuedApiKey', description: 'An API key that was just made, with its secret.' })
export type IssuedApiKey = z.output<typeof IssuedApiKey>

export const OwnIssuedApiKey = z.object({ ...ownShape, ...secret }).meta({
  id: 'OwnIssuedApiKey',
  description: 'An API key that was just made, with its secret, as its tenant sees it.',
})

/** How many scopes, networks and names of metadata a key may have. */
export const keyBounds = { scopes: 100, ranges: 50, metadata: 20 } as const

const scopes = z
  .array(Scope)
  .min(1)
  .max(keyBounds.scopes)
  .transform((all) => [...new Set(all)])
const ipAllow = z
  .array(IpRange)
  .max(keyBounds.ranges)
  .transform((all) => [...new Set(all)])
const metadataName = text(63).min(1)
const metadataText = text(500)
const tooManyNames = { error: `must not have more than ${keyBounds.metadata} names` }
const atMostSoMany = (metadata: object) => Object.keys(metadata).length <= keyBounds.metadata

const fields = {
  name: name(200).meta({ description: describe.name, examples: [...examples.name] }),
  scopes: scopes.meta({ description: describe.scopes, examples: [['certifai:read', 'certifai:write']] }),
  expires_at: Timestamp.nullish().meta({ description: describe.expires_at }),
  ip_allow: ipAllow.optional().meta({ description: describe.ip_allow, examples: [['203.0.113.0/24']] }),
}

/** What it takes to make a key. */
export const NewApiKey = z
  .strictObject({
    ...fields,
    project_id: ProjectId.nullish().meta({ description: describe.project_id }),
    environment: z
      .enum(keyEnvironments)
      .optional()
      .meta({
        description: `${describe.environment} \`live\` unless told.`,
        examples: ['live'],
      }),
    metadata: z
      .record(metadataName, metadataText)
      .refine(atMostSoMany, tooManyNames)
      .optional()
      .meta({ description: describe.metadata, examples: [{ owner: 'platform-team' }] }),
    product: ProductKey.optional().meta({
      description: "For keys of the platform's own tenant alone: the product that the key speaks for.",
      examples: ['certifai'],
    }),
  })
  .brand<'NewApiKey'>()
  .meta({ id: 'NewApiKey', description: 'What it takes to make an API key.' })
export type NewApiKey = z.output<typeof NewApiKey>

/** What of a key can be changed by a patch. Whose it is and whom it opens cannot. */
export const ApiKeyChanges = z
  .strictObject({
    name: fields.name.optional(),
    scopes: fields.scopes.optional(),
    expires_at: fields.expires_at,
    enabled: z.boolean().optional().meta({ description: describe.enabled }),
    ip_allow: ipAllow
      .nullish()
      .meta({ description: `${describe.ip_allow} null clears it.`, examples: [['203.0.113.0/24']] }),
    metadata: z
      .record(metadataName, metadataText.nullable())
      .refine(atMostSoMany, tooManyNames)
      .nullish()
      .meta({
        description: `${describe.metadata} A name with null goes, one that is absent stays; null clears all.`,
        examples: [{ owner: 'platform-team', old: null }],
      }),
  })
  .brand<'ApiKeyChanges'>()
  .meta({
    id: 'ApiKeyChanges',
    description: 'A merge patch (RFC 7396) of an API key: null clears, an absent field stays.',
  })
export type ApiKeyChanges = z.output<typeof ApiKeyChanges>

/** Seconds that a key may live on beside the one that takes its place. */
export const overlapSeconds = { default: 86_400, max: 30 * 86_400 } as const

/** How a key is rotated. */
export const ApiKeyRotation = z
  .strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(overlapSeconds.max)
      .optional()
      .meta({
        description: `For how long the old key lives on, at most until its own end: 0 to ${overlapSeconds.max} seconds, a day unless told.`,
        examples: [3600],
      }),
  })
  .brand<'ApiKeyRotation'>()
  .meta({ id: 'ApiKeyRotation', description: 'How long a key lives on beside the one that takes its place.' })
export type ApiKeyRotation = z.output<typeof ApiKeyRotation>

const reason = name(200).meta({
  description: 'Why, for those who look at the key later: `compromised`, `no_longer_needed`, or your own words.',
  examples: ['no_longer_needed'],
})

/** Why a key is ended for good. */
export const ApiKeyRevocation = z
  .strictObject({ reason })
  .brand<'ApiKeyRevocation'>()
  .meta({ id: 'ApiKeyRevocation', description: 'Why a key, or all keys, are ended for good.' })
export type ApiKeyRevocation = z.output<typeof ApiKeyRevocation>

/** What ended all keys of a tenant. */
export const RevokedApiKeys = z
  .object({
    api_keys: z.int().meta({ description: 'How many keys that could still be used it ended.', examples: [12] }),
    keys_valid_after: Timestamp.nullable().meta({
      description: 'Only keys that were made after this are valid; null in a dry run of a tenant that never ended all.',
    }),
    reason: z.string().meta({ description: 'Why.', examples: ['compromised'] }),
  })
  .meta({ id: 'RevokedApiKeys', description: 'What ended all keys of a tenant, or would.' })
export type RevokedApiKeys = z.output<typeof RevokedApiKeys>

/** A key that somebody found or holds, to be ended. */
export const LeakedApiKey = z
  .strictObject({
    key: z.string().meta({ description: 'The whole key.', examples: [...examples.key] }),
  })
  .brand<'LeakedApiKey'>()
  .meta({ id: 'LeakedApiKey', description: 'A key that is to be ended by whoever holds it.' })
export type LeakedApiKey = z.output<typeof LeakedApiKey>

/** Which keys of a tenant a list shows. */
export const ApiKeyQuery = PageQuery.extend({
  status: z
    .enum(keyStatuses)
    .optional()
    .meta({ description: 'Only keys with this status.', examples: ['active'] }),
  project_id: ProjectId.optional().meta({ description: 'Only keys that are bound to this project.' }),
  environment: z
    .enum(keyEnvironments)
    .optional()
    .meta({ description: 'Only keys of this environment.', examples: ['live'] }),
  audience: z
    .string()
    .max(63)
    .regex(/^[a-z][a-z0-9-]*$/, { error: 'must be the key of a product, or tenant-registry' })
    .optional()
    .meta({ description: 'Only keys that open this product, or `tenant-registry`.', examples: ['certifai'] }),
  family_id: ApiKeyId.optional().meta({ description: 'Only keys that were made from each other by rotation.' }),
})
export type ApiKeyQuery = z.output<typeof ApiKeyQuery>

/** Which key of any tenant is looked for. */
export const ApiKeySearch = z.object({
  prefix: z
    .string()
    .regex(prefixShape, { error: 'must be the public part of a key alone, such as bpk_live_7Xk2mQ9vT4bN' })
    .meta({
      description: 'The public part of the key. Never the whole key: addresses are logged.',
      examples: [...examples.prefix],
    }),
})
export type ApiKeySearch = z.output<typeof ApiKeySearch>
