import { setTimeout as sleep } from 'node:timers/promises'
import {
  createCatalogue,
  createDb,
  createRegistry,
  type Db,
  decodeEventMap,
  Ingest,
  ingestBounds,
  parseManifest,
  PublishedEvent,
  type Receipt,
  type Registry,
  retracedHash,
  StreamId,
  streamOf,
  type Submission,
} from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aTenant, testActor } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

let database: TestDatabase
let db: Db
let ingest: Ingest
let registry: Registry

const catalogue = createCatalogue([
  parseManifest(
    '{ key: certifai, name: CertifAI, status: active, owner: team, supports_projects: true, plans: { starter: {} } }',
    'certifai.yaml',
  ),
  parseManifest(
    '{ key: compliance, name: Compliance, status: active, owner: team, supports_projects: false, audit_group: slug, plans: { starter: {} } }',
    'compliance.yaml',
  ),
])

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl, poolSize: 12 })
  ingest = new Ingest(db, catalogue)
  registry = createRegistry(db, testActor, { catalogue })
})
afterAll(async () => {
  await ingest.close()
  await db.destroy()
  await database.drop()
})

const event = (fields: object = {}): PublishedEvent =>
  PublishedEvent.parse({ action: 'report.opened', crud: 'r', actor: { id: 'u1' }, group: { id: 'g' }, ...fields })

const submit = (fields: Partial<Submission> = {}, by = ingest) =>
  by.submit({ principal: 'key-1', product: 'certifai', environment: 'live', events: [event()], ...fields })

const idsOf = ({ recorded }: Receipt) => recorded.map(({ id }) => id)

async function rowOf(receipt: Receipt, at = 0) {
  const id = receipt.recorded[at]?.id
  if (id === undefined) throw new Error('it was not recorded')
  return await db.selectFrom('audit_log').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}

