import {
  createDb,
  type Db,
  everything,
  listTenants,
  platformTenant,
  type Sight,
  type Tenant,
  TenantId,
  TenantQuery,
} from '@breakpilot/tenant-core'
import { Kysely, PostgresDialect } from 'kysely'
import { Client, Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

type Query = z.input<typeof TenantQuery>
type Sort = NonNullable<Query['sort']>

/** How many there are. Enough for PostgreSQL to choose its plans as it does for many more. */
const count = 20_000

let database: TestDatabase
let db: Db
let all: readonly Stored[]

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  const owner = new Client({ connectionString: database.ownerUrl })
  await owner.connect()
  await fill(owner)
  const { rows } = await owner.query<Stored>(`
    select id, slug, name, status, kind, plan, sales_owner, trial_ends_at, frozen_from, status_reason, created_at,
      purge_requested_at, array(select product from tenant_products where tenant_id = tenants.id order by 1) as products
    from tenants where id <> '${platformTenant}'`)
  all = rows
  await owner.end()
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

/**
 * Tenants of which three at a time were made at once, and many have the same name but for its case. `relic`, `legacy` and
 * `early` have the oldest 20, 800 and 6 000, every hundredth name begins with Acme, and nothing is null nowhere.
 */
async function fill(owner: Client): Promise<void> {
  const triggers = (how: string) =>
    owner.query(`alter table tenants ${how} trigger user;
    alter table tenant_products ${how} trigger user`)
  await triggers('disable')
  await owner.query(`
    insert into tenants (
      id, slug, name, status, kind, plan, sales_owner, trial_ends_at, frozen_from, status_reason, created_at,
      purge_requested_at
    )
    select
      md5(n::text)::uuid,
      case when n % 100 = 0 then 'acme-' else (array['north-', 'east-', 'south-', 'westend-'])[1 + n % 4] end || n || 'x',
      case
        when n % 100 = 0 then (array['Acme', 'ACME', 'acme'])[1 + n / 100 % 3] || ' Group'
        else (array['Golden', 'golden', 'Silver', 'Iron', 'Zinc'])[1 + n % 5] || '-' || (array['Mountain', 'River', 'Valley'])[1 + n % 3]
          || case when n % 2 = 0 then ' No. ' || n else '' end
      end,
      status::tenant_status,
      case when status = 'demo' then 'demo'::tenant_kind else 'customer' end,
      case when status = 'active' or n % 3 = 0 then (array['starter', 'professional', 'enterprise'])[1 + n / 7 % 3] end,
      case when n % 4 <> 0 then 'person' || n % 40 || '@breakpilot.com' end,
      case
        when status = 'trial' and n % 5 <> 0 then now() + make_interval(days => n / 20 % 60 - 10)
        when status = 'active' and n % 3 = 0 then now() + make_interval(days => n / 20 % 60 - 30)
        when status = 'frozen' then now() - make_interval(days => n / 20 % 300)
      end,
      case when status in ('frozen', 'archived') then (array['trial', 'active'])[1 + n % 2]::tenant_status end,
      case when status = 'frozen' then (array['trial_expired', 'payment_overdue'])[1 + n / 2 % 2] end,
      timestamptz '2024-01-01T00:00:00Z' + n / 3 * interval '1 hour',
      case when status = 'archived' and n / 20 % 10 = 0 then now() end
    from (
      select n, case
        when n % 20 < 12 then 'active' when n % 20 < 15 then 'trial' when n % 20 < 17 then 'frozen'
        when n % 20 < 19 then 'archived' else 'demo'
      end as status
      from generate_series(1, ${count}) as n
    ) as numbered`)
  await owner.query(`
    insert into tenant_products (tenant_id, product)
    select md5(n::text)::uuid, product
    from generate_series(1, ${count}) as n,
      lateral (values
        ('certifai', n % 10 < 7), ('compliance', n % 5 < 2), ('rare', n % 200 = 0), ('legacy', n <= 800), ('relic', n <= 20), ('early', n <= 6000)
      ) as assigned (product, has)
    where has`)
  await triggers('enable')
  await owner.query('analyze tenants; analyze tenant_products')
}

interface Stored {
  readonly id: TenantId
  readonly slug: string
  readonly name: string
  readonly status: string
  readonly kind: string
  readonly plan: string | null
  readonly sales_owner: string | null
  readonly trial_ends_at: Date | null
  readonly frozen_from: string | null
  readonly status_reason: string | null
  readonly created_at: Date
  readonly purge_requested_at: Date | null
  readonly products: readonly string[]
}

const isOver = ({ status, trial_ends_at: end }: Stored) =>
  status === 'trial' && end !== null && end.getTime() <= Date.now()
const words = (text: string) =>
  text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean)

