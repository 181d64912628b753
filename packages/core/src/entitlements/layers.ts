import { type Json, type JsonObject, mergePatch } from '../merge-patch.ts'
import type { Manifest } from '../products/manifest.ts'
import type { Entitlement } from './entitlement.ts'

type Limits = Entitlement['limits']

/** What a product and a plan give, before anything is agreed with a tenant. Frozen: many answers share it. */
export interface PlanLayer {
  readonly config: JsonObject
  readonly limits: Limits
  readonly features: string[]
}

/** What somebody without access gets. */
export const nothing: PlanLayer = freezeDeep({ config: {}, limits: {}, features: [] })

const planLayers = new WeakMap<Manifest, Map<string | null, PlanLayer>>()

/** The defaults of a product with what a plan puts over them, merged once for each manifest and plan. */
export function planLayerOf(manifest: Manifest, plan: string | null): PlanLayer {
  const layers = planLayers.get(manifest) ?? mergePlans(manifest)
  // A plan that the manifest does not know is an empty layer.
  return layers.get(plan) ?? layers.get(null) ?? nothing
}

function mergePlans(manifest: Manifest): Map<string | null, PlanLayer> {
  const layers = new Map<string | null, PlanLayer>([[null, mergeLayers(manifest, {})]])
  for (const [name, plan] of Object.entries(manifest.plans ?? {})) layers.set(name, mergeLayers(manifest, plan))
  planLayers.set(manifest, layers)
  return layers
}

function mergeLayers(manifest: Manifest, plan: NonNullable<Manifest['plans']>[string]): PlanLayer {
  const config = mergePatch(manifest.default_config ?? {}, plan.config ?? {})
  const limits = withLimits(withLimits({}, manifest.limits ?? {}, 'default'), plan.limits ?? {}, 'plan')
  const features = plan.features ?? manifest.features ?? []
  // A copy is frozen, never a part of the manifest itself.
  return freezeDeep(structuredClone({ config, limits, features }))
}

/** A tenant's own configuration over that of its plan. */
export function withConfig(layer: JsonObject, own: JsonObject): JsonObject {
  return isEmpty(own) ? layer : mergePatch(layer, own)
}

/** Limits with others put over them, by name. What is no limit at all, in a row from elsewhere, is passed over. */
export function withLimits(limits: Limits, own: JsonObject, source: Limits[string]['source']): Limits {
  if (isEmpty(own)) return limits
  const all: Limits = { ...limits }
  for (const name of Object.keys(own)) {
    const value = own[name]
    if (isLimit(value) && name !== '__proto__') all[name] = { value, source }
  }
  return all
}

function isLimit(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false
  return true
}

function freezeDeep<Value extends object>(value: Value): Value {
  for (const part of Object.values(value) as unknown[]) {
    if (typeof part === 'object' && part !== null) freezeDeep(part)
  }
  return Object.freeze(value)
}
