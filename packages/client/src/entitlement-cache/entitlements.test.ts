import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type FakeRegistry, fakeRegistry, refuse } from '../fake/index.ts'
import type { Tenant } from '../index.ts'
import { createEntitlements, type EntitlementChange, type EntitlementsOptions, type KeptEntitlements } from './index.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const start = Date.parse('2026-03-01T12:00:00.000Z')
const timeOf = (ms: number) => new Date(ms).toISOString()

let registry: FakeRegistry
let acme: Tenant
let kept: KeptEntitlements<'certifai' | 'compliance'>[]
let errors: unknown[]
/** How far the clock on the wall is ahead of the other one. */
let skippedMs: number
const now = () => Date.now() + skippedMs
const skip = (ms: number) => void (skippedMs += ms)

beforeEach(() => {
  vi.useFakeTimers({ now: start })
  skippedMs = 0
  registry = fakeRegistry({ now, products: ['certifai', 'compliance'] })
  acme = registry.tenant({ slug: 'acme' })
  registry.entitle(acme, 'certifai', { limits: { projects: 40 }, config: { region: 'eu' }, features: ['api'] })
  kept = []
  errors = []
})
afterEach(() => {
  for (const each of kept) each.close()
  vi.useRealTimers()
})

function keep(options: Partial<EntitlementsOptions<'certifai' | 'compliance'>> = {}) {
  const entitlements = createEntitlements({
    // Nobody turns the clock while a test waits for an answer.
    client: registry.client({ retries: 0 }),
    products: ['certifai', 'compliance'],
    onUnavailable: 'last_known',
    onError: (error) => void errors.push(error),
    now,
    ...options,
  })
  kept.push(entitlements)
  return entitlements
}

/** Lets everything happen that takes no time. */
const settle = () => vi.advanceTimersByTimeAsync(0)
const questions = () => registry.requests.filter(({ operation }) => operation === 'getEntitlements')