async function countOf(group: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from audit_log where group_id = ${group}`.execute(db)
  return rows[0]?.count ?? 0
}

/** The transaction that recorded the first event of a submission. */
async function transactionOf({ recorded: [event] }: Receipt): Promise<string | undefined> {
  const { rows } = await sql<{ transaction: string }>`
    select xmin::text as transaction from audit_log where id = ${event?.id ?? null}`.execute(db)
  return rows[0]?.transaction
}

/** Groups of tests apart from each other. */
let groups = 0
const newGroup = () => `group-${(groups += 1)}`

describe('what is recorded', () => {
  it('is what was sent, with the hash of what was sent', async () => {
    const receipt = await submit({
      events: [event({ fields: { b: '2', a: '1' }, external_id: 'e1', source_ip: '2001:DB8::1', is_failure: false })],
    })
    const row = await rowOf(receipt)
    expect(row).toMatchObject({ fields: '{"b":"2","a":"1"}', source_ip: '2001:DB8::1', is_failure: false })
    expect(row.is_anonymous).toBeNull()
    expect(row.hash).toEqual(receipt.recorded[0]?.hash)
    expect(row.hash).toEqual(
      retracedHash({
        id: row.id.replaceAll('-', ''),
        action: 'report.opened',
        actor_id: 'u1',
        group_id: 'g',
        source_ip: '2001:DB8::1',
        fields: decodeEventMap('{"b":"2","a":"1"}'),
        external_id: 'e1',
      }),
    )
  })

  it('may name nobody, also as the first event of its stream', async () => {
    const nobody = PublishedEvent.parse({ action: 'page.seen', crud: 'r', is_anonymous: true })
    const inTurn = [
      await submit({ events: [nobody], environment: 'test' }),
      await submit({ events: [nobody], environment: 'test' }),
    ]
    const rows = await Promise.all(inTurn.map(async (receipt) => await rowOf(receipt)))
    expect(rows.map(({ stream_seq }) => stream_seq)).toEqual([1, 2])
  })

  it('stands in its stream in the order of its submission, whatever else comes at the same time', async () => {
    const names = Array.from({ length: 5 }, newGroup)
    const receipts = await Promise.all(
      Array.from({ length: 40 }, async (_, writer) =>
        submit({
          events: names.flatMap((id) => [1, 2, 3].map((n) => event({ group: { id }, action: `w${writer}.n${n}` }))),
        }),
      ),
    )
    expect(new Set(receipts.flatMap(idsOf)).size).toBe(600)
    for (const id of names) {
      const stream = streamOf({ tenant_id: null, product: 'certifai', environment: 'live', group_id: id })
      const rows = await db
        .selectFrom('audit_log')
        .select(['stream_seq', 'action'])
        .where('stream_id', '=', stream)
        .orderBy('stream_seq')
        .execute()
      expect(rows.map(({ stream_seq }) => stream_seq)).toEqual(rows.map((_, at) => at + 1))
      for (let at = 0; at < rows.length; at += 3) {
        const [writer] = rows[at]?.action.split('.') ?? []
        expect(rows.slice(at, at + 3).map(({ action }) => action)).toEqual([1, 2, 3].map((n) => `${writer}.n${n}`))
      }
    }
  })

  // Whoever is not given the processor for these milliseconds does not come together.
  it('waits for others, a little: what comes together is committed together', { retry: 3 }, async () => {
    const submissions = Array.from({ length: 30 }, () => ({ events: [event({ group: { id: 'together' } })] }))
    const receipts = await Promise.all(submissions.map((submission) => submit(submission)))
    const { rows } = await sql<{ transactions: number }>`
      select count(distinct xmin::text)::integer as transactions from audit_log
      where id = any(${receipts.flatMap(idsOf)}::uuid[])`.execute(db)
    expect(rows).toEqual([{ transactions: 1 }])
  })

  it('is nothing at all when the database refuses one of the events, and what others sent is there', async () => {
    // Whoever calls without HTTP may have an action that no index takes.
    const odd = { ...event({ group: { id: 'odd' } }), action: 'x'.repeat(3_000) }
    const [refused, taken] = await Promise.allSettled([
      submit({ events: [event({ group: { id: 'odd' } }), odd] }),
      submit({ events: [event({ group: { id: 'even' } })] }),
    ])
    expect(refused.status).toBe('rejected')
    expect(taken.status).toBe('fulfilled')
    expect([await countOf('odd'), await countOf('even')]).toEqual([0, 1])
  })
})

describe('whose it is', () => {
  it('is the tenant that the group names by its id, if it has or had the product', async () => {
    const tenant = await aTenant(db)
    const other = await aTenant(db)
    await registry.products.put(tenant.id, 'certifai')
    const named = [tenant.id.toUpperCase(), other.id, tenant.slug].map((id) => event({ group: { id } }))
    const receipt = await submit({ events: named })
    const rows = await Promise.all([0, 1, 2].map((at) => rowOf(receipt, at)))
    expect(rows.map(({ tenant_id }) => tenant_id)).toEqual([tenant.id, null, null])
    expect(rows[0]).toMatchObject({ stream_id: tenant.id, group_id: tenant.id.toUpperCase() })
    await registry.products.remove(tenant.id, 'certifai')
    expect(await rowOf(await submit({ events: named }))).toMatchObject({ tenant_id: tenant.id })
  })

  it('may be named by present and former slugs, where the manifest says so', async () => {
    const tenant = await aTenant(db)
    await registry.products.put(tenant.id, 'compliance')
    const renamed = await registry.tenants.update(tenant.id, { slug: `${tenant.slug}-new` })
    const receipt = await submit({
      product: 'compliance',
      events: [tenant.slug, renamed.slug].map((id) => event({ group: { id } })),
    })
    for (const at of [0, 1])
      expect(await rowOf(receipt, at)).toMatchObject({ stream_id: tenant.id, tenant_id: tenant.id })
    await registry.slugs.release(tenant.slug, { reason: 'test' })
    const later = await submit({ product: 'compliance', events: [event({ group: { id: tenant.slug } })] })
    expect((await rowOf(later)).tenant_id).toBeNull()
  })
})

describe('what is known already', () => {
  it('is filled in, within the product, the environment and the group', async () => {
    const [mine, others] = [newGroup(), newGroup()]
    await submit({
      events: [
        event({
          group: { id: mine, name: 'Mine' },
          actor: { id: 'jane', name: 'Jane', href: 'https://a.example', fields: { role: 'editor', '9': 'x' } },
          target: { id: 'r1', name: 'Report', type: 'report' },
        }),
      ],
    })
    const bare = (group: string) => event({ group: { id: group }, actor: { id: 'jane' }, target: { id: 'r1' } })
    const filled = await submit({ events: [bare(mine)] })
    expect(await rowOf(filled)).toMatchObject({
      group_name: 'Mine',
      actor_name: 'Jane',
      actor_href: 'https://a.example',
      target_name: 'Report',
      target_type: 'report',
    })
    expect((await rowOf(filled)).hash).toEqual(filled.recorded[0]?.hash)
    const nothing = { group_name: null, actor_name: null, actor_href: null, actor_fields: null, target_name: null }
    expect(await rowOf(await submit({ events: [bare(others)] }))).toMatchObject(nothing)
    expect(await rowOf(await submit({ environment: 'test', events: [bare(mine)] }))).toMatchObject(nothing)
    expect(await rowOf(await submit({ product: 'compliance', events: [bare(mine)] }))).toMatchObject(nothing)
  })

  it('is not what is long: a thousand small events that name somebody stay small', async () => {
    const group = newGroup()
    const long = { name: 'n'.repeat(2_000), href: 'https://a.example', fields: { note: 'x'.repeat(100_000) } }
    const first = await submit({ events: [event({ group: { id: group }, actor: { id: 'jane', ...long } })] })
    expect(await rowOf(first)).toMatchObject({ actor_name: long.name, actor_fields: JSON.stringify(long.fields) })
    const events = Array.from({ length: 1_000 }, () => event({ group: { id: group }, actor: { id: 'jane' } }))
    expect(await rowOf(await submit({ events }), 999)).toMatchObject({
      actor_name: null,
      actor_href: 'https://a.example',
      actor_fields: null,
    })
    const again = await submit({ events: [event({ group: { id: group }, actor: { id: 'jane', ...long } })] })
    expect(await rowOf(again)).toMatchObject({ actor_name: long.name })
  })

  it('is written when it differs, and not whenever somebody is named', async () => {
    const group = newGroup()
    const says = async (actor: object) =>
      await submit({ events: [event({ group: { id: group, name: 'G' }, actor: { id: 'seldom', ...actor } })] })
    const versions = async () =>
      (
        await sql<{ kind: string; version: string }>`
          select kind, ctid::text || xmin::text as version from registry.audit_entities
          where entity_id in ('seldom', ${group}) order by kind`.execute(db)
      ).rows
    await says({ name: 'Jane', fields: { b: '1', a: '2' } })
    const written = await versions()
    expect(written.map(({ kind }) => kind)).toEqual(['actor', 'group'])
    for (const same of [{}, { name: 'Jane' }, { name: 'Jane', fields: { b: '1', a: '2' } }]) await says(same)
    expect(await versions()).toEqual(written)
    await says({ name: 'Jane Doe' })
    expect((await versions()).map((row, at) => row.version === written[at]?.version)).toEqual([false, true])
  })

  it('is what was said last, also within one submission, and by many at once', async () => {
    const group = newGroup()
    const says = (name?: string) => event({ group: { id: group }, actor: { id: 'j', ...(name && { name }) } })
    const receipt = await submit({ events: [says('One'), says(), says('Two'), says()] })
    const names = await Promise.all([0, 1, 2, 3].map(async (at) => (await rowOf(receipt, at)).actor_name))
    expect(names).toEqual(['One', 'One', 'Two', 'Two'])
    const second = new Ingest(db, catalogue)
    const ids = Array.from({ length: 30 }, (_, n) => `actor-${n}`)
    await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const order = n % 2 === 0 ? ids : ids.toReversed()
        const events = order.map((id) => event({ group: { id: group }, actor: { id, name: `${id} by ${n}` } }))
        await submit({ events }, n % 2 === 0 ? ingest : second)
      }),
    )
    await second.close()
    expect(await countOf(group)).toBe(604)
  })
})

describe('exactly once', () => {
  it('answers a repetition with the same ids and hashes, from whichever process and at the same time', async () => {
    const group = newGroup()
    const second = new Ingest(db, catalogue)
    const asked = { events: [event({ group: { id: group } }), event({ group: { id: group } })], idempotencyKey: 'k-1' }
    const receipts = await Promise.all(Array.from({ length: 20 }, (_, n) => submit(asked, n % 2 ? ingest : second)))
    await second.close()
    expect(new Set(receipts.map((each) => idsOf(each).join())).size).toBe(1)
    expect(receipts.filter(({ replayed }) => !replayed)).toHaveLength(1)
    expect(receipts.every(({ recorded }) => recorded[0]?.hash.equals(receipts[0]?.recorded[0]?.hash as Buffer))).toBe(
      true,
    )
    expect(await countOf(group)).toBe(2)
  })

  it('refuses other events under the same key, and knows the keys of others apart', async () => {
    const group = newGroup()
    const asked = { events: [event({ group: { id: group } })], idempotencyKey: 'k-2' }
    await submit(asked)
    const other = { ...asked, events: [event({ group: { id: group }, action: 'other.action' })] }
    await expect(submit(other)).rejects.toMatchObject({ code: 'idempotency.key_reused' })
    await expect(submit({ ...other, principal: 'key-2' })).resolves.toMatchObject({ replayed: false })
    expect(await countOf(group)).toBe(2)
  })

  it('forgets after seven days', async () => {
    const group = newGroup()
    const asked = { events: [event({ group: { id: group } })], idempotencyKey: 'k-3' }
    await submit(asked)
    await sql`update registry.audit_dedup set created_at = now() - interval '7 days 1 minute'`.execute(db)
    expect(await submit(asked)).toMatchObject({ replayed: false })
    expect(await submit(asked)).toMatchObject({ replayed: true })
    expect(await countOf(group)).toBe(2)
  })

  it('takes an external_id once where that is asked for, in any submission', async () => {
    const [group, elsewhere] = [newGroup(), newGroup()]
    const numbered = (n: number, id = group) => event({ group: { id }, external_id: `order-${n}` })
    const unique = { uniqueBy: 'external_id' as const }
    const first = await submit({ ...unique, events: [numbered(1), numbered(2), numbered(1)] })
    expect(idsOf(first)[2]).toBe(idsOf(first)[0])
    const again = { ...unique, events: [numbered(2), numbered(3), numbered(1, elsewhere)], idempotencyKey: 'k-4' }
    const second = await submit(again)
    expect(idsOf(second)[0]).toBe(idsOf(first)[1])
    expect([await countOf(group), await countOf(elsewhere)]).toEqual([3, 1])
    expect(await submit(again)).toMatchObject({ replayed: true, recorded: second.recorded })
    const changed = event({ group: { id: group }, external_id: 'order-3', action: 'order.changed' })
    await expect(submit({ ...unique, events: [numbered(4), changed] })).rejects.toMatchObject({
      code: 'audit_event.external_id_reused',
    })
    expect(await countOf(group)).toBe(3)
    // Without being asked for, it is a text like any other.
    await submit({ events: [numbered(1)] })
    expect(await countOf(group)).toBe(4)
  })

  it('takes an external_id of each product and environment, in the log of a tenant that is the same for all', async () => {
    const tenant = await aTenant(db)
    for (const product of ['certifai', 'compliance']) await registry.products.put(tenant.id, product)
    const order = (action: string) => event({ group: { id: tenant.id }, external_id: 'order-1', action })
    const places = (['certifai', 'compliance'] as const).flatMap((product) =>
      (['test', 'live'] as const).map((environment) => ({ product, environment })),
    )
    // What one says is what another one says as well, and then something else.
    for (const place of places) {
      const unique = { ...place, uniqueBy: 'external_id' as const }
      const first = await submit({ ...unique, events: [order('order.made')] })
      expect(await rowOf(first)).toMatchObject({ ...place, stream_id: tenant.id })
      expect(await submit({ ...unique, events: [order('order.made')] })).toEqual(first)
      await expect(submit({ ...unique, events: [order('order.paid')] })).rejects.toMatchObject({
        code: 'audit_event.external_id_reused',
      })
    }
    const recorded = await db
      .selectFrom('audit_log')
      .select(['product', 'environment'])
      .where('external_id', '=', 'order-1')
      .where('stream_id', '=', StreamId.parse(tenant.id))
      .orderBy('stream_seq')
      .execute()
    expect(recorded).toEqual(places)
  })

  it('knows an Idempotency-Key apart from the same one of another product, or in another environment', async () => {
    const asked = { events: [event({ group: { id: newGroup() } })], idempotencyKey: 'k-5' }
    await submit(asked)
    for (const other of [{ product: 'compliance' }, { environment: 'test' as const }]) {
      await expect(submit({ ...asked, ...other })).rejects.toMatchObject({ code: 'idempotency.key_reused' })
    }
  })

  it('takes an external_id once, however many send it at once', async () => {
    const group = newGroup()
    const second = new Ingest(db, catalogue)
    const ids = Array.from({ length: 10 }, (_, n) => `e-${n}`)
    const receipts = await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const order = n % 3 === 0 ? ids.toReversed() : ids
        const events = order.map((external_id) => event({ group: { id: group }, external_id }))
        return await submit({ events, uniqueBy: 'external_id' }, n % 2 ? ingest : second)
      }),
    )
    await second.close()
    expect(new Set(receipts.flatMap(idsOf)).size).toBe(10)
    expect(await countOf(group)).toBe(10)
  })
})

/** Locks the head of a group's stream, until what it answers with ends. */
async function holdStreamOf(group: string): Promise<Client> {
  const blocker = new Client({ connectionString: database.ownerUrl })
  await blocker.connect()
  await blocker.query('begin')
  await blocker.query(
    'select from registry.audit_streams where stream_id = (select stream_id from audit_log where group_id = $1) for update',
    [group],
  )
  return blocker
}

describe('bounds', () => {
  it('leaves a connection of a pool of two to others, whatever it waits for', async () => {
    const group = newGroup()
    await submit({ events: [event({ group: { id: group } })] })
    const small = createDb({ connectionString: database.runtimeUrl, poolSize: 2 })
    const slow = new Ingest(small, catalogue)
    const blocker = await holdStreamOf(group)
    try {
      const waiting: Promise<Receipt>[] = []
      for (let n = 0; n < 3; n += 1) {
        waiting.push(submit({ events: [event({ group: { id: group } })] }, slow))
        await sleep(100)
      }
      expect(await small.selectFrom('tenants').select('id').limit(1).execute()).toBeInstanceOf(Array)
      await blocker.query('rollback')
      await Promise.all(waiting)
    } finally {
      await blocker.end()
      await slow.close()
      await small.destroy()
    }
  })

  it('writes at the same time what is of different logs: behind a batch waits what it shares its log with', async () => {
    const [busy, first, second] = [newGroup(), newGroup(), newGroup()]
    const to = async (group: string) => await submit({ events: [event({ group: { id: group } })] })
    await to(busy)
    const blocker = await holdStreamOf(busy)
    try {
      const writing = to(busy)
      await sleep(2 * ingestBounds.waitMs)
      const waiting = [busy, first, second].map(to)
      await sleep(ingestBounds.gatherMs + 2 * ingestBounds.waitMs)
      await blocker.query('rollback')
      const rows = await Promise.all(waiting.map(async (each) => await transactionOf(await each)))
      expect(rows[1]).toBe(rows[2])
      expect(rows[1]).not.toBe(rows[0])
      await writing
    } finally {
      await blocker.end()
    }
  })

  it('passes nobody over who writes into several logs, of which somebody writes into one', async () => {
    const [busy, log] = [newGroup(), newGroup()]
    const to = async (action: string, ...groups: string[]) =>
      await submit({ events: groups.map((group) => event({ action, group: { id: group } })) })
    await to('before', busy)
    const blocker = await holdStreamOf(busy)
    try {
      const writing = to('writing', busy)
      await sleep(2 * ingestBounds.waitMs)
      const waiting = [to('first', busy, log), to('second', log)]
      await sleep(ingestBounds.gatherMs + 2 * ingestBounds.waitMs)
      await blocker.query('rollback')
      await Promise.all([writing, ...waiting])
    } finally {
      await blocker.end()
    }
    const inLog = db.selectFrom('audit_log').select('action').where('group_id', '=', log).orderBy('stream_seq')
    expect((await inLog.execute()).map(({ action }) => action)).toEqual(['first', 'second'])
  })

  it('waits once, and not for each, for the stream that somebody holds', { timeout: 30_000 }, async () => {
    const [held, free] = [newGroup(), newGroup()]
    await submit({ events: [event({ group: { id: held } })] })
    const blocker = await holdStreamOf(held)
    try {
      const began = performance.now()
      const to = async (group: string) => await submit({ events: [event({ group: { id: group } })] })
      const results = await Promise.allSettled([held, held, held, held, free, held, free].map(to))
      expect(results.map((each) => (each.status === 'fulfilled' ? 'recorded' : each.reason.code))).toEqual(
        [held, held, held, held, free, held, free].map((group) => (group === free ? 'recorded' : 'database.busy')),
      )
      // Five of them would be half a minute.
      expect(performance.now() - began).toBeLessThan(10_000)
    } finally {
      await blocker.end()
    }
    expect(await countOf(held)).toBe(1)
    expect(await countOf(free)).toBe(2)
  })

  it('waits for a stream that somebody holds apart: others are written meanwhile, and it is once that one lets go', async () => {
    const [held, other] = [newGroup(), newGroup()]
    const tenant = await aTenant(db)
    await registry.products.put(tenant.id, 'certifai')
    await submit({ events: [event({ group: { id: held } })] })
    const blocker = await holdStreamOf(held)
    const to = async (group: string) => await submit({ events: [event({ group: { id: group } })] })
    try {
      await blocker.query('select from tenants where id = $1 for update', [tenant.id])
      const stuck = [held, tenant.id].map(to)
      const began = performance.now()
      // As many as have room in the batches, and a log that is new.
      for (let n = 0; n < 10; n += 1) {
        stuck.push(to(held), to(tenant.id))
        await Promise.all([to(other), to(newGroup())])
      }
      expect(performance.now() - began).toBeLessThan(2_500)
      await blocker.query('rollback')
      await Promise.all(stuck)
    } finally {
      await blocker.end()
    }
    // Two are the registry's own, of the tenant and its product.
    expect(await Promise.all([held, tenant.id, other].map(countOf))).toEqual([12, 13, 10])
  })

  it('is slow for no stream that is free again, however long another one is held', async () => {
    const [held, free] = [newGroup(), newGroup()]
    const to = async (...groups: string[]) =>
      await submit({ events: groups.map((group) => event({ group: { id: group } })) })
    await Promise.all([to(held), to(free)])
    const [long, short] = await Promise.all([holdStreamOf(held), holdStreamOf(free)])
    try {
      const stuck = [to(held), to(held, free)]
      const moment = to(free)
      await sleep(2 * ingestBounds.lockMs)
      await short.query('rollback')
      await moment
      for (let n = 0; n < 5; n += 1) {
        stuck.push(to(held), to(held, free))
        const began = performance.now()
        await to(free)
        expect(performance.now() - began).toBeLessThan(2_000)
      }
      await long.query('rollback')
      await Promise.all(stuck)
    } finally {
      await Promise.all([long.end(), short.end()])
    }
    expect([await countOf(held), await countOf(free)]).toEqual([13, 13])
  })

  it('has room for others, however much comes for a stream that somebody holds', { timeout: 30_000 }, async () => {
    const [held, free] = [newGroup(), newGroup()]
    const to = async (group: string, rows = 1) =>
      await submit({ events: Array.from({ length: rows }, () => event({ group: { id: group } })) })
    await to(held)
    const blocker = await holdStreamOf(held)
    try {
      const stuck = [to(held)]
      await sleep(2 * ingestBounds.lockMs)
      const answers: Promise<string>[] = []
      for (let n = 0; n < 2 * ingestBounds.waitingRows; n += 500) {
        answers.push(
          to(held, 500).then(
            () => 'recorded',
            (error) => error.code,
          ),
        )
        if (n % 5_000 === 0) await to(free)
      }
      await sleep(2 * ingestBounds.lockMs)
      await blocker.query('rollback')
      const codes = await Promise.all(answers)
      await Promise.all(stuck)
      expect(new Set(codes)).toEqual(new Set(['recorded', 'database.busy']))
      expect(await countOf(held)).toBe(2 + 500 * codes.filter((code) => code === 'recorded').length)
    } finally {
      await blocker.end()
    }
    expect(await countOf(free)).toBe(8)
  })

  it('says so when too many wait, and loses none of those that it took', async () => {
    const group = newGroup()
    const small = new Ingest(db, catalogue)
    const events = Array.from({ length: 1_000 }, () => event({ group: { id: group } }))
    const results = await Promise.allSettled(
      Array.from({ length: ingestBounds.waitingRows / 1_000 + 10 }, () => submit({ events }, small)),
    )
    const refused = results.filter(({ status }) => status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
    for (const each of refused) expect(each).toMatchObject({ reason: { code: 'audit_event.queue_full' } })
    expect(await countOf(group)).toBe((results.length - refused.length) * 1_000)
    await small.close()
  }, 60_000)

  it('writes what waits before it closes, and then takes nothing', async () => {
    const group = newGroup()
    const closing = new Ingest(db, catalogue)
    const waiting = Promise.all(
      Array.from({ length: 10 }, () => submit({ events: [event({ group: { id: group } })] }, closing)),
    )
    await closing.close()
    expect(await countOf(group)).toBe(10)
    await waiting
    await expect(submit({}, closing)).rejects.toMatchObject({ code: 'service.not_ready' })
  })
})
