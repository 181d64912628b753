import { z } from 'zod'

/** The bounds of a slug, in characters. */
export const slugLength = { min: 3, max: 63 } as const

const label = /^[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])$/
const uuidShaped = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The whole rule as one pattern, for those who read the description of the API and not this file. */
const pattern = String.raw`^(?!.*--)(?=.*[a-z])(?![0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`

/**
 * The name of a tenant in a host name or a path: a DNS label of 3 to 63 characters, without double dashes, with at
 * least one letter, never the shape of an id. The constraint `tenants_slug_check` says the same in SQL.
 */
export const Slug = z
  .string()
  .regex(label, {
    error: 'must be 3 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit',
    abort: true,
  })
  .refine((slug) => !slug.includes('--'), { error: 'must not contain a double dash' })
  .refine((slug) => /[a-z]/.test(slug), { error: 'must contain a letter' })
  .refine((slug) => !uuidShaped.test(slug), { error: 'must not have the shape of an id' })
  .brand<'Slug'>()
  .meta({ examples: ['acme'], minLength: slugLength.min, maxLength: slugLength.max, pattern })
export type Slug = z.output<typeof Slug>

/** Words that would be taken for the platform's own in a host name or a path. */
const reservedWords: ReadonlySet<string> = new Set([
  'www',
  'api',
  'app',
  'admin',
  'auth',
  'login',
  'sso',
  'status',
  'docs',
  'support',
  'billing',
  'internal',
  'static',
  'cdn',
  'mail',
  'root',
  'system',
  'platform',
  'breakpilot',
])

/** Whether a slug is reserved: one of the platform's own words, or the key of a product. */
export function isReserved(slug: Slug, productKeys: ReadonlySet<string>): boolean {
  return reservedWords.has(slug) || productKeys.has(slug)
}