describe('a question', () => {
  it('is asked once, and answered from memory from then on', async () => {
    const entitlements = keep()
    await entitlements.waitUntilReady()
    const live = await entitlements.check(acme.id, 'certifai')
    expect(live).toEqual({
      product: 'certifai',
      access: 'full',
      allowed: true,
      reason: 'granted',
      config: { region: 'eu' },
      limits: { projects: { value: 40, source: 'tenant' } },
      features: ['api'],
      valid_until: null,
      trial_days_left: null,
      source: 'live',
      stale_ms: 0,
    })
    await vi.advanceTimersByTimeAsync(1_500)
    expect(await entitlements.check(acme.id.toUpperCase(), 'certifai')).toEqual({
      ...live,
      source: 'cache',
      stale_ms: 1_500,
    })
    expect(await entitlements.limit(acme.id, 'certifai', 'projects')).toMatchObject({ value: 40, source: 'cache' })
    expect(await entitlements.limit(acme.id, 'certifai', 'toString')).toMatchObject({ value: undefined })
    expect(await entitlements.config(acme.id, 'certifai')).toMatchObject({ value: { region: 'eu' }, access: 'full' })
    expect(questions()).toHaveLength(1)
  })

  it('that many ask at once is asked once', async () => {
    const entitlements = keep()
    await entitlements.waitUntilReady()
    await Promise.all(Array.from({ length: 50 }, () => entitlements.check(acme.id, 'certifai')))
    expect(questions()).toHaveLength(1)
  })

  it('is answered with what nobody can change for the next one', async () => {
    const entitlements = keep()
    const { config, limits } = await entitlements.check(acme.id, 'certifai')
    expect(() => Object.assign(config, { region: 'us' })).toThrow(TypeError)
    expect(() => Object.assign(limits['projects'] ?? {}, { value: 1_000 })).toThrow(TypeError)
  })

  it('about what is not there is answered with that', async () => {
    const entitlements = keep()
    const reasonOf = async (...question: Parameters<typeof entitlements.check>) => {
      const { access, reason, source } = await entitlements.check(...question)
      return [access, reason, source]
    }
    const nobody = '00000000-0000-7000-8000-999999999999'
    expect(await reasonOf(acme.id, 'compliance')).toEqual(['none', 'not_assigned', 'live'])
    expect(await reasonOf(nobody, 'certifai')).toEqual(['none', 'tenant_not_found', 'live'])
    expect(await reasonOf(acme.id, 'certifai', { projectId: nobody })).toEqual(['none', 'project_not_found', 'live'])
    expect(errors).toEqual([])
  })

  it('about what can be nobody is answered without asking, and takes no place', async () => {
    const entitlements = keep({ entriesMax: 1 })
    await entitlements.waitUntilReady()
    await entitlements.check(acme.id, 'certifai')
    for (const id of ['no id at all', '', 'x'.repeat(20_000), `${acme.id}0`, '../tenants']) {
      expect(await entitlements.check(id, 'certifai')).toMatchObject({ access: 'none', reason: 'tenant_not_found' })
      const inProject = await entitlements.check(acme.id, 'certifai', { projectId: id })
      expect(inProject).toMatchObject({ access: 'none', reason: 'project_not_found' })
    }
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'full', source: 'cache' })
    expect([questions().length, errors]).toEqual([1, []])
  })

  it('about a project is another one than about the tenant', async () => {
    const entitlements = keep()
    const project = registry.project(acme, { status: 'archived' })
    expect(await entitlements.check(acme.id, 'certifai', { projectId: project.id })).toMatchObject({
      access: 'none',
      reason: 'project_archived',
    })
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'full' })
  })

  it('that makes no sense is a TypeError', async () => {
    const entitlements = keep()
    // @ts-expect-error it is not one of the products
    await expect(entitlements.check(acme.id, 'certify')).rejects.toThrow(TypeError)
    // @ts-expect-error it is not a string
    await expect(entitlements.check(undefined, 'certifai')).rejects.toThrow(TypeError)
    expect(() => keep({ freshMs: Number.NaN })).toThrow('freshMs has to be a number of milliseconds, not NaN')
    expect(() => keep({ timeoutMs: 2 ** 31 })).toThrow('timeoutMs has to be a number from 1')
    expect(() => keep({ timeoutMs: Number.NaN })).toThrow('timeoutMs has to be a number from 1')
    expect(() => keep({ entriesMax: Number.NaN })).toThrow('entriesMax has to be a number from 1')
    expect(() => keep({ tenantIds: ['acme'] })).toThrow('acme in tenantIds is no id')
  })

  it('is answered with no access where the registry has an access that this release does not know', async () => {
    const client = registry.client()
    const answer = await client.entitlements.get(acme.id)
    registry.answer('getEntitlements', () => ({
      ...answer,
      data: answer.data.map((each) => ({ ...each, access: 'half' })),
    }))
    expect(await keep({ client }).check(acme.id, 'certifai')).toMatchObject({ access: 'none', allowed: false })
  })

  it('that somebody else answers counts as not answered', async () => {
    registry.answer('getEntitlements', () => ({ hello: 'I am a proxy' }) as never)
    expect(await keep().check(acme.id, 'certifai')).toMatchObject({ access: 'none', source: 'unavailable' })
    expect(errors).toMatchObject([{ name: 'UnexpectedAnswerError' }])
  })
})

