import {
  assignProduct,
  ChangeListener,
  type ChangePage,
  cleanChanges,
  createDb,
  type Db,
  everything,
  followChanges,
  listChanges,
  removeTenantProduct,
  type RegistryChange,
  type Sight,
} from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aTenant, testActor, testCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

let database: TestDatabase
let db: Db
let listeners: ChangeListener[]

beforeEach(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  listeners = []
})
afterEach(async () => {
  await Promise.all(listeners.map((each) => each.close()))
  await db.destroy()
  await database.drop()
})

const certifai: Sight = { kind: 'product', product: 'certifai' }
const places = ({ data }: ChangePage) => data.map(({ n }) => n)
const inShort = ({ data }: ChangePage) => data.map(({ kind, ref_id }) => `${kind} ${ref_id}`)
const assign = async (tenant: { id: Parameters<typeof assignProduct>[3] }, product: string) =>
  await assignProduct(db, testActor, testCatalogue, tenant.id, product)

/** Writes changes as if they were made so many days ago: what only the clock can do. */
async function age(days: number, upTo: number): Promise<void> {
  await sql`update registry.changes set at = now() - make_interval(days => ${days}::int) where n <= ${upTo}`.execute(db)
}

async function headOf(): Promise<number> {
  return (await listChanges(db, everything)).head
}

