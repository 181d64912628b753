import { describe, expect, it } from 'vitest'
import { newProjectId, TenantId } from '../id.ts'
import { Manifest } from '../products/manifest.ts'
import { transitionReasons } from '../tenants/lifecycle.ts'
import type { TenantStatus } from '../tenants/status.ts'
import { type EntitledAssignment, type EntitledTenant, evaluate, type Evaluation } from './evaluate.ts'

const id = TenantId.parse('00000000-0000-0000-0000-000000000001')
const projectId = newProjectId()
const at = new Date('2026-06-15T12:00:00.000Z')
const day = 86_400_000
/** So many milliseconds from `at`. */
const after = (ms: number) => new Date(at.getTime() + ms)
const past = after(-10 * day)
const future = after(10 * day)

const certifai = Manifest.parse({
  key: 'certifai',
  name: 'CertifAI',
  status: 'active',
  owner: 'team',
  supports_projects: true,
  default_config: { region: 'eu', model: 'small', ui: { theme: 'dark', beta: false } },
  limits: { projects: 3, audit_retention_days: 90 },
  features: ['reports'],
  plans: {
    professional: {
      config: { model: 'large', ui: { beta: true } },
      limits: { projects: 25, seats: 10 },
      features: ['reports', 'sso'],
    },
    bare: {},
  },
})
const old = Manifest.parse({ ...certifai, key: 'old', status: 'retired' })
const empty = Manifest.parse({ key: 'empty', name: 'E', status: 'active', owner: 'team', supports_projects: false })
const products = new Map([certifai, old, empty].map((manifest) => [manifest.key, manifest]))

interface Situation {
  readonly tenant?: Partial<EntitledTenant>
  readonly assignment?: Partial<EntitledAssignment> | null
  readonly project?: 'active' | 'archived'
  readonly product?: string
  readonly at?: Date
}

const given = ({ tenant, assignment, project, product, at: moment = at }: Situation): Evaluation => ({
  tenant: {
    id,
    plan: null,
    status: 'active',
    status_reason: null,
    status_changed_at: past,
    frozen_from: null,
    trial_ends_at: null,
    contract_starts_at: null,
    contract_ends_at: null,
    ...tenant,
  },
  assignments:
    assignment === null
      ? []
      : [
          {
            product: 'certifai',
            enabled: true,
            config: {},
            limits: {},
            valid_from: null,
            valid_until: null,
            version: 4,
            ...assignment,
          },
        ],
  products,
  project: project && { id: projectId, status: project },
  product,
  at: moment,
})
const entryOf = (situation: Situation) => {
  const [entry] = evaluate(given(situation)).data
  if (!entry) throw new Error('no entry')
  return entry
}
const says = (situation: Situation) => {
  const { access, reason } = entryOf(situation)
  return `${access} ${reason}`
}
const frozen = (status_reason: string | null) => ({ status: 'frozen' as const, status_reason })