/** What a sight and a filter mean, said once more, and without an index. */
function matches(tenant: Stored, sight: Sight, query: Query): boolean {
  const { status, kind, plan, product, sales_owner, q } = query
  const seen = {
    platform: () => tenant.purge_requested_at === null || (sight.kind === 'platform' && sight.owner),
    tenants: () => sight.kind === 'tenants' && sight.tenantIds.includes(tenant.id) && tenant.status !== 'archived',
    product: () =>
      sight.kind === 'product' && tenant.products.includes(sight.product) && tenant.purge_requested_at === null,
  }
  const trial =
    tenant.status === 'trial' ||
    (tenant.status === 'frozen' && tenant.frozen_from === 'trial' && tenant.status_reason === 'trial_expired')
  const ends = tenant.trial_ends_at?.toISOString()
  const made = tenant.created_at.toISOString()
  const asked = words(q ?? '')
  const [last = '', ...others] = asked.toReversed()
  const own = words(tenant.name)
  return (
    seen[sight.kind]() &&
    (status === undefined || status === (isOver(tenant) ? 'frozen' : tenant.status)) &&
    (kind === undefined || kind === tenant.kind) &&
    (plan === undefined || plan === tenant.plan) &&
    (product === undefined || tenant.products.includes(product)) &&
    (sales_owner === undefined || sales_owner === tenant.sales_owner) &&
    (query.trial_ends_after === undefined || (trial && ends !== undefined && ends >= query.trial_ends_after)) &&
    (query.trial_ends_before === undefined || (trial && ends !== undefined && ends < query.trial_ends_before)) &&
    (query.created_after === undefined || made >= query.created_after) &&
    (query.created_before === undefined || made < query.created_before) &&
    (q === undefined ||
      tenant.slug.startsWith(q.toLowerCase()) ||
      (asked.length > 0 && others.every((word) => own.includes(word)) && own.some((word) => word.startsWith(last))))
  )
}

/** The ids of all tenants that match, in the order of the list. */
function expected(sight: Sight, query: Query): string[] {
  const { sort = '-created_at' } = query
  const key = (tenant: Stored) => {
    if (sort.endsWith('created_at')) return tenant.created_at.toISOString()
    return sort.endsWith('name') ? tenant.name.toLowerCase() : tenant.slug
  }
  const ids = all
    .filter((tenant) => matches(tenant, sight, query))
    .map((tenant) => ({ key: key(tenant), id: tenant.id }))
    .sort((a, b) => (a.key < b.key || (a.key === b.key && a.id < b.id) ? -1 : 1))
    .map(({ id }) => id)
  return sort.startsWith('-') ? ids.toReversed() : ids
}