describe('a change', () => {
  it('is heard of, and told to whoever listens', async () => {
    const entitlements = keep()
    const told: EntitlementChange[] = []
    await entitlements.waitUntilReady()
    await entitlements.check(acme.id, 'certifai')
    const end = entitlements.on('change', (change) => void told.push(change))
    registry.freeze(acme, 'payment_overdue')
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'full', source: 'cache' })
    await settle()
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({
      access: 'read_only',
      reason: 'tenant_frozen',
      source: 'cache',
    })
    expect(told).toMatchObject([
      {
        tenant_id: acme.id,
        project_id: null,
        product: 'certifai',
        before: { access: 'full' },
        after: { access: 'read_only', reason: 'tenant_frozen' },
      },
    ])
    end()
    registry.change(acme, { status: 'active' })
    await settle()
    expect(told).toHaveLength(1)
  })

  it('of a key is none of what may be used', async () => {
    const entitlements = keep({ tenantIds: [acme.id] })
    await entitlements.waitUntilReady()
    const { head } = await registry.client().changes.list({ limit: 1 })
    const key = { n: head + 1, at: timeOf(now()), kind: 'api_key', tenant_id: acme.id, ref_id: acme.id } as const
    let told = false
    registry.answer('listChanges', ({ signal }) => {
      if (!told) {
        told = true
        return { data: [key], has_more: false, next_after: head + 1, head: head + 1 }
      }
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('stopped'))))
    })
    // Wakes who waits already; the next answer is the one above.
    registry.goDown()
    registry.comeBack()
    await vi.advanceTimersByTimeAsync(6_000)
    expect([told, questions().length]).toEqual([true, 1])
  })

  it('of a tenant that nobody asks about is not loaded until somebody does', async () => {
    const entitlements = keep()
    await entitlements.waitUntilReady()
    await entitlements.check(acme.id, 'certifai')
    registry.freeze(acme)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(questions()).toHaveLength(1)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'read_only', source: 'live' })
  })

  it('of one of the tenants that are kept is loaded at once', async () => {
    const entitlements = keep({ tenantIds: [acme.id] })
    await entitlements.waitUntilReady()
    registry.freeze(acme)
    await settle()
    expect(questions()).toHaveLength(2)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'read_only', source: 'cache' })
  })

  it('that happens while the question is under way is not missed', async () => {
    const before = await registry.client().entitlements.get(acme.id)
    const entitlements = keep()
    await entitlements.waitUntilReady()
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    let asked = 0
    registry.answer('getEntitlements', async () => {
      asked += 1
      if (asked > 1) return { ...before, data: [] }
      await held
      return before
    })
    const checking = entitlements.check(acme.id, 'certifai')
    await settle()
    registry.disentitle(acme, 'certifai')
    await settle()
    release()
    expect(await checking).toMatchObject({ access: 'none', reason: 'not_assigned', source: 'live' })
    expect(asked).toBe(2)
  })

  it('that was missed because the feed no longer has it is found by asking again', async () => {
    const entitlements = keep()
    await entitlements.waitUntilReady()
    await entitlements.check(acme.id, 'certifai')
    registry.freeze(acme)
    registry.forgetChanges()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(errors).toMatchObject([{ name: 'ChangesExpiredError' }])
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'read_only', source: 'live' })
    // And it is heard from there on.
    registry.change(acme, { status: 'active' })
    await settle()
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'full' })
  })

  it('is found within a minute by whoever may not follow changes, who asks with the ETag', async () => {
    registry.answer('listChanges', () => refuse('forbidden', 'auth.permission_denied'))
    const entitlements = keep({ tenantIds: [acme.id] })
    await entitlements.waitUntilReady()
    await vi.advanceTimersByTimeAsync(66_000)
    const [first, second] = questions()
    expect([questions().length, first?.headers.get('if-none-match')]).toEqual([2, null])
    expect(second?.headers.get('if-none-match')).toMatch(/^"0-/)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'full', source: 'cache' })
    registry.freeze(acme)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'full', source: 'cache' })
    await vi.advanceTimersByTimeAsync(66_000)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'read_only', source: 'cache' })
    // It is no reason to try again and again.
    const tries = registry.requests.filter(({ operation }) => operation === 'listChanges')
    expect(tries).toHaveLength(1)
  })

  it('that a listener cannot bear reaches the others, and keeps nothing from going on', async () => {
    const entitlements = keep({
      onError: (error) => {
        errors.push(error)
        throw new Error('neither can this')
      },
    })
    const told: string[] = []
    await entitlements.waitUntilReady()
    await entitlements.check(acme.id, 'certifai')
    entitlements.on('change', () => {
      throw new Error('cannot bear it')
    })
    entitlements.on('change', ({ after }) => void told.push(after.access))
    registry.freeze(acme)
    await settle()
    registry.change(acme, { status: 'active' })
    await settle()
    expect(told).toEqual(['read_only', 'full'])
    expect(errors).toMatchObject([{ message: 'cannot bear it' }, { message: 'cannot bear it' }])
  })
})

