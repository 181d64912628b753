import { describe, expect, it } from 'vitest'
import { parseManifest } from '../products/manifest.ts'
import type { TenantProduct } from '../products/tenant-product.ts'
import { projectQuota } from './project-quota.ts'

const manifest = (key: string, more: string) =>
  parseManifest(`{ key: ${key}, name: X, status: active, owner: team, ${more} }`, `${key}.yaml`)
const products = new Map(
  [
    manifest('free', 'supports_projects: true'),
    manifest('small', 'supports_projects: true, limits: { projects: 2 }, plans: { pro: { limits: { projects: 5 } } }'),
    manifest('large', 'supports_projects: true, limits: { projects: 9 }'),
    manifest('flat', 'supports_projects: false, limits: { projects: 99 }'),
    { ...manifest('old', 'supports_projects: true'), status: 'retired' as const },
  ].map((each) => [each.key, each]),
)
const at = new Date('2026-06-01T00:00:00.000Z')
const past = new Date(at.getTime() - 1)
const future = new Date(at.getTime() + 1)

const held = (product: string, terms: Partial<TenantProduct> = {}) =>
  ({ product, enabled: true, limits: {}, valid_from: null, valid_until: null, ...terms }) as TenantProduct

describe('projectQuota', () => {
  it.each<[string, string | null, TenantProduct[], number | undefined]>([
    ['no product', null, [], undefined],
    ['none with projects', null, [held('flat')], undefined],
    ['one that is disabled', null, [held('large', { enabled: false })], undefined],
    ['one that is retired', null, [held('old')], undefined],
    ['one that no manifest knows', null, [held('gone')], undefined],
    ['one that is not valid yet', null, [held('large', { valid_from: future })], undefined],
    ['one that is valid no more', null, [held('large', { valid_until: at })], undefined],
    ['one within its window', null, [held('large', { valid_from: past, valid_until: future })], 9],
    ['the default', null, [held('small')], 2],
    ['a plan that the product does not know', 'other', [held('small')], 2],
    ['the plan over the default', 'pro', [held('small')], 5],
    ['the agreement over the plan', 'pro', [held('small', { limits: { projects: 3 } })], 3],
    ['an agreement of none at all', 'pro', [held('small', { limits: { projects: 0 } })], 0],
    ['the largest of several', 'pro', [held('small'), held('large'), held('flat')], 9],
    ['one without a limit beside one with', null, [held('free'), held('small')], 2],
    ['no limit anywhere', null, [held('free'), held('flat')], Number.POSITIVE_INFINITY],
  ])('%s', (_, plan, assignments, quota) => {
    expect(projectQuota(plan, assignments, products, at)).toBe(quota)
  })
})