/** Every page of a list, one after the other. */
async function walk(sight: Sight, query: Query, limit: number): Promise<Tenant[]> {
  const seen: Tenant[] = []
  let cursor: string | undefined
  do {
    const asked = { ...query, limit: String(limit), ...(cursor !== undefined && { cursor }) }
    const page = await listTenants(db, sight, TenantQuery.parse(asked))
    seen.push(...page.data)
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
  return seen
}

const sorts: readonly Sort[] = ['created_at', '-created_at', 'name', '-name', 'slug', '-slug']
const threeSorts = ['-created_at', 'name', '-slug'] as const
const days = (n: number) => new Date(Date.now() + n * 86_400_000).toISOString()
const idOf = (n: string) => TenantId.parse(n)

/** Of 1, 18 and 100: one that is active, one that is archived and an Acme. */
const three: Sight = {
  kind: 'tenants',
  tenantIds: [
    idOf('c4ca4238-a0b9-2382-0dcc-509a6f75849b'),
    idOf('6f4922f4-5568-161a-8cdf-4ad2299f6d23'),
    idOf('f899139d-f5e1-0593-9643-1415e770c6dd'),
  ],
}
const operator: Sight = { kind: 'platform', owner: false }
const having = (product: string): Sight => ({ kind: 'product', product })

const filters: readonly Query[] = [
  { status: 'active' },
  { status: 'trial' },
  { status: 'frozen' },
  { status: 'archived' },
  { kind: 'demo' },
  { plan: 'enterprise', kind: 'customer' },
  { plan: 'nothing' },
  { sales_owner: 'person3@breakpilot.com' },
  { product: 'compliance' },
  { product: 'rare', status: 'active' },
  { product: 'legacy' },
  { product: 'early', status: 'trial' },
  { product: 'nothing' },
  { trial_ends_after: days(-3), trial_ends_before: days(7) },
  { trial_ends_before: days(3), status: 'trial' },
  { trial_ends_before: days(3), status: 'frozen' },
  { created_after: '2024-03-01T00:00:00.000Z', created_before: '2024-04-01T00:00:00.000Z' },
  { q: 'acme' },
  { q: 'golden mou' },
  { q: 'mountain GOLDEN', plan: 'starter' },
  { q: 'west' },
  { q: 'g' },
  { q: 'no such' },
  { q: '--' },
  { q: 'acme', product: 'legacy' },
]

describe('the pages of a list hold exactly what matches, once, in order', () => {
  it.each(sorts)('without a filter, by %s', async (sort) => {
    expect((await walk(everything, { sort }, 200)).map(({ id }) => id)).toEqual(expected(everything, { sort }))
  })

  it.each(filters)('%j', async (filter) => {
    const many = expected(everything, filter).length > 3_000
    for (const sort of many ? threeSorts : sorts) {
      const wanted = expected(everything, { ...filter, sort })
      expect((await walk(everything, { ...filter, sort }, 200)).map(({ id }) => id)).toEqual(wanted)
    }
  })

  it.each([operator, three, having('certifai'), having('early'), having('legacy'), having('relic'), having('nothing')])(
    'in sight of %j',
    async (sight) => {
      const name = { sort: 'name' } as const
      expect((await walk(sight, name, 200)).map(({ id }) => id)).toEqual(expected(sight, name))
      for (const filter of [
        { status: 'archived' },
        { q: 'acme' },
        { q: 'g', kind: 'demo' },
        { product: 'rare' },
      ] as const) {
        for (const sort of threeSorts) {
          const wanted = expected(sight, { ...filter, sort })
          expect((await walk(sight, { ...filter, sort }, 200)).map(({ id }) => id)).toEqual(wanted)
        }
      }
    },
  )

  it('when every page ends among tenants with one name', async () => {
    const query = { q: 'acme', sort: 'name' } as const
    const seen = await walk(everything, query, 3)
    expect(seen.map(({ id }) => id)).toEqual(expected(everything, query))
    expect(new Set(seen.map(({ name }) => name.toLowerCase()))).toEqual(new Set(['acme group']))
  })

  it('with the products of each', async () => {
    const { data } = await listTenants(db, everything, TenantQuery.parse({ sort: 'created_at' }))
    const stored = new Map(all.map(({ id, products }) => [id, products]))
    for (const { id, products } of data) expect(products).toEqual(stored.get(id))
  })
})

interface Plan {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Index Recheck'?: number
  readonly 'Shared Hit Blocks': number
  readonly 'Shared Read Blocks': number
  readonly Plans?: readonly Plan[]
}

/** What a page made PostgreSQL do: how many statements, how many rows it looked at, and how many blocks. */
async function workOf(sight: Sight, query: Query) {
  const statements: { readonly sql: string; readonly parameters: readonly unknown[] }[] = []
  const pool = new Pool({ connectionString: database.runtimeUrl, max: 1 })
  // A session that is not gone yet when its database goes says so to whoever listens, or ends the process.
  pool.on('error', () => undefined)
  const watched = new Kysely({
    dialect: new PostgresDialect({ pool }),
    log: ({ query: { sql, parameters } }) => {
      statements.push({ sql, parameters })
    },
  })
  try {
    await listTenants(watched, sight, TenantQuery.parse(query))
    let [rows, blocks] = [0, 0]
    for (const { sql, parameters } of statements) {
      const explain = `explain (analyze, buffers, timing off, format json) ${sql}`
      const { rows: answer } = await pool.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(explain, [...parameters])
      const plan = answer[0]?.['QUERY PLAN'][0].Plan
      if (!plan) throw new Error('explain has no plan')
      rows += rowsRead(plan)
      blocks += plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
    }
    return { statements: statements.length, rows, blocks }
  } finally {
    await watched.destroy()
  }
}

/** How many rows the scans of a plan looked at, whether they kept them or not. */
function rowsRead(plan: Plan): number {
  const inside = (plan.Plans ?? []).map(rowsRead).reduce((sum, rows) => sum + rows, 0)
  if (plan['Relation Name'] === undefined) return inside
  const { 'Rows Removed by Filter': filtered = 0, 'Rows Removed by Index Recheck': rechecked = 0 } = plan
  return inside + (plan['Actual Rows'] + filtered + rechecked) * plan['Actual Loops']
}

/** A cursor of a list after half of it, or after so many. */
async function cursorInto(sight: Sight, query: Query, most = count): Promise<string | undefined> {
  const half = Math.floor(expected(sight, query).length / 2)
  let cursor: string | undefined
  for (let passed = 0; passed < Math.min(half, most); passed += 200) {
    const page = await listTenants(db, sight, TenantQuery.parse({ ...query, limit: '200', ...(cursor && { cursor }) }))
    cursor = page.next_cursor ?? undefined
  }
  return cursor
}

describe('a page of fifty', () => {
  // How many rows it may look at, of 20 000 tenants and 28 920 assignments: those of the page and of its products, those
  // that it passes over, and where it cannot know whether few match, up to 5 001 to count.
  it.each<[rowsMax: number, Sight, Query]>([
    [300, everything, {}],
    [300, operator, {}],
    [4_000, everything, { status: 'active' }],
    [300, everything, { plan: 'nothing' }],
    [3_300, everything, { kind: 'demo' }],
    [5_600, everything, { product: 'certifai' }],
    [5_600, having('certifai'), {}],
    [2_000, everything, { product: 'rare' }],
    [3_000, everything, { product: 'legacy' }],
    [3_000, having('legacy'), {}],
    [300, having('relic'), {}],
    // Those that have it are far from the beginning: some are looked up, then all are hashed, and the rest is passed over.
    [30_000, having('early'), {}],
    [300, everything, { product: 'nothing' }],
    [300, three, {}],
    [300, three, { q: 'g' }],
    [1_500, everything, { q: 'acme' }],
    [300, everything, { q: 'no such' }],
    [5_300, having('relic'), { q: 'g' }],
    [300, having('rare'), { q: 'no such' }],
    [300, everything, { trial_ends_before: '2019-01-01T00:00:00Z' }],
  ])('looks at no more than %i rows, wherever it is: %j %j', async (rowsMax, sight, filter) => {
    for (const sort of ['created_at', '-created_at', 'name', '-slug'] as const) {
      const query = { ...filter, sort }
      const cursor = await cursorInto(sight, query, 1_000)
      for (const at of cursor === undefined ? [{}] : [{}, { cursor }]) {
        const { statements, rows } = await workOf(sight, { ...query, ...at })
        expect.soft(rows, `${sort} ${JSON.stringify(at)}`).toBeLessThanOrEqual(rowsMax)
        expect(statements).toBeLessThanOrEqual(3)
      }
    }
  })

  it.each(sorts)('costs in the middle of a list by %s what the first one costs', async (sort) => {
    for (const sight of [everything, having('certifai')]) {
      const first = await workOf(sight, { sort })
      const deep = await workOf(sight, { sort, cursor: await cursorInto(sight, { sort }) })
      expect(deep.blocks).toBeLessThanOrEqual(first.blocks * 1.2 + 50)
    }
  })
})