describe('listChanges', () => {
  it('answers what happened, in the order of the commits, and where to go on', async () => {
    const tenant = await aTenant(db)
    await assign(tenant, 'certifai')
    const page = await listChanges(db, everything)
    expect(page).toEqual({
      data: [
        { n: 1, at: expect.any(Date) as Date, kind: 'tenant', tenant_id: tenant.id, ref_id: tenant.id },
        { n: 2, at: expect.any(Date) as Date, kind: 'tenant_product', tenant_id: tenant.id, ref_id: 'certifai' },
      ],
      has_more: false,
      next_after: 2,
      head: 2,
    })
    expect(await listChanges(db, everything, { after: 2 })).toEqual({
      data: [],
      has_more: false,
      next_after: 2,
      head: 2,
    })
    expect(places(await listChanges(db, everything, { after: 0, limit: 1 }))).toEqual([1])
    expect(await listChanges(db, everything, { after: 0, limit: 1 })).toMatchObject({ has_more: true, next_after: 1 })
    expect(await listChanges(db, everything, { after: 1, limit: 1 })).toMatchObject({ has_more: false, next_after: 2 })
  })

  it('misses nothing, repeats nothing and keeps the order, with eight writers who change their minds', async () => {
    const tenants = await Promise.all(Array.from({ length: 8 }, () => aTenant(db)))
    const start = await headOf()
    const committed: string[] = []
    let writing = true
    const writer = async (index: number) => {
      const tenant = tenants[index]
      if (!tenant) throw new Error('a writer without a tenant')
      for (let n = 0; n < 40; n += 1) {
        const name = `${index} ${n}`
        const attempt = db.transaction().execute(async (tx) => {
          await tx.updateTable('tenants').set({ name }).where('id', '=', tenant.id).execute()
          if (n % 3 > 0) return
          // Takes the next number, which otherwise only the commit does, and gives it back.
          await sql`set constraints all immediate`.execute(tx)
          throw new Error('never mind')
        })
        await attempt.then(
          () => committed.push(name),
          () => undefined,
        )
      }
    }
    const read: RegistryChange[] = []
    const reader = async () => {
      for (let after = start; ;) {
        const last = !writing
        const page = await listChanges(db, everything, { after, limit: 7 })
        read.push(...page.data)
        after = page.next_after
        if (last && !page.has_more) return
      }
    }
    const reading = reader()
    await Promise.all(tenants.map((_, index) => writer(index)))
    writing = false
    await reading
    expect(read.map(({ n }) => n)).toEqual(committed.map((_, index) => start + 1 + index))
    expect(read).toHaveLength(8 * 26)
    // In the order of the commits means: what is written at a place is never older than what was read at the place before.
    const times = read.map(({ at }) => at.getTime())
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  it('shows a product its tenants and what it loses, and passes the rest over for good', async () => {
    const mine = await aTenant(db)
    const other = await aTenant(db)
    await assign(mine, 'certifai')
    await assign(other, 'compliance')
    const page = await listChanges(db, certifai)
    expect(inShort(page)).toEqual([`tenant ${mine.id}`, 'tenant_product certifai'])
    expect(page).toMatchObject({ has_more: false, next_after: 4, head: 4 })

    await assign(other, 'certifai')
    const gained = await listChanges(db, certifai, { after: page.next_after })
    expect(gained.data).toMatchObject([{ tenant_id: other.id, kind: 'tenant_product', ref_id: 'certifai' }])
    await removeTenantProduct(db, testActor, testCatalogue, mine.id, 'certifai')
    const lost = await listChanges(db, certifai, { after: gained.next_after })
    expect(lost.data).toMatchObject([{ tenant_id: mine.id, kind: 'tenant_product', ref_id: 'certifai' }])
    // What happens to that tenant from now on is none of its business.
    await db.updateTable('tenants').set({ name: 'Other' }).where('id', '=', mine.id).execute()
    expect(await listChanges(db, certifai, { after: lost.next_after })).toMatchObject({
      data: [],
      next_after: lost.head + 1,
    })
  })

  it('takes a product past any number of changes that are not for it, a part at a time', async () => {
    const other = await aTenant(db)
    const insert = sql`insert into registry.changes (n, kind, tenant_id, ref_id)
      select 1 + n, 'tenant', ${other.id}, 'x' from generate_series(1, 12000) n`
    await insert.execute(db)
    await sql`update registry.change_counter set n = 12001`.execute(db)
    await assign(other, 'compliance')
    const mine = await aTenant(db)
    await assign(mine, 'certifai')
    const seen: string[] = []
    const asked: number[] = []
    for (let after = 0; ;) {
      const page = await listChanges(db, certifai, { after })
      asked.push(page.next_after)
      seen.push(...inShort(page))
      after = page.next_after
      if (!page.has_more) break
    }
    expect(asked).toEqual([5_000, 10_000, 12_004])
    expect(seen).toEqual([`tenant ${mine.id}`, 'tenant_product certifai'])
  })

  it('shows nobody else anything', async () => {
    const tenant = await aTenant(db)
    await assign(tenant, 'certifai')
    const page = await listChanges(db, { kind: 'tenants', tenantIds: [tenant.id] })
    expect(page).toEqual({ data: [], has_more: false, next_after: 2, head: 2 })
  })

  it('says that the feed is not what it was when it has not come that far', async () => {
    await aTenant(db)
    const expired = { code: 'changes.expired', kind: 'gone' }
    await expect(listChanges(db, everything, { after: 2 })).rejects.toMatchObject(expired)
    // A backup may be restored in the middle of somebody's waiting, too.
    const listener = await aListener()
    const waiting = followChanges(db, listener, everything, { after: 1, wait: 25 })
    await until(() => listener.waiting === 1)
    await sql`delete from registry.changes`.execute(db)
    await sql`update registry.change_counter set n = 0`.execute(db)
    await expect(waiting).rejects.toMatchObject(expired)
  })

  it('sends everybody to reload when the counter was moved on after a restore', async () => {
    await aTenant(db)
    await aTenant(db)
    await sql`update registry.change_counter set n = n + 1000`.execute(db)
    await aTenant(db)
    const expired = { code: 'changes.expired', detail: expect.stringMatching(/Reload .* after 1003\.$/) as string }
    await expect(listChanges(db, everything, { after: 2 })).rejects.toMatchObject(expired)
    await expect(listChanges(db, certifai, { after: 500 })).rejects.toMatchObject(expired)
    const before = await listChanges(db, everything, { after: 1 })
    expect(before).toMatchObject({ data: [{ n: 2 }], has_more: true, next_after: 2 })
    expect(places(await listChanges(db, everything, { after: 1002 }))).toEqual([1003])
  })
})

describe('cleanChanges', () => {
  it('deletes what is older than seven days, and says to those who have not read it that it is gone', async () => {
    for (let n = 0; n < 4; n += 1) await aTenant(db)
    await age(8, 2)
    await age(6, 0)
    const cleaned = await Promise.all([cleanChanges(db), cleanChanges(db)])
    expect(cleaned.toSorted((a, b) => a - b)).toEqual([0, 2])
    expect(places(await listChanges(db, everything))).toEqual([3, 4])
    expect(places(await listChanges(db, everything, { after: 2 }))).toEqual([3, 4])
    await expect(listChanges(db, everything, { after: 1 })).rejects.toMatchObject({ code: 'changes.expired' })
    await expect(listChanges(db, everything, { after: 0 })).rejects.toMatchObject({ code: 'changes.expired' })
  })

  it('leaves nobody behind when nothing is left: the feed goes on where it was', async () => {
    await aTenant(db)
    await aTenant(db)
    await age(8, 2)
    expect(await cleanChanges(db)).toBe(2)
    const nothing = { data: [], has_more: false, next_after: 2, head: 2 }
    expect(await listChanges(db, everything)).toEqual(nothing)
    expect(await listChanges(db, everything, { after: 2 })).toEqual(nothing)
    await expect(listChanges(db, everything, { after: 1 })).rejects.toMatchObject({ code: 'changes.expired' })
    await aTenant(db)
    expect(places(await listChanges(db, everything, { after: 2 }))).toEqual([3])
  })

  it('never makes a gap, also when the clock ran backwards', async () => {
    for (let n = 0; n < 4; n += 1) await aTenant(db)
    await sql`update registry.changes set at = now() - interval '8 days' where n in (1, 3)`.execute(db)
    expect(await cleanChanges(db)).toBe(1)
    expect(places(await listChanges(db, everything))).toEqual([2, 3, 4])
  })

  it('deletes more than one part holds, and stops between two when it is told to', async () => {
    const { id } = await aTenant(db)
    await sql`insert into registry.changes (n, at, kind, tenant_id, ref_id)
      select 1 + n, now() - interval '9 days', 'tenant', ${id}, 'x' from generate_series(1, 11000) n`.execute(db)
    await sql`update registry.change_counter set n = 11001`.execute(db)
    await age(9, 1)
    const stopped = new AbortController()
    stopped.abort()
    expect(await cleanChanges(db, stopped.signal)).toBe(5_000)
    expect(await cleanChanges(db)).toBe(6_001)
    expect(await headOf()).toBe(11_001)
  })
})

type Options = Partial<ConstructorParameters<typeof ChangeListener>[0]>
async function aListener(options: Options = {}): Promise<ChangeListener> {
  const started = Promise.withResolvers<void>()
  const listener = new ChangeListener({
    db,
    connectionString: database.runtimeUrl,
    onFailure: () => undefined,
    onListening: () => started.resolve(),
    ...options,
  })
  listeners.push(listener)
  listener.start()
  await started.promise
  return listener
}

describe('followChanges', () => {
  it('does not wait when there is something, or when nobody asked it to', async () => {
    await aTenant(db)
    const listener = await aListener({ waitersMax: 0 })
    expect(places(await followChanges(db, listener, everything, { after: 0, wait: 25 }))).toEqual([1])
    expect(places(await followChanges(db, listener, everything, { after: 1 }))).toEqual([])
    await expect(followChanges(db, listener, everything, { after: 1, wait: 25 })).rejects.toMatchObject({
      code: 'changes.too_many_waiters',
      kind: 'unavailable',
      retryAfterSeconds: 2,
    })
  })

  it('answers hundreds who wait as soon as something is committed, without a connection for any of them', async () => {
    const tenant = await aTenant(db)
    // Nothing but the notification can wake them.
    const listener = await aListener({ pollMs: 3_600_000 })
    const waiting = Array.from({ length: 300 }, () => followChanges(db, listener, everything, { after: 1, wait: 25 }))
    await until(() => listener.waiting === 300)
    expect(await connections()).toBeLessThanOrEqual(11)
    const elsewhere = createDb({ connectionString: database.runtimeUrl, applicationName: 'elsewhere' })
    await assignProduct(elsewhere, testActor, testCatalogue, tenant.id, 'certifai')
    await elsewhere.destroy()
    const pages = await Promise.all(waiting)
    expect(new Set(pages.map((page) => JSON.stringify(page))).size).toBe(1)
    expect(places(pages[0] as ChangePage)).toEqual([2])
    expect(listener.waiting).toBe(0)
  })

  it('waits on past what is not for it, and answers with a place behind it when the time is over', async () => {
    const other = await aTenant(db)
    const listener = await aListener()
    const waiting = followChanges(db, listener, certifai, { after: 1, wait: 1 })
    await until(() => listener.waiting === 1)
    await assign(other, 'compliance')
    expect(await waiting).toEqual({ data: [], has_more: false, next_after: 2, head: 2 })
  })

  it('hears of a commit also when the listening connection was ended a moment ago', async () => {
    await aTenant(db)
    const listener = await aListener()
    const waiting = followChanges(db, listener, everything, { after: 1, wait: 25 })
    await until(() => listener.waiting === 1)
    await endListening()
    await aTenant(db)
    expect(places(await waiting)).toEqual([2])
  })

  it('lets go of who is no longer there', async () => {
    await aTenant(db)
    const listener = await aListener()
    const caller = new AbortController()
    const waiting = followChanges(db, listener, everything, { after: 1, wait: 25 }, caller.signal)
    await until(() => listener.waiting === 1)
    caller.abort()
    expect(places(await waiting)).toEqual([])
    expect(listener.waiting).toBe(0)
  })

  it('answers everybody at once when the process stops, and nobody waits after that', async () => {
    await aTenant(db)
    const listener = await aListener()
    const waiting = followChanges(db, listener, everything, { after: 1, wait: 25 })
    await until(() => listener.waiting === 1)
    listener.drain()
    expect(places(await waiting)).toEqual([])
    await listener.close()
    expect(await followChanges(db, listener, everything, { after: 1, wait: 25 })).toMatchObject({ next_after: 1 })
  })
})

/** Ends the connection that listens, as an administrator or a fail-over does. */
async function endListening(): Promise<void> {
  await asAdmin(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name = 'tenant-registry listener'`,
  )
}

async function connections(): Promise<number> {
  const rows = await asAdmin(
    `select pid from pg_stat_activity where datname = $1 and application_name like 'tenant-registry%'`,
  )
  return rows.length
}

async function asAdmin(query: string): Promise<unknown[]> {
  const admin = new Client({ connectionString: database.adminUrl })
  await admin.connect()
  const { rows } = await admin.query<Record<string, unknown>>(query, [database.name])
  await admin.end()
  return rows
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((done) => setTimeout(done, 10))
}