describe('a feed that has fallen silent', () => {
  it('is not believed for longer than it takes to hear that', async () => {
    const entitlements = keep()
    await entitlements.waitUntilReady()
    await entitlements.check(acme.id, 'certifai')
    registry.freeze(acme)
    // The process was suspended before it could hear of that, and goes on now.
    skip(2 * 60_000)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'read_only', source: 'live' })
  })

  it('is believed while it says that nothing happens', async () => {
    const entitlements = keep()
    await entitlements.waitUntilReady()
    await entitlements.check(acme.id, 'certifai')
    await vi.advanceTimersByTimeAsync(4 * 60_000)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ source: 'cache', stale_ms: 240_000 })
    expect(questions()).toHaveLength(1)
  })
})

it('what is known to have changed is the last known for five minutes, and not for a day', async () => {
  const entitlements = keep()
  await entitlements.waitUntilReady()
  await entitlements.check(acme.id, 'certifai')
  registry.answer('getEntitlements', () => refuse('unavailable', 'database.unavailable'))
  registry.freeze(acme)
  await vi.advanceTimersByTimeAsync(299_000)
  expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'full', source: 'last_known' })
  // Another change does not make it any newer.
  registry.change(acme, { name: 'Acme' })
  await vi.advanceTimersByTimeAsync(2_000)
  expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'none', source: 'unavailable' })
})

