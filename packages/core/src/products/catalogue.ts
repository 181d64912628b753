import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { platformScopes, registryAudience, registryScopes } from '../api-keys/scope.ts'
import { type Manifest, ManifestError, parseManifest } from './manifest.ts'

/** All products there are. */
export interface Catalogue {
  readonly products: ReadonlyMap<string, Manifest>
  /** The keys of the products. */
  readonly keys: ReadonlySet<string>
  /** The plans that any product knows. */
  readonly plans: ReadonlySet<string>
}

/**
 * Puts manifests together.
 * @throws {ManifestError} when two have one key, one requires a product that is not there, or some require each other
 */
export function createCatalogue(manifests: readonly Manifest[]): Catalogue {
  const products = new Map<string, Manifest>()
  for (const manifest of manifests) {
    if (products.has(manifest.key)) throw new ManifestError(`${manifest.key}: two manifests have this key`)
    products.set(manifest.key, manifest)
  }
  for (const { key, requires = [] } of manifests) {
    const missing = requires.find((required) => !products.has(required))
    if (missing !== undefined) throw new ManifestError(`${key}: requires ${missing}, which has no manifest`)
  }
  for (const key of products.keys()) assertNoCircle(key, products)
  assertScopesApart(manifests)
  return {
    products,
    keys: new Set(products.keys()),
    plans: new Set(manifests.flatMap(({ plans = {} }) => Object.keys(plans))),
  }
}

/** A scope says whom a key opens, so no two may have the same one, and nobody one of the registry's own. */
function assertScopesApart(manifests: readonly Manifest[]): void {
  const owners = new Map<string, string>(
    [...registryScopes, ...platformScopes].map((scope) => [scope, registryAudience]),
  )
  for (const { key, scopes = [] } of manifests) {
    for (const scope of scopes) {
      const owner = owners.get(scope)
      if (owner !== undefined && owner !== key)
        throw new ManifestError(`${key}: the scope ${scope} is that of ${owner}`)
      owners.set(scope, key)
    }
  }
}

/** Products that require each other could never be given to anybody: none of them can be the first. */
function assertNoCircle(key: string, products: ReadonlyMap<string, Manifest>): void {
  const needed = new Set(products.get(key)?.requires)
  // A set is walked through to its end, also when it grows on the way.
  for (const each of needed) for (const next of products.get(each)?.requires ?? []) needed.add(next)
  if (needed.has(key)) throw new ManifestError(`${key}: requires itself, by way of ${[...needed].join(', ')}`)
}

/**
 * Reads every `*.yaml` of a folder.
 * @throws {ManifestError} naming the file, when one is malformed, or the folder, when it cannot be read or is empty
 */
export async function loadCatalogue(folder: string): Promise<Catalogue> {
  const entries = await readdir(folder).catch((cause: unknown) => {
    throw new ManifestError(`${folder}: cannot be read`, { cause })
  })
  const files = entries.filter((entry) => /\.ya?ml$/.test(entry)).sort()
  if (files.length === 0) throw new ManifestError(`${folder}: holds no manifest`)
  const manifests = await Promise.all(
    files.map(async (file) => {
      const manifest = parseManifest(await readFile(join(folder, file), 'utf8'), join(folder, file))
      if (manifest.key !== basename(file).replace(/\.ya?ml$/, '')) {
        throw new ManifestError(`${join(folder, file)}: key: must be the name of the file`)
      }
      return manifest
    }),
  )
  return createCatalogue(manifests)
}
