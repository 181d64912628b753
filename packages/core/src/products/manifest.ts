import { parseDocument } from 'yaml'
import { z } from 'zod'
import { mergePatch } from '../merge-patch.ts'
import { compileConfigSchema, layerViolations } from './config-schema.ts'

/** The key of a product: what stands in `tenant_products`, in paths and in scopes. */
export const ProductKey = z
  .string()
  .regex(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/, {
    error: 'must be lower-case letters and digits, with single dashes between',
  })
  .max(63)
  .refine((key) => key !== 'tenant-registry', { error: 'is the key of the registry itself' })

const planKey = z
  .string()
  .regex(/^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$/)
  .max(100)
const scope = z
  .string()
  .regex(/^[a-z][a-z0-9_-]*(?::[a-z][a-z0-9_-]*)+$/, { error: 'must look like area:verb' })
  .max(100)
/** The name of a limit. */
export const LimitName = z
  .string()
  .regex(/^[a-z][a-z0-9_]*$/, { error: 'must be lower-case letters, digits and underscores' })
  .max(100)
const limits = z.record(LimitName, z.int().min(0))
const json = z.record(z.string(), z.json())

/** What a product declares about itself. One file each, in YAML. */
export const Manifest = z.strictObject({
  key: ProductKey,
  name: z.string().trim().min(1).max(200),
  status: z.enum(['active', 'retired']),
  owner: z.string().trim().min(1).max(200),
  supports_projects: z.boolean(),
  config_schema: json.optional(),
  default_config: json.optional(),
  features: z.array(z.string().min(1).max(100)).optional(),
  limits: limits.optional(),
  plans: z
    .record(
      planKey,
      z.strictObject({
        config: json.optional(),
        limits: limits.optional(),
        features: z.array(z.string().min(1).max(100)).optional(),
      }),
    )
    .optional(),
  scopes: z.array(scope).optional(),
  requires: z.array(ProductKey).optional(),
  client_id: z.string().min(1).max(255).optional(),
  audit_group: z.enum(['id', 'slug']).optional(),
})
export type Manifest = z.output<typeof Manifest>

/** A manifest that cannot be used: says which file, and where in it. Stops the boot. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError'
}

/**
 * Reads one manifest.
 * @param file the name to give in errors
 * @throws {ManifestError} naming the file and the line or path, when it is not YAML or not a manifest
 */
export function parseManifest(source: string, file: string): Manifest {
  const document = parseDocument(source, { version: '1.2', strict: true, uniqueKeys: true, merge: false })
  const [broken] = [...document.errors, ...document.warnings]
  if (broken) throw new ManifestError(`${file}: ${broken.message.split('\n')[0]}`)
  // Aliases are how a few lines of YAML become gigabytes; a manifest needs none.
  const parsed = Manifest.safeParse(toPlain(document, file))
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the document'}: ${issue.message}`)
    throw new ManifestError(`${file}: ${issues.join('; ')}`)
  }
  assertConfigs(parsed.data, file)
  return parsed.data
}

/** Compiles the schema of the configuration, and judges by it what the manifest itself says of one. */
function assertConfigs({ config_schema, default_config = {}, plans = {} }: Manifest, file: string): void {
  if (!config_schema) return
  try {
    compileConfigSchema(config_schema)
  } catch (cause) {
    throw new ManifestError(`${file}: config_schema: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
  const layers = Object.entries(plans).map(([plan, { config = {} }]) => [`plans.${plan}.config`, config] as const)
  for (const [place, layer] of [['default_config', {}] as const, ...layers]) {
    const [wrong] = layerViolations(config_schema, mergePatch(default_config, layer))
    if (wrong)
      throw new ManifestError(`${file}: ${place}: ${wrong.pointer.replace('/config', '') || '/'} ${wrong.message}`)
  }
}

function toPlain(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch (cause) {
    throw new ManifestError(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