describe('while the registry cannot be asked', () => {
  async function warm(options: Parameters<typeof keep>[0] = {}) {
    const entitlements = keep(options)
    await entitlements.waitUntilReady()
    await entitlements.check(acme.id, 'certifai')
    await settle()
    registry.goDown('unreachable')
    return entitlements
  }

  it('what it said counts for a minute, and is then the last known', async () => {
    const entitlements = await warm()
    await vi.advanceTimersByTimeAsync(59_000)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'full', source: 'cache' })
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({
      access: 'full',
      config: { region: 'eu' },
      source: 'last_known',
      stale_ms: 61_000,
    })
    skip(dayMs)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({
      access: 'none',
      reason: 'unavailable',
      source: 'unavailable',
      stale_ms: null,
    })
  })

  it('nothing may be used, if that is what was chosen', async () => {
    const entitlements = await warm({ onUnavailable: 'deny' })
    await vi.advanceTimersByTimeAsync(61_000)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({
      access: 'none',
      reason: 'unavailable',
      config: {},
      source: 'unavailable',
    })
  })

  it.each([
    ['full', { access: 'full', reason: 'granted', source: 'last_known', features: ['api'] }],
    ['read_only', { access: 'read_only', reason: 'unavailable', source: 'last_known', features: ['api'] }],
    ['none', { access: 'none', reason: 'unavailable', source: 'last_known', features: [] }],
    ['whatever', { access: 'none', reason: 'unavailable', source: 'last_known', features: [] }],
  ])('a function may decide: %s', async (access, expected) => {
    const entitlements = await warm({ onUnavailable: () => access as 'full' })
    await vi.advanceTimersByTimeAsync(61_000)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject(expected)
  })

  it('a function that throws decides for nothing', async () => {
    const entitlements = await warm({
      onUnavailable: () => {
        throw new Error('cannot decide')
      },
    })
    await vi.advanceTimersByTimeAsync(61_000)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'none', reason: 'unavailable' })
    expect(errors).toContainEqual(new Error('cannot decide'))
  })

  it('a tenant that nobody has asked about has nothing', async () => {
    const other = registry.tenant()
    registry.entitle(other, 'certifai')
    const entitlements = await warm()
    expect(await entitlements.check(other.id, 'certifai')).toMatchObject({ access: 'none', source: 'unavailable' })
  })

  it('it is left alone for longer and longer, and asked at once when it is back', async () => {
    const entitlements = await warm({ freshMs: 1_000 })
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'full', source: 'last_known' })
    await vi.advanceTimersByTimeAsync(10 * 60_000)
    const during = questions().length
    expect(during).toBeGreaterThan(10)
    expect(during).toBeLessThan(120)
    registry.freeze(acme)
    registry.comeBack()
    await vi.advanceTimersByTimeAsync(31_000)
    expect(questions().length).toBeGreaterThan(during)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'read_only' })
  })

  it('the end of a trial is read-only from the very millisecond on', async () => {
    const endsAt = start + 10 * hourMs
    registry.change(acme, { status: 'trial', trial_ends_at: timeOf(endsAt) })
    const entitlements = await warm()
    const told: EntitlementChange[] = []
    entitlements.on('change', (change) => void told.push(change))
    skip(endsAt - 1 - now())
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({
      access: 'full',
      trial_days_left: 1,
      source: 'last_known',
    })
    skip(1)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({
      access: 'read_only',
      reason: 'trial_ended',
      config: { region: 'eu' },
      trial_days_left: null,
      source: 'last_known',
      stale_ms: 10 * hourMs,
    })
    await vi.advanceTimersByTimeAsync(5_000)
    expect(told).toMatchObject([{ product: 'certifai', after: { access: 'read_only', reason: 'trial_ended' } }])
  })

  it('a clock that is set back prolongs nothing', async () => {
    const endsAt = start + hourMs
    registry.change(acme, { status: 'trial', trial_ends_at: timeOf(endsAt) })
    const entitlements = await warm()
    skip(-5 * hourMs)
    await vi.advanceTimersByTimeAsync(hourMs - 1)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'full', source: 'last_known' })
    await vi.advanceTimersByTimeAsync(1)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'read_only', reason: 'trial_ended' })
  })

  it('the days of a trial are counted on, for as long as that was foretold', async () => {
    registry.change(acme, { status: 'trial', trial_ends_at: timeOf(start + 3 * dayMs + hourMs) })
    const entitlements = await warm({ lastKnownMs: 7 * dayMs })
    const days = []
    for (let day = 0; day < 5; day += 1) {
      const { access, trial_days_left } = await entitlements.check(acme.id, 'certifai')
      days.push([access, trial_days_left])
      skip(dayMs)
    }
    expect(days).toEqual([
      ['full', 4],
      ['full', 3],
      ['full', 2],
      ['full', 1],
      ['read_only', null],
    ])
  })

  it('what is over, and of which nobody knows what comes then, is no longer open', async () => {
    const endsAt = start + 10 * hourMs
    registry.entitle(acme, 'certifai', { valid_until: timeOf(endsAt) })
    const answer = await registry.client().entitlements.get(acme.id)
    registry.answer('getEntitlements', ({ args }) =>
      args.query?.at === undefined ? answer : refuse('unavailable', 'database.busy'),
    )
    const entitlements = await warm()
    skip(endsAt - 1 - now())
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'full', source: 'last_known' })
    skip(1)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'none', reason: 'unavailable' })
  })
})

it('as long as the registry asks to be left alone, it is', async () => {
  const other = registry.tenant()
  const entitlements = keep()
  await entitlements.waitUntilReady()
  let refused = 0
  registry.answer('getEntitlements', () => {
    refused += 1
    return refuse('rate_limited', 'request.rate_limited', { retryAfterSeconds: 20 })
  })
  await entitlements.check(acme.id, 'certifai')
  for (let second = 0; second < 19; second += 1) {
    expect(await entitlements.check(other.id, 'certifai')).toMatchObject({ source: 'unavailable' })
    await vi.advanceTimersByTimeAsync(1_000)
  }
  expect(refused).toBe(1)
})

