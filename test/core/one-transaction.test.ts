import {
  audited,
  createDb,
  createTenant,
  type Db,
  everything,
  getTenant,
  getTenantBySlug,
  housekeeping,
  listEvents,
  NewTenant,
  oneTransaction,
  RecordedEventQuery,
  rehearse,
  StreamId,
  type Tenant,
  unchanged,
} from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventsOf, testActor, testCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

let database: TestDatabase
let db: Db

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

let made = 0
const aSlug = () => `unit-${(made += 1)}`
const create = async (on: Db, slug: string): Promise<Tenant> =>
  await createTenant(on, testActor, testCatalogue, NewTenant.parse({ slug, name: slug }))
const isThere = async (slug: string, on = db): Promise<boolean> =>
  await getTenantBySlug(on, everything, slug as Tenant['slug']).then(
    () => true,
    () => false,
  )
const streamsOf = async (ids: readonly string[]) =>
  await db
    .selectFrom('audit_log')
    .select(['stream_id', 'stream_seq', 'action'])
    .where(
      'stream_id',
      'in',
      ids.map((id) => StreamId.parse(id)),
    )
    .execute()
const refusal = new Error('no more')

describe('oneTransaction', () => {
  it('commits all of its verbs at once, with an event for each', async () => {
    const [a, b] = [aSlug(), aSlug()]
    const tenants = await oneTransaction(db, async (unit) => {
      const first = await create(unit, a)
      expect(await streamsOf([first.id])).toEqual([])
      expect([await isThere(a), await isThere(a, unit)]).toEqual([false, true])
      return [first, await create(unit, b)]
    })
    for (const tenant of tenants) {
      expect(await getTenant(db, everything, tenant.id)).toEqual(tenant)
      expect(await eventsOf(db, tenant.id)).toMatchObject([{ action: 'tenant.created', target_id: tenant.id }])
    }
  })

  it('reads the log between its verbs, a page at a time', async () => {
    await create(db, aSlug())
    await create(db, aSlug())
    const slug = aSlug()
    const seen = await oneTransaction(db, async (unit) => {
      const first = await listEvents(unit, everything, RecordedEventQuery.parse({ limit: '1' }))
      const next = { limit: '1', ...(first.next_cursor !== null && { cursor: first.next_cursor }) }
      const second = await listEvents(unit, everything, RecordedEventQuery.parse(next))
      await create(unit, slug)
      return [...first.data, ...second.data]
    })
    expect(seen).toHaveLength(2)
    expect(await isThere(slug)).toBe(true)
  })

  it('leaves nothing of any verb when it throws', async () => {
    const [a, b] = [aSlug(), aSlug()]
    const ids: string[] = []
    const failing = oneTransaction(db, async (unit) => {
      ids.push((await create(unit, a)).id, (await create(unit, b)).id)
      throw refusal
    })
    await expect(failing).rejects.toBe(refusal)
    expect([await isThere(a), await isThere(b)]).toEqual([false, false])
    expect(await streamsOf(ids)).toEqual([])
  })

  it('goes on after a verb whose error was caught, and that verb has done nothing', async () => {
    const [a, b] = [aSlug(), aSlug()]
    const kept = await oneTransaction(db, async (unit) => {
      const first = await create(unit, a)
      // The very statement fails, which would end any other transaction.
      await expect(create(unit, a)).rejects.toMatchObject({ code: 'tenant.slug_taken' })
      return [first, await create(unit, b)]
    })
    expect([await isThere(a), await isThere(b)]).toEqual([true, true])
    const ids = kept.map(({ id }) => id)
    expect((await streamsOf(ids)).map(({ stream_id }) => stream_id).sort()).toEqual([...ids].sort())
  })

  it('takes back what a verb wrote before it failed, and its events', async () => {
    const [a, b] = [aSlug(), aSlug()]
    await oneTransaction(db, async (unit) => {
      const inner = oneTransaction(unit, async (part) => {
        await create(part, a)
        throw refusal
      })
      await expect(inner).rejects.toBe(refusal)
      await create(unit, b)
    })
    expect([await isThere(a), await isThere(b)]).toEqual([false, true])
    const events = await db.selectFrom('audit_log').select('group_name').where('group_name', 'in', [a, b]).execute()
    expect(events).toEqual([{ group_name: b }])
  })

  it('joins the one around it, and appends the events of all in the order of the verbs', async () => {
    const order = [aSlug(), aSlug(), aSlug()]
    const [first = '', second = '', third = ''] = order
    await oneTransaction(db, async (unit) => {
      await create(unit, first)
      await oneTransaction(unit, async (part) => await oneTransaction(part, async (deep) => await create(deep, second)))
      await create(unit, third)
    })
    const events = await db
      .selectFrom('audit_log')
      .select('group_name')
      .where('group_name', 'in', order)
      .orderBy('id')
      .execute()
    expect(events.map(({ group_name }) => group_name)).toEqual(order)
  })

  it('takes book-keeping in, which is there or not there with the rest', async () => {
    const digests = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
    const note = async (unit: Db, digest: Buffer) =>
      await housekeeping(
        unit,
        async (tx) =>
          await tx.insertInto('registry.idempotency').values({ digest, fingerprint: digest, status: 200 }).execute(),
      )
    await oneTransaction(db, async (unit) => {
      await note(unit, Buffer.alloc(32, 1))
      await expect(note(unit, Buffer.alloc(32, 1))).rejects.toThrow('idempotency_pkey')
    })
    const failing = oneTransaction(db, async (unit) => {
      await note(unit, Buffer.alloc(32, 2))
      throw refusal
    })
    await expect(failing).rejects.toBe(refusal)
    const rows = await db.selectFrom('registry.idempotency').select('digest').where('digest', 'in', digests).execute()
    expect(rows).toEqual([{ digest: Buffer.alloc(32, 1) }])
  })

  it('refuses verbs at once, waits for the one that runs, and leaves nothing', async () => {
    const [a, b] = [aSlug(), aSlug()]
    const failing = oneTransaction(db, async (unit) => await Promise.all([create(unit, a), create(unit, b)]))
    await expect(failing).rejects.toThrow('one after the other')
    expect([await isThere(a), await isThere(b)]).toEqual([false, false])
  })

  it('refuses a verb that nobody waits for, and leaves nothing', async () => {
    const a = aSlug()
    const failing = oneTransaction(db, async (unit) => {
      void create(unit, a).catch(() => undefined)
      return await Promise.resolve('done')
    })
    await expect(failing).rejects.toThrow('one after the other')
    expect(await isThere(a)).toBe(false)
  })

  it('refuses the outer one while an inner one is open', async () => {
    const [a, b] = [aSlug(), aSlug()]
    await oneTransaction(db, async (unit) => {
      await oneTransaction(unit, async (part) => {
        await expect(create(unit, a)).rejects.toThrow('one after the other')
        await create(part, b)
      })
    })
    expect([await isThere(a), await isThere(b)]).toEqual([false, true])
  })

  it('is of no use when it is over', async () => {
    const escaped = await oneTransaction(db, async (unit) => await Promise.resolve({ unit }))
    const late = audited(escaped.unit, testActor, async () => await Promise.resolve(unchanged(1)))
    await expect(late).rejects.toThrow('over')
    await expect(housekeeping(escaped.unit, async () => await Promise.resolve(1))).rejects.toThrow('over')
  })

  it('says that it failed when a statement outside of every verb did, whoever swallowed that', async () => {
    const failing = oneTransaction(db, async (unit) => {
      await sql`select 1 / 0`.execute(unit).catch(() => undefined)
      return 'fine'
    })
    await expect(failing).rejects.toThrow('rolled back instead')
  })

  it('keeps no more savepoints than are open, however many verbs fail', async () => {
    const slug = aSlug()
    await oneTransaction(db, async (unit) => {
      await create(unit, slug)
      for (let round = 0; round < 3; round += 1) await create(unit, slug).catch(() => undefined)
      await expect(sql`release savepoint piece_1`.execute(unit)).rejects.toThrow('does not exist')
      throw refusal
    }).catch((error: unknown) => expect(error).toBe(refusal))
  })
})

describe('rehearse', () => {
  it('answers what would have followed, and changes nothing', async () => {
    const a = aSlug()
    const tenant = await rehearse(db, async (unit) => {
      const created = await create(unit, a)
      expect(await isThere(a, unit)).toBe(true)
      return created
    })
    expect(tenant).toMatchObject({ slug: a, version: 1 })
    expect(await isThere(a)).toBe(false)
    expect(await streamsOf([tenant.id])).toEqual([])
  })

  it('inside a transaction takes back its own part alone', async () => {
    const [a, b] = [aSlug(), aSlug()]
    await oneTransaction(db, async (unit) => {
      await rehearse(unit, async (part) => await create(part, a))
      await create(unit, b)
    })
    expect([await isThere(a), await isThere(b)]).toEqual([false, true])
  })

  it('throws what was thrown in it', async () => {
    await expect(rehearse(db, async () => await Promise.reject(refusal))).rejects.toBe(refusal)
  })
})
