import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newProjectId, TenantId } from '../id.ts'
import type { JsonObject } from '../merge-patch.ts'
import { Manifest } from '../products/manifest.ts'
import { transitionReasons } from '../tenants/lifecycle.ts'
import { tenantStatuses } from '../tenants/status.ts'
import { accessLevels, type Entitlement } from './entitlement.ts'
import { evaluate, type Evaluation } from './evaluate.ts'

const projectId = newProjectId()
const origin = Date.UTC(2026, 5, 15, 12)
const day = 86_400_000
/** Moments that often coincide, are a millisecond apart, or whole days. */
const moment = fc
  .tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: -2, max: 2 }))
  .map(([days, ms]) => new Date(origin + days * day + ms))
const maybe = fc.option(moment)

const manifest = (key: string, status: 'active' | 'retired') =>
  Manifest.parse({
    key,
    name: key,
    status,
    owner: 'team',
    supports_projects: true,
    default_config: { a: 1, b: { c: 2 } },
    limits: { projects: 3 },
    plans: { professional: { limits: { projects: 25 }, features: ['sso'] } },
  })
const alive = manifest('alive', 'active')
const products: ReadonlyMap<string, Manifest> = new Map([
  ['alive', alive],
  ['retired', manifest('retired', 'retired')],
])

const tenant = fc.record({
  id: fc.constant(TenantId.parse('00000000-0000-0000-0000-000000000001')),
  plan: fc.constantFrom(null, 'professional', 'unheard-of'),
  status: fc.constantFrom(...tenantStatuses),
  status_reason: fc.constantFrom(null, 'sanctions', ...transitionReasons),
  status_changed_at: moment,
  frozen_from: fc.constantFrom(null, 'demo' as const, 'trial' as const, 'active' as const),
  trial_ends_at: maybe,
  contract_starts_at: maybe,
  contract_ends_at: maybe,
})
const assignment = fc.record({
  product: fc.constantFrom('alive', 'alive', 'alive', 'retired', 'gone'),
  enabled: fc.boolean(),
  config: fc.constantFrom<JsonObject[]>({}, { a: null }, { b: { d: [1] } }),
  limits: fc.constantFrom<JsonObject[]>({}, { projects: 7 }),
  valid_from: maybe,
  valid_until: maybe,
  version: fc.integer({ min: 1, max: 9 }),
})
const evaluation: fc.Arbitrary<Evaluation> = fc.record({
  tenant,
  assignments: fc.tuple(assignment),
  products: fc.constant(products),
  project: fc.constantFrom(
    undefined,
    { id: projectId, status: 'active' as const },
    { id: projectId, status: 'archived' as const },
  ),
  product: fc.constantFrom(undefined, undefined, undefined, 'alive'),
  at: moment,
})

const entryOf = (given: Evaluation): Entitlement => evaluate(given).data[0] ?? expect.fail('no entry')
const width = (given: Evaluation) => accessLevels.length - accessLevels.indexOf(entryOf(given).access)
const momentsOf = ({ tenant: of, assignments: [one] }: Evaluation) =>
  [of.trial_ends_at, of.contract_starts_at, of.contract_ends_at, one?.valid_from, one?.valid_until].filter(
    (each) => each instanceof Date,
  )

/** Ways to close a gate, as somebody would who can change one thing about a tenant, a product or the world. */
const closings: readonly ((given: Evaluation) => Evaluation)[] = [
  (given) => withTenant(given, { status: 'archived' }),
  (given) => withTenant(given, { status: 'frozen', status_reason: 'abuse' }),
  (given) => {
    const { status } = given.tenant
    if (status === 'frozen' || status === 'archived') return given
    return withTenant(given, { status: 'frozen', status_reason: 'payment_overdue', frozen_from: status })
  },
  (given) => withTenant(given, { trial_ends_at: given.at }),
  (given) => withTenant(given, { contract_starts_at: new Date(given.at.getTime() + 1) }),
  (given) => withTenant(given, { contract_ends_at: given.at }),
  (given) => ({ ...given, products: new Map() }),
  (given) => ({ ...given, products: new Map([['alive', { ...alive, status: 'retired' }]]) }),
  (given) => ({ ...given, assignments: [], product: given.assignments[0]?.product }),
  (given) => withAssignment(given, { enabled: false }),
  (given) => withAssignment(given, { valid_from: new Date(given.at.getTime() + 1) }),
  (given) => withAssignment(given, { valid_until: given.at }),
  (given) => ({ ...given, project: { id: projectId, status: 'archived' } }),
]
const withTenant = (given: Evaluation, change: Partial<Evaluation['tenant']>): Evaluation => ({
  ...given,
  tenant: { ...given.tenant, ...change },
})
const withAssignment = (given: Evaluation, change: Partial<Evaluation['assignments'][number]>): Evaluation => ({
  ...given,
  assignments: given.assignments.map((one) => ({ ...one, ...change })),
})