it('it is left alone for half a minute at most, whatever it asks for', async () => {
  registry.answer('getEntitlements', () => refuse('rate_limited', 'request.rate_limited', { retryAfterSeconds: 3_600 }))
  const entitlements = keep()
  await entitlements.waitUntilReady()
  await entitlements.check(acme.id, 'certifai')
  await vi.advanceTimersByTimeAsync(31_000)
  await entitlements.check(acme.id, 'certifai')
  expect(questions().length).toBeGreaterThan(1)
})

it('questions that are refused for what they are keep no other from being asked', async () => {
  const odd = Array.from({ length: 5 }, () => registry.tenant().id)
  const answer = await registry.client().entitlements.get(acme.id)
  registry.answer('getEntitlements', ({ args }) =>
    args.path.tenant_id === acme.id ? answer : refuse('headers_too_large', 'request.headers_too_large'),
  )
  const entitlements = keep()
  await entitlements.waitUntilReady()
  for (const id of odd) expect(await entitlements.check(id, 'certifai')).toMatchObject({ source: 'unavailable' })
  const [first = ''] = odd
  await entitlements.check(first, 'certifai')
  expect(questions()).toHaveLength(1 + odd.length)
  expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'full', source: 'live' })
})

it('what was foretold is not asked again while nothing has changed', async () => {
  registry.change(acme, { status: 'trial', trial_ends_at: timeOf(start + 10 * hourMs) })
  registry.answer('listChanges', () => refuse('forbidden', 'auth.permission_denied'))
  const entitlements = keep({ tenantIds: [acme.id] })
  await entitlements.waitUntilReady()
  await settle()
  const foretold = () => questions().filter(({ args }) => 'query' in args && args.query && 'at' in args.query)
  const before = [questions().length, foretold().length]
  await vi.advanceTimersByTimeAsync(5 * 66_000)
  expect(before).toEqual([2, 1])
  expect([questions().length > 5, foretold().length]).toEqual([true, 1])
  registry.change(acme, { trial_ends_at: timeOf(start + 9 * hourMs) })
  await vi.advanceTimersByTimeAsync(66_000)
  expect(foretold()).toHaveLength(2)
})

it('a tenant that cannot be loaded keeps no other from it', async () => {
  const stuck = registry.tenant()
  const client = registry.client()
  const answer = await client.entitlements.get(acme.id)
  registry.answer('getEntitlements', ({ args, signal }) => {
    if (args.path.tenant_id === acme.id) return answer
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('stopped'))))
  })
  registry.answer('listChanges', () => refuse('forbidden', 'auth.permission_denied'))
  const entitlements = keep({ tenantIds: [stuck.id], freshMs: 0 })
  await vi.advanceTimersByTimeAsync(1_000)
  const waiting = entitlements.check(stuck.id, 'certifai')
  for (let second = 0; second < 60; second += 1) {
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'full', source: 'live' })
    await vi.advanceTimersByTimeAsync(1_000)
  }
  expect(await waiting).toMatchObject({ access: 'none', source: 'unavailable' })
})

it('no more answers are kept than was said, beside those of the tenants that stay', async () => {
  const others = Array.from({ length: 3 }, () => registry.tenant().id)
  const entitlements = keep({ tenantIds: [acme.id], entriesMax: 2 })
  await entitlements.waitUntilReady()
  for (const id of others) await entitlements.check(id, 'certifai')
  const sources = []
  for (const id of [acme.id, ...others.toReversed()]) sources.push((await entitlements.check(id, 'certifai')).source)
  expect(sources).toEqual(['cache', 'cache', 'cache', 'live'])
})