describe('the gates', () => {
  it.each<[string, Situation, string]>([
    // The state of the tenant.
    ['an active tenant', {}, 'full granted'],
    ['a demo', { tenant: { status: 'demo' } }, 'full granted'],
    ['a trial without an end', { tenant: { status: 'trial' } }, 'full granted'],
    ['a trial with time left', { tenant: { status: 'trial', trial_ends_at: future } }, 'full granted'],
    ['a trial in its last millisecond', { tenant: { status: 'trial', trial_ends_at: after(1) } }, 'full granted'],
    ['a trial at its end', { tenant: { status: 'trial', trial_ends_at: at } }, 'read_only trial_ended'],
    ['a trial long over', { tenant: { status: 'trial', trial_ends_at: past } }, 'read_only trial_ended'],
    ['frozen: trial_expired', { tenant: frozen('trial_expired') }, 'read_only trial_ended'],
    ['frozen: contract_ended', { tenant: frozen('contract_ended') }, 'read_only contract_ended'],
    ['frozen: payment_overdue', { tenant: frozen('payment_overdue') }, 'read_only tenant_frozen'],
    ['frozen: customer_request', { tenant: frozen('customer_request') }, 'read_only tenant_frozen'],
    ['frozen: demo_expired', { tenant: frozen('demo_expired') }, 'read_only tenant_frozen'],
    ['frozen: offboarding', { tenant: frozen('offboarding') }, 'read_only tenant_frozen'],
    ['frozen: duplicate', { tenant: frozen('duplicate') }, 'read_only tenant_frozen'],
    ['frozen: migration', { tenant: frozen('migration') }, 'read_only tenant_frozen'],
    ['frozen: security_incident', { tenant: frozen('security_incident') }, 'none tenant_frozen'],
    ['frozen: abuse', { tenant: frozen('abuse') }, 'none tenant_frozen'],
    ['frozen: legal_hold', { tenant: frozen('legal_hold') }, 'none tenant_frozen'],
    ['frozen: restored', { tenant: frozen('restored') }, 'none tenant_frozen'],
    ['frozen: reinstated', { tenant: frozen('reinstated') }, 'none tenant_frozen'],
    ['frozen without a reason', { tenant: frozen(null) }, 'none tenant_frozen'],
    ['frozen for a reason of a later release', { tenant: frozen('sanctions') }, 'none tenant_frozen'],
    ['frozen for the name of an inherited property', { tenant: frozen('constructor') }, 'none tenant_frozen'],
    ['an archived tenant', { tenant: { status: 'archived' } }, 'none tenant_archived'],
    ['archived, whatever for', { tenant: { status: 'archived', status_reason: 'duplicate' } }, 'none tenant_archived'],

    // The contract counts while the tenant is active, and then alone.
    ['a contract that runs', { tenant: { contract_starts_at: past, contract_ends_at: future } }, 'full granted'],
    ['a contract that begins later', { tenant: { contract_starts_at: future } }, 'none not_yet_valid'],
    ['a contract that begins in a millisecond', { tenant: { contract_starts_at: after(1) } }, 'none not_yet_valid'],
    ['a contract that begins now', { tenant: { contract_starts_at: at } }, 'full granted'],
    ['a contract that ends in a millisecond', { tenant: { contract_ends_at: after(1) } }, 'full granted'],
    ['a contract that ends now', { tenant: { contract_ends_at: at } }, 'read_only contract_ended'],
    [
      'a contract of no length',
      { tenant: { contract_starts_at: at, contract_ends_at: at } },
      'read_only contract_ended',
    ],
    ['a trial before its contract', { tenant: { status: 'trial', contract_starts_at: future } }, 'full granted'],
    ['a demo after a contract', { tenant: { status: 'demo', contract_ends_at: past } }, 'full granted'],
    [
      'frozen out of a trial before its contract',
      { tenant: { ...frozen('payment_overdue'), frozen_from: 'trial', contract_starts_at: future } },
      'read_only tenant_frozen',
    ],
    [
      'frozen for money before the contract begins',
      { tenant: { ...frozen('payment_overdue'), frozen_from: 'active', contract_starts_at: future } },
      'none not_yet_valid',
    ],
    [
      'frozen for money after the contract ended',
      { tenant: { ...frozen('payment_overdue'), frozen_from: 'active', contract_ends_at: past } },
      'read_only tenant_frozen',
    ],
    [
      'frozen for abuse before the contract begins',
      { tenant: { ...frozen('abuse'), frozen_from: 'active', contract_starts_at: future } },
      'none tenant_frozen',
    ],
    ['an active tenant whose trial is over', { tenant: { trial_ends_at: past } }, 'full granted'],

    // The product.
    ['a retired product', { assignment: { product: 'old' } }, 'none product_retired'],
    ['a product without a manifest', { assignment: { product: 'gone' } }, 'none product_retired'],
    ['a retired product that is not assigned', { assignment: null, product: 'old' }, 'none product_retired'],
    ['no assignment', { assignment: null, product: 'certifai' }, 'none not_assigned'],
    ['an assignment of another product', { product: 'empty' }, 'none not_assigned'],

    // The assignment.
    ['a disabled assignment', { assignment: { enabled: false } }, 'none disabled'],
    ['a window that is open', { assignment: { valid_from: past, valid_until: future } }, 'full granted'],
    ['a window that opens later', { assignment: { valid_from: future } }, 'none not_yet_valid'],
    ['a window that opens in a millisecond', { assignment: { valid_from: after(1) } }, 'none not_yet_valid'],
    ['a window that opens now', { assignment: { valid_from: at } }, 'full granted'],
    ['a window that closes in a millisecond', { assignment: { valid_until: after(1) } }, 'full granted'],
    ['a window that closes now', { assignment: { valid_until: at } }, 'none expired'],
    ['a window that closed', { assignment: { valid_until: past } }, 'none expired'],

    // The project.
    ['an active project', { project: 'active' }, 'full granted'],
    ['an archived project', { project: 'archived' }, 'none project_archived'],

    // Several at once: the least access wins, and the first of those alike says why.
    [
      'trial over, product retired',
      { tenant: { status: 'trial', trial_ends_at: past }, assignment: { product: 'old' } },
      'none product_retired',
    ],
    [
      'trial over, assignment disabled',
      { tenant: { status: 'trial', trial_ends_at: past }, assignment: { enabled: false } },
      'none disabled',
    ],
    [
      'frozen for money, window closed',
      { tenant: frozen('payment_overdue'), assignment: { valid_until: past } },
      'none expired',
    ],
    [
      'frozen for money, not assigned',
      { tenant: frozen('payment_overdue'), assignment: null, product: 'certifai' },
      'none not_assigned',
    ],
    [
      'frozen for money, project archived',
      { tenant: frozen('payment_overdue'), project: 'archived' },
      'none project_archived',
    ],
    [
      'contract over, project archived',
      { tenant: { contract_ends_at: past }, project: 'archived' },
      'none project_archived',
    ],
    [
      'contract over, window not yet open',
      { tenant: { contract_ends_at: past }, assignment: { valid_from: future } },
      'none not_yet_valid',
    ],
    [
      'frozen for abuse, product retired',
      { tenant: frozen('abuse'), assignment: { product: 'old' } },
      'none tenant_frozen',
    ],
    [
      'archived, product retired',
      { tenant: { status: 'archived' }, assignment: { product: 'old' } },
      'none tenant_archived',
    ],
    [
      'archived, not assigned',
      { tenant: { status: 'archived' }, assignment: null, product: 'certifai' },
      'none tenant_archived',
    ],
    ['archived tenant and project', { tenant: { status: 'archived' }, project: 'archived' }, 'none tenant_archived'],
    [
      'before the contract, product retired',
      { tenant: { contract_starts_at: future }, assignment: { product: 'old' } },
      'none not_yet_valid',
    ],
    [
      'before the contract, disabled',
      { tenant: { contract_starts_at: future }, assignment: { enabled: false } },
      'none not_yet_valid',
    ],
    ['product retired, disabled', { assignment: { product: 'old', enabled: false } }, 'none product_retired'],
    ['disabled, window closed', { assignment: { enabled: false, valid_until: past } }, 'none disabled'],
    ['disabled, project archived', { assignment: { enabled: false }, project: 'archived' }, 'none disabled'],
    ['window closed, project archived', { assignment: { valid_until: past }, project: 'archived' }, 'none expired'],
  ])('%s', (_, situation, expected) => {
    expect(says(situation)).toBe(expected)
  })

  it('know every reason that a transition can have', () => {
    const shutOut = transitionReasons.filter((reason) => says({ tenant: frozen(reason) }) === 'none tenant_frozen')
    expect(shutOut.toSorted()).toEqual(
      ['abuse', 'contract_signed', 'converted', 'legal_hold', 'reinstated', 'restored', 'security_incident'].toSorted(),
    )
  })

  it.each<[TenantStatus, Partial<EntitledTenant>, TenantStatus]>([
    ['active', {}, 'active'],
    ['demo', {}, 'demo'],
    ['trial', { trial_ends_at: after(1) }, 'trial'],
    ['trial', { trial_ends_at: at }, 'frozen'],
    ['frozen', { status_reason: 'abuse' }, 'frozen'],
    ['archived', {}, 'archived'],
  ])('say the state of the moment: %s with %j is %s', (status, tenant, expected) => {
    expect(evaluate(given({ tenant: { status, ...tenant } })).status).toBe(expected)
  })
})