/** The rule once more, as plainly as it can be said: every gate, what it leaves and why, in the order of precedence. */
function expectedOf({ tenant: of, assignments: [one], products: all, project, product, at }: Evaluation) {
  const reached = (when: Date | null | undefined) => when instanceof Date && when <= at
  const ahead = (when: Date | null | undefined) => when instanceof Date && when > at
  const ended = of.status === 'trial' && reached(of.trial_ends_at)
  const frozen = ended || of.status === 'frozen'
  const reason = ended ? 'trial_expired' : of.status_reason
  const contract = of.status === 'active' || (of.status === 'frozen' && of.frozen_from === 'active')
  const soft = ['payment_overdue', 'customer_request', 'demo_expired', 'offboarding', 'duplicate', 'migration']
  const assigned = product === undefined || one?.product === product ? one : undefined
  const gates: [boolean, Entitlement['access'], Entitlement['reason']][] = [
    [of.status === 'archived', 'none', 'tenant_archived'],
    [frozen && reason === 'trial_expired', 'read_only', 'trial_ended'],
    [frozen && reason === 'contract_ended', 'read_only', 'contract_ended'],
    [frozen && soft.includes(reason ?? ''), 'read_only', 'tenant_frozen'],
    [frozen && ![...soft, 'trial_expired', 'contract_ended'].includes(reason ?? ''), 'none', 'tenant_frozen'],
    [contract && ahead(of.contract_starts_at), 'none', 'not_yet_valid'],
    [contract && reached(of.contract_ends_at), 'read_only', 'contract_ended'],
    [all.get(product ?? one?.product ?? '')?.status !== 'active', 'none', 'product_retired'],
    [!assigned, 'none', 'not_assigned'],
    [assigned?.enabled === false, 'none', 'disabled'],
    [ahead(assigned?.valid_from), 'none', 'not_yet_valid'],
    [reached(assigned?.valid_until), 'none', 'expired'],
    [project?.status === 'archived', 'none', 'project_archived'],
  ]
  const closed = gates.filter(([isClosed]) => isClosed).map(([, access, why]) => ({ access, reason: why }))
  const least = closed.find(({ access }) => access === 'none') ?? closed[0]
  return least ?? { access: 'full', reason: 'granted' }
}

describe('evaluate', () => {
  it('says the same to the same question, and changes nothing of what it is given', () => {
    fc.assert(
      fc.property(evaluation, (given) => {
        const before = structuredClone(given)
        const answer = evaluate(given)
        expect(evaluate(given)).toEqual(answer)
        expect(evaluate(structuredClone(given))).toEqual(answer)
        expect(given).toEqual(before)
      }),
    )
  })

  it('never gives more when a gate is closed', () => {
    fc.assert(
      fc.property(evaluation, fc.constantFrom(...closings), (given, close) => {
        const asked = { ...given, product: undefined }
        expect(width(close(asked))).toBeLessThanOrEqual(width(asked))
      }),
      { numRuns: 2000 },
    )
  })

  it('is right a millisecond before every boundary, at it, and a millisecond after', () => {
    fc.assert(
      fc.property(evaluation, (given) => {
        for (const boundary of [given.at, ...momentsOf(given)]) {
          for (const ms of [-1, 0, 1]) {
            const asked = { ...given, at: new Date(boundary.getTime() + ms) }
            const { access, reason, config, limits, features } = entryOf(asked)
            expect({ access, reason }).toEqual(expectedOf(asked))
            if (access === 'none')
              expect({ config, limits, features }).toEqual({ config: {}, limits: {}, features: [] })
          }
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('changes at valid_until and at no moment before, and never where there is none', () => {
    const timeless = ({ valid_until: _, data, ...rest }: ReturnType<typeof evaluate>) => ({
      ...rest,
      data: data.map(({ valid_until: __, ...entry }) => entry),
    })
    /** Every moment at which anything could change, and those around it, later than `at`. */
    const later = (given: Evaluation) =>
      momentsOf(given)
        .flatMap((each) => [-2, -1, 0, 1].flatMap((days) => [-1, 0, 1].map((ms) => each.getTime() + days * day + ms)))
        .filter((ms) => ms > given.at.getTime())

    fc.assert(
      fc.property(evaluation, (given) => {
        const whole = evaluate(given)
        const [entry] = whole.data
        for (const ms of later(given)) {
          const then = evaluate({ ...given, at: new Date(ms) })
          if (whole.valid_until === null || ms < whole.valid_until.getTime()) expect(then).toEqual(whole)
          if (entry?.valid_until === null || (entry && ms < entry.valid_until.getTime())) {
            expect(then.data[0]).toEqual(entry)
          }
        }
        if (whole.valid_until) {
          expect(whole.valid_until > given.at).toBe(true)
          expect(timeless(evaluate({ ...given, at: whole.valid_until }))).not.toEqual(timeless(whole))
        }
        if (entry?.valid_until) {
          const [then] = timeless(evaluate({ ...given, at: entry.valid_until })).data
          expect(then).not.toEqual(timeless(whole).data[0])
        }
      }),
      { numRuns: 1000 },
    )
  })
})