describe('a cold start', () => {
  it('without the registry goes by the bootstrap', async () => {
    registry.change(acme, { status: 'trial', trial_ends_at: timeOf(start + 5 * hourMs) })
    const before = keep({ tenantIds: [acme.id] })
    await before.waitUntilReady()
    await settle()
    const file = JSON.stringify(before.snapshot())
    registry.goDown('unreachable')
    skip(hourMs)

    const entitlements = keep({ tenantIds: [acme.id], bootstrap: JSON.parse(file) as never })
    await entitlements.waitUntilReady()
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({
      access: 'full',
      source: 'bootstrap',
      stale_ms: hourMs,
    })
    expect(JSON.stringify(entitlements.snapshot())).toBe(file)
    skip(4 * hourMs)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'read_only', source: 'bootstrap' })

    registry.change(acme, { trial_ends_at: timeOf(start + 9 * hourMs) })
    registry.comeBack()
    await vi.advanceTimersByTimeAsync(31_000)
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'full', source: 'cache' })
  })

  it('goes by the registry when that can be asked, however new the bootstrap is', async () => {
    registry.answer('listChanges', () => refuse('forbidden', 'auth.permission_denied'))
    const before = keep()
    await before.check(acme.id, 'certifai')
    registry.freeze(acme)
    const entitlements = keep({ bootstrap: before.snapshot() })
    await entitlements.waitUntilReady()
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'read_only', source: 'live' })
  })

  it('does not go by what was asked in the future', async () => {
    const before = keep({ tenantIds: [acme.id] })
    await before.waitUntilReady()
    registry.goDown('unreachable')
    const sources = []
    for (const aheadMs of [30_000, 90_000]) {
      const entries = before.snapshot().entries.map((each) => ({ ...each, asked_at: timeOf(now() + aheadMs) }))
      const { access, source } = await keep({ bootstrap: { entries } }).check(acme.id, 'certifai')
      sources.push([access, source])
    }
    expect(sources).toEqual([
      ['full', 'bootstrap'],
      ['none', 'unavailable'],
    ])
  })

  it('refuses what is no snapshot', () => {
    expect(() => keep({ bootstrap: { entries: [{ asked_at: 'once', answers: [] }] } })).toThrow(TypeError)
  })

  it('without either is not ready in time, and says why', async () => {
    registry.goDown('unreachable')
    const waiting = expect(keep().waitUntilReady({ timeoutMs: 3_000 })).rejects.toMatchObject({
      message: 'the tenant registry has not answered within 3000 ms',
      cause: { name: 'ConnectionError' },
    })
    await vi.advanceTimersByTimeAsync(3_000)
    await waiting
  })

  it('is over when the tenants that stay are loaded', async () => {
    registry.goDown('unavailable')
    const entitlements = keep({ tenantIds: [acme.id] })
    const waiting = entitlements.waitUntilReady({ timeoutMs: 60_000 })
    await vi.advanceTimersByTimeAsync(10_000)
    registry.comeBack()
    await vi.advanceTimersByTimeAsync(31_000)
    await waiting
    expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'full', source: 'cache' })
  })
})

it('what is closed asks nothing any more, leaves no timer, and still says what it knows', async () => {
  const entitlements = keep()
  await entitlements.waitUntilReady()
  await entitlements.check(acme.id, 'certifai')
  const unready = keep({ tenantIds: ['00000000-0000-7000-8000-999999999999'] })
  const waiting = unready.waitUntilReady()
  unready.close()
  await expect(waiting).rejects.toThrow('closed')
  await expect(unready.waitUntilReady()).rejects.toThrow('closed')
  entitlements.close()
  registry.goDown('unreachable')
  const resting = keep({ onError: undefined })
  await settle()
  resting.close()
  await settle()
  expect(vi.getTimerCount()).toBe(0)
  const asked = registry.requests.length
  await vi.advanceTimersByTimeAsync(61_000)
  expect(await entitlements.check(acme.id, 'certifai')).toMatchObject({ access: 'full', source: 'last_known' })
  expect(registry.requests).toHaveLength(asked)
  expect(errors).toEqual([])
})