describe('the layers', () => {
  it("are the product's defaults where there is no plan", () => {
    expect(entryOf({})).toEqual({
      product: 'certifai',
      access: 'full',
      reason: 'granted',
      config: { region: 'eu', model: 'small', ui: { theme: 'dark', beta: false } },
      limits: { projects: { value: 3, source: 'default' }, audit_retention_days: { value: 90, source: 'default' } },
      features: ['reports'],
      valid_until: null,
      version: 4,
    })
  })

  it("have the plan's over the defaults, and the tenant's own over both", () => {
    const assignment = {
      config: { region: 'us', model: null, ui: { beta: null, font: 'serif' } },
      limits: { projects: 40, storage_gb: 7 },
    }
    const { config, limits, features } = entryOf({ tenant: { plan: 'professional' }, assignment })
    expect({ config, limits, features }).toEqual({
      config: { region: 'us', ui: { theme: 'dark', font: 'serif' } },
      limits: {
        projects: { value: 40, source: 'tenant' },
        audit_retention_days: { value: 90, source: 'default' },
        seats: { value: 10, source: 'plan' },
        storage_gb: { value: 7, source: 'tenant' },
      },
      features: ['reports', 'sso'],
    })
  })

  it.each(['unheard-of', 'bare', 'constructor', '__proto__'])('are the defaults with the plan %s', (plan) => {
    expect(entryOf({ tenant: { plan } })).toEqual(entryOf({}))
  })

  it('are empty for a product that declares nothing', () => {
    expect(entryOf({ assignment: { product: 'empty' } })).toMatchObject({ config: {}, limits: {}, features: [] })
  })

  it('stay when only reading is left, and are empty without access', () => {
    const whole = entryOf({ tenant: { plan: 'professional' } })
    const readOnly = entryOf({ tenant: { plan: 'professional', ...frozen('payment_overdue') } })
    expect(readOnly).toEqual({ ...whole, access: 'read_only', reason: 'tenant_frozen' })
    const none = entryOf({ tenant: { plan: 'professional', ...frozen('abuse') } })
    expect(none).toEqual({ ...whole, access: 'none', reason: 'tenant_frozen', config: {}, limits: {}, features: [] })
  })

  it('pass over what is no limit in a row from elsewhere', () => {
    const limits = { projects: -1, seats: 'many', a: 1.5, b: null, c: 0, ['__proto__']: 5 }
    expect(entryOf({ assignment: { limits } }).limits).toEqual({
      ...entryOf({}).limits,
      c: { value: 0, source: 'tenant' },
    })
  })

  it('give __proto__ no power', () => {
    const config = JSON.parse('{"__proto__":{"admin":true}}') as Record<string, never>
    const entry = entryOf({ assignment: { config } })
    expect(Object.getPrototypeOf(entry.config)).toBe(Object.prototype)
    expect('admin' in entry.config).toBe(false)
  })

  it('cannot be changed through an answer', () => {
    const { config, limits, features } = entryOf({ tenant: { plan: 'professional' } })
    for (const part of [config, config['ui'], limits, limits['projects'], features]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
    expect(Object.isFrozen(certifai.default_config)).toBe(false)
  })
})

describe('what time alone changes', () => {
  const end = (situation: Situation) => {
    const whole = evaluate(given(situation))
    return [whole.valid_until, whole.data[0]?.valid_until ?? null].map(
      (moment) => moment && moment.getTime() - at.getTime(),
    )
  }

  it.each<[string, Situation, [number | null, number | null]]>([
    ['nothing', {}, [null, null]],
    ['the end of the contract', { tenant: { contract_ends_at: after(5) } }, [5, 5]],
    [
      'the beginning of the contract, before its end',
      { tenant: { contract_starts_at: after(3), contract_ends_at: after(5) } },
      [3, 3],
    ],
    ['nothing of an archived tenant', { tenant: { status: 'archived', contract_ends_at: after(5) } }, [null, null]],
    [
      'nothing of a frozen tenant’s contract',
      { tenant: { ...frozen('payment_overdue'), contract_ends_at: after(5) } },
      [null, null],
    ],
    [
      'the beginning of the contract of who was frozen before',
      { tenant: { ...frozen('duplicate'), frozen_from: 'active', contract_starts_at: after(3) } },
      [3, 3],
    ],
    ['the opening of the window', { assignment: { valid_from: after(2), valid_until: after(4) } }, [2, 2]],
    ['the closing of the window', { assignment: { valid_from: past, valid_until: after(4) } }, [4, 4]],
    ['nothing of a disabled assignment', { assignment: { enabled: false, valid_until: after(4) } }, [null, null]],
    ['nothing of a retired product', { assignment: { product: 'old', valid_until: after(4) } }, [null, null]],
    [
      'nothing when the tenant is shut out',
      { tenant: frozen('abuse'), assignment: { valid_until: after(4) } },
      [null, null],
    ],
    [
      'the closing of the window of who may only read',
      { tenant: frozen('duplicate'), assignment: { valid_until: after(4) } },
      [4, 4],
    ],
    [
      'the closing of a window before the contract begins is not seen',
      { tenant: { contract_starts_at: after(9) }, assignment: { valid_until: after(4) } },
      [9, 9],
    ],
    ['nothing of an archived project', { project: 'archived', tenant: { contract_ends_at: after(5) } }, [null, null]],
    ['the end of the trial, within its last day', { tenant: { status: 'trial', trial_ends_at: after(5) } }, [5, 5]],
    [
      'the days of a trial, then its end',
      { tenant: { status: 'trial', trial_ends_at: after(2 * day + 5) } },
      [5, 2 * day + 5],
    ],
    ['a trial of whole days', { tenant: { status: 'trial', trial_ends_at: after(2 * day) } }, [day, 2 * day]],
    [
      'a trial’s days, though there is no product',
      { tenant: { status: 'trial', trial_ends_at: after(5) }, assignment: null },
      [5, null],
    ],
    ['nothing once the trial is over', { tenant: { status: 'trial', trial_ends_at: past } }, [null, null]],
  ])('%s', (_, situation, expected) => {
    expect(end(situation)).toEqual(expected)
  })

  it.each([
    [after(14 * day), 14],
    [after(14 * day - 1), 14],
    [after(13 * day + 1), 14],
    [after(1), 1],
    [at, null],
    [past, null],
    [null, null],
  ])('leaves of a trial that ends at %s %s days', (trial_ends_at, days) => {
    expect(evaluate(given({ tenant: { status: 'trial', trial_ends_at } })).trial_days_left).toBe(days)
  })

  it('counts no days where there is no trial', () => {
    expect(evaluate(given({ tenant: { trial_ends_at: future } })).trial_days_left).toBeNull()
  })
})

describe('the answer', () => {
  it('has one entry for each assignment, in their order, or the one that is asked for', () => {
    const evaluation = given({})
    const [first] = evaluation.assignments
    if (!first) throw new Error('no assignment')
    const assignments = [first, { ...first, product: 'empty' }]
    const keys = (product?: string) =>
      evaluate({ ...evaluation, assignments, product }).data.map((entry) => entry.product)
    expect(keys()).toEqual(['certifai', 'empty'])
    expect(keys('empty')).toEqual(['empty'])
    expect(keys('old')).toEqual(['old'])
  })

  it('says which tenant and project it is about', () => {
    expect(evaluate(given({ project: 'active' }))).toMatchObject({ tenant_id: id, project_id: projectId })
    expect(evaluate(given({}))).toMatchObject({ tenant_id: id, project_id: null })
  })

  it.each<[string, Situation]>([
    ['at its very end', { at }],
    ['a millisecond later', { at: after(1) }],
    ['long after', { at: future }],
  ])('is the same before and after the sweep of an ended trial: %s', (_, situation) => {
    const assignment = { valid_from: past, valid_until: after(20 * day) }
    const unswept = { status: 'trial' as const, trial_ends_at: at }
    const swept = {
      ...frozen('trial_expired'),
      frozen_from: 'trial' as const,
      trial_ends_at: at,
      status_changed_at: at,
    }
    expect(evaluate(given({ ...situation, assignment, tenant: swept }))).toEqual(
      evaluate(given({ ...situation, assignment, tenant: unswept })),
    )
  })
})
