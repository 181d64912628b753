import { z } from 'zod'
import { ProjectId } from '../id.ts'
import { openEnum } from '../text.ts'
import { ScopeQuery } from './scope.ts'
import { keyEnvironments } from './token.ts'

/** What can be said of a key that somebody brings. */
export const verificationCodes = [
  'VALID',
  'NOT_FOUND',
  'REVOKED',
  'EXPIRED',
  'DISABLED',
  'TENANT_INACTIVE',
  'PRODUCT_NOT_ASSIGNED',
  'PROJECT_INACTIVE',
  'PROJECT_MISMATCH',
  'ENVIRONMENT_MISMATCH',
  'IP_NOT_ALLOWED',
  'INSUFFICIENT_SCOPE',
  'RETRY',
] as const
export type VerificationCode = (typeof verificationCodes)[number]

/** The most seconds that an answer may be relied on without asking again. */
export const maxAgeSeconds = 5

/** A key that somebody brings, and what it is brought for. */
export const Verification = z
  .strictObject({
    // Whatever it is: what is no key of ours is not found, and kept nowhere.
    key: z.string().meta({
      description: 'The whole key, as it was brought.',
      examples: ['bpk_live_7Xk2mQ9vT4bN_0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2yZ3aB4cD5e0000000000000'],
    }),
    scopes: ScopeQuery.optional().meta({
      description: 'What it takes: all scopes of a list, or `all` of one and `any` of another.',
      examples: [['certifai:read'], { any: ['certifai:read', 'certifai:write'] }],
    }),
    project_id: ProjectId.optional().meta({ description: 'The project that the key is used in.' }),
    environment: z
      .enum(keyEnvironments)
      .optional()
      .meta({ description: 'The environment that the key is used in.', examples: ['live'] }),
    client_ip: z
      .string()
      .max(64)
      .optional()
      .meta({
        description: 'The address of who brought it. Without one, a key that is bound to networks is not valid.',
        examples: ['203.0.113.7'],
      }),
  })
  .meta({ id: 'Verification', description: 'A key that somebody brings, and what it is brought for.' })
export type Verification = z.output<typeof Verification>

/** How many keys one request may ask about. */
const verificationBatchMax = 100

/** Keys that somebody brings, each with what it is brought for. */
export const VerificationBatch = z
  .strictObject({
    items: z
      .array(Verification)
      .min(1)
      .max(verificationBatchMax)
      .meta({ description: 'The keys. Each is answered by itself, in this order.' }),
  })
  .meta({ id: 'VerificationBatch', description: 'Up to a hundred keys, each with what it is brought for.' })
export type VerificationBatch = z.output<typeof VerificationBatch>

const id = z.string().nullable()

/**
 * What is said of a key. Its fields are as they stand on the wire: this is answered more often than anything else. All
 * but `code` and `max_age` are null, and `scopes` empty, for a key that whoever brought it has not proven.
 */
export const VerifiedKey = z
  .object({
    valid: z.boolean().meta({ description: 'Whether the key may be used for that: `code` is `VALID`.' }),
    code: openEnum(verificationCodes).meta({ description: 'Why it may, or may not. A new code means no.' }),
    api_key_id: id.meta({ description: 'The id of the key.', examples: ['0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e10'] }),
    tenant_id: id.meta({ description: 'Whose key it is.', examples: ['00000000-0000-0000-0000-000000000001'] }),
    project_id: id.meta({
      description: 'The project that the key is bound to, if it is.',
      examples: ['0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f'],
    }),
    environment: openEnum(keyEnvironments).nullable().meta({ description: 'The environment of the key.' }),
    scopes: z.array(z.string()).meta({ description: 'What the key may be used for.', examples: [['certifai:read']] }),
    expires_at: z
      .string()
      .nullable()
      .meta({ description: 'When the key ends.', format: 'date-time', examples: ['2027-03-01T12:00:00.000Z'] }),
    tenant_status: z
      .string()
      .nullable()
      .meta({ description: 'What the tenant is in, when that is why.', examples: [null] }),
    max_age: z.int().meta({
      description: `For how many seconds from this answer it may be relied on: at most ${maxAgeSeconds}. Using it does not prolong it.`,
      examples: [maxAgeSeconds],
    }),
  })
  .meta({ id: 'VerifiedKey', description: 'What is said of a key that somebody brought.' })
export type VerifiedKey = z.output<typeof VerifiedKey>

/** What is said of each key, in the order of the questions. */
export const VerifiedKeys = z
  .object({ data: z.array(VerifiedKey).meta({ description: 'An answer for each question, in their order.' }) })
  .meta({ id: 'VerifiedKeys', description: 'What is said of each key, in the order of the questions.' })
export type VerifiedKeys = z.output<typeof VerifiedKeys>
