import {
  type AppendedEvent,
  appendEvents,
  assignProduct,
  audited,
  chainHash,
  changed,
  createDb,
  type Db,
  genesisHash,
  housekeeping,
  type NewAuditEvent,
  personalDigest,
  retracedHash,
  Slug,
  type StreamId,
  streamOf,
  type Tenant,
  unchanged,
} from '@breakpilot/tenant-core'
import { CompiledQuery } from 'kysely'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { aTenant, testActor, testCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

let database: TestDatabase
let db: Db

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl, poolSize: 12 })
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

const event = (fields: Partial<NewAuditEvent> = {}): NewAuditEvent => ({
  tenant_id: null,
  product: 'certifai',
  environment: 'live',
  action: 'report.opened',
  crud: 'r',
  group: { id: 'group-1' },
  actor: { id: 'u1' },
  ...fields,
})

const streamOfTenant = ({ id }: Tenant) =>
  streamOf({ tenant_id: id, product: 'tenant-registry', environment: 'live', group_id: id })

function streamIdOf(appended: AppendedEvent | undefined): StreamId {
  if (!appended) throw new Error('nothing was appended')
  return appended.stream_id
}

const append = (...events: NewAuditEvent[]) => housekeeping(db, (tx) => appendEvents(tx, events))

/** A stream as it is stored, in the order of its places. */
async function readStream(streamId: StreamId) {
  return db.selectFrom('audit_log').selectAll().where('stream_id', '=', streamId).orderBy('stream_seq').execute()
}

/** Follows a stream from its beginning, computing every link anew. */
async function verify(streamId: StreamId): Promise<number> {
  let previous = genesisHash
  const rows = await readStream(streamId)
  for (const [index, row] of rows.entries()) {
    if (row.row_salt === null) throw new Error('nothing is redacted here')
    const digest = personalDigest(row.row_salt, row)
    expect(row).toMatchObject({ stream_seq: index + 1, prev_hash: previous, personal_digest: digest })
    expect(row.chain_hash).toEqual(chainHash(previous, digest, row))
    previous = row.chain_hash
  }
  const head = await db
    .selectFrom('registry.audit_streams')
    .selectAll()
    .where('stream_id', '=', streamId)
    .executeTakeFirst()
  expect(head?.last_hash ?? genesisHash).toEqual(previous)
  expect(head?.last_seq ?? 0).toBe(rows.length)
  return rows.length
}

describe('appendEvents', () => {
  it('stores every field as it was sent, maps in their order, and absent as absent', async () => {
    const sent = event({
      tenant_id: null,
      group: { id: 'g-fields', name: 'Group "1"' },
      actor: {
        id: 'u:1',
        name: 'Ünï',
        href: 'https://example.org/u1',
        fields: [
          ['10', 'a'],
          ['2', 'b'],
          ['__proto__', 'c'],
        ],
      },
      target: { id: 't1', name: 'T', href: 'h', type: 'report', fields: [] },
      created_at: new Date('2020-02-29T12:34:56.789Z'),
      source_ip: '2001:DB8::1',
      description: 'line\nline \\ "quoted" {braces}',
      component: 'web',
      version: '1.2.3',
      external_id: 'ext',
      is_anonymous: false,
      is_failure: true,
      fields: [
        ['quality', '"high", {,}'],
        ['record_id', 'NULL'],
      ],
      metadata: [['constructor', '\\']],
    })
    const [appended] = await append(sent)
    const [row] = await readStream(streamIdOf(appended))
    const { id, received_at, row_salt, personal_digest, chain_hash, prev_hash, hash, search, ...stored } = row ?? {}
    expect(stored).toEqual({
      stream_id: streamOf({ tenant_id: null, product: 'certifai', environment: 'live', group_id: 'g-fields' }),
      stream_seq: 1,
      canonical_at: sent.created_at,
      created_at: sent.created_at,
      tenant_id: null,
      product: 'certifai',
      environment: 'live',
      action: 'report.opened',
      crud: 'r',
      group_id: 'g-fields',
      group_name: 'Group "1"',
      actor_id: 'u:1',
      actor_name: 'Ünï',
      actor_href: 'https://example.org/u1',
      actor_fields: '{"10":"a","2":"b","__proto__":"c"}',
      target_id: 't1',
      target_name: 'T',
      target_href: 'h',
      target_type: 'report',
      target_fields: '{}',
      source_ip: '2001:DB8::1',
      description: 'line\nline \\ "quoted" {braces}',
      component: 'web',
      version: '1.2.3',
      external_id: 'ext',
      is_anonymous: false,
      is_failure: true,
      fields: '{"quality":"\\"high\\", {,}","record_id":"NULL"}',
      metadata: '{"constructor":"\\\\"}',
      chain_version: 1,
    })
    expect(hash).toEqual(
      retracedHash({
        id: String(id).replaceAll('-', ''),
        action: 'report.opened',
        target_id: 't1',
        actor_id: 'u:1',
        group_id: 'g-fields',
        source_ip: '2001:DB8::1',
        is_failure: true,
        is_anonymous: false,
        fields: sent.fields,
        external_id: 'ext',
        metadata: sent.metadata,
      }),
    )

    const { actor: _, ...anonymous } = event({ group: { id: 'g-bare' } })
    const [bare] = await append({ ...anonymous, is_anonymous: true })
    expect((await readStream(streamIdOf(bare)))[0]).toMatchObject({
      created_at: null,
      actor_id: null,
      actor_fields: null,
      target_id: null,
      fields: null,
      metadata: null,
      is_anonymous: true,
      is_failure: null,
      external_id: null,
    })
  })

  it('links every event to the one before it in its stream, over several transactions and streams', async () => {
    const streams = ['chain-a', 'chain-b', 'chain-c']
    for (let round = 0; round < 4; round += 1) {
      await append(...[...streams, ...streams].map((id) => event({ group: { id } })))
    }
    for (const group_id of streams) {
      expect(await verify(streamOf({ tenant_id: null, product: 'certifai', environment: 'live', group_id }))).toBe(8)
    }
  })

  it('keeps every chain whole when writers meet on the same streams, in whatever order they name them', async () => {
    const groups = ['meet-1', 'meet-2', 'meet-3', 'meet-4']
    await Promise.all(
      Array.from({ length: 40 }, async (_, writer) => {
        const rotated = [...groups.slice(writer % 4), ...groups.slice(0, writer % 4)]
        await append(...rotated.map((id) => event({ group: { id }, actor: { id: `writer-${writer}` } })))
      }),
    )
    for (const group_id of groups) {
      expect(await verify(streamOf({ tenant_id: null, product: 'certifai', environment: 'live', group_id }))).toBe(40)
    }
  })

  it('keeps the chain whole when many writers meet on one new stream, with a tenant and without', async () => {
    const tenant = await aTenant(db)
    const alone = streamOf({ tenant_id: null, product: 'certifai', environment: 'live', group_id: 'alone' })
    await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        n % 2 === 0
          ? append(event({ group: { id: 'alone' } }))
          : append(event({ tenant_id: tenant.id, group: { id: tenant.id } })),
      ),
    )
    expect(await verify(alone)).toBe(30)
    expect(await verify(streamOfTenant(tenant))).toBe(31)
  })

  it('does not wait in a circle with who changes the tenant meanwhile', async () => {
    const tenant = await aTenant(db)
    const rename = (n: number) =>
      audited(db, testActor, async (tx) => {
        // The slug is a key: this lock and the one that the log's foreign key takes exclude each other.
        await tx
          .updateTable('tenants')
          .set({ slug: Slug.parse(`renamed-${n}`) })
          .where('id', '=', tenant.id)
          .execute()
        return changed(undefined, {
          action: 'tenant.renamed',
          crud: 'u',
          tenant,
          target: { id: tenant.id, type: 'tenant' },
        })
      })
    const ingest = () => append(event({ tenant_id: tenant.id, group: { id: tenant.id } }))
    const product = ['certifai', 'compliance'] as const
    const assign = (n: number) =>
      assignProduct(db, testActor, testCatalogue, tenant.id, product[(n >> 2) % 2] ?? 'certifai')
    await Promise.all(
      Array.from({ length: 80 }, (_, n) => (n % 4 === 0 ? rename(n) : n % 4 === 1 ? assign(n) : ingest())),
    )
    // One when it was made, twenty renames, two products that were new, forty ingested.
    expect(await verify(streamOfTenant(tenant))).toBe(63)
  })

  it('never lets received_at run backwards in a stream, even if the clock does', async () => {
    const stream = streamOf({ tenant_id: null, product: 'certifai', environment: 'live', group_id: 'clock' })
    await append(event({ group: { id: 'clock' } }))
    const ahead = new Date(Date.now() + 86_400_000)
    // The head as a machine whose clock is a day ahead would have left it.
    await appendWithHead(stream, ahead)
    await append(event({ group: { id: 'clock' } }))
    const rows = await readStream(stream)
    expect(rows.map((row) => row.received_at.getTime())).toEqual(
      rows.map((row) => row.received_at.getTime()).toSorted((a, b) => a - b),
    )
    expect(rows.at(-1)?.received_at).toEqual(ahead)
  })

  it('leaves nothing of a transaction that fails: no event, no step of the head', async () => {
    const failing = housekeeping(db, async (tx) => {
      await appendEvents(tx, [event({ group: { id: 'rolled-back' } })])
      throw new Error('after the append')
    })
    await expect(failing).rejects.toThrow('after the append')
    expect(
      await verify(streamOf({ tenant_id: null, product: 'certifai', environment: 'live', group_id: 'rolled-back' })),
    ).toBe(0)
  })

  it('finds an event by its words, its exact action and its stream', async () => {
    const [appended] = await append(
      event({ group: { id: 'words' }, action: 'Audit.Log-1.view', description: 'blue whale' }),
    )
    const found = async (query: string) => {
      const { rows } = await db.executeQuery<{ found: boolean }>(
        CompiledQuery.raw(`select search @@ $2::tsquery as found from audit_log where id = $1`, [appended?.id, query]),
      )
      return rows[0]?.found
    }
    expect(await found('whale')).toBe(true)
    expect(await found(`'audit.log-1.view'`)).toBe(true)
    expect(await found(`'${appended?.stream_id}'`)).toBe(true)
    expect(await found('wha')).toBe(false)
  })

  it('moves a head in place, however often', async () => {
    const own = await migratedDatabase()
    onTestFinished(async () => own.drop())
    const writer = createDb({ connectionString: own.runtimeUrl, poolSize: 1 })
    for (let n = 0; n < 200; n += 1) await housekeeping(writer, (tx) => appendEvents(tx, [event()]))
    await writer.destroy()
    const admin = new Client({ connectionString: own.adminUrl })
    onTestFinished(async () => admin.end())
    await admin.connect()
    const updates = async () => {
      const { rows } = await admin.query<{ all: number; elsewhere: number }>(
        `select n_tup_upd::integer as all, (n_tup_upd - n_tup_hot_upd)::integer as elsewhere
         from pg_stat_user_tables where relid = 'registry.audit_streams'::regclass`,
      )
      return rows[0]
    }
    // Counted when the writer's session has ended.
    await vi.waitFor(async () => expect((await updates())?.all).toBe(200), { timeout: 10_000, interval: 50 })
    // The first one, and where ten seconds are over.
    expect((await updates())?.elsewhere).toBeLessThan(10)
  })

  it('writes nothing for no events', async () => {
    expect(await append()).toEqual([])
  })

  async function appendWithHead(stream: StreamId, at: Date) {
    const admin = new Client({ connectionString: database.ownerUrl })
    await admin.connect()
    await admin.query('update registry.audit_streams set last_received_at = $2 where stream_id = $1', [stream, at])
    await admin.end()
  }
})

describe('audited', () => {
  it('commits a change and its event together, in the tenant stream, with who did it', async () => {
    const tenant = await aTenant(db, { name: 'Together' })
    const rows = await readStream(streamOfTenant(tenant))
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({
      tenant_id: tenant.id,
      stream_id: tenant.id,
      product: 'tenant-registry',
      action: 'tenant.created',
      crud: 'c',
      group_id: tenant.id,
      group_name: 'Together',
      actor_id: testActor.id,
      actor_fields: '{"role":"script"}',
      target_id: tenant.id,
      target_type: 'tenant',
    })
    expect(JSON.parse(rows[0]?.fields ?? '')).toMatchObject({ 'after.slug': tenant.slug, 'after.status': 'trial' })
    expect(await verify(streamOfTenant(tenant))).toBe(1)
  })

  it('leaves neither change nor event when the event cannot be written', async () => {
    const tenant = await aTenant(db)
    const before = await counts()
    const failing = audited(db, testActor, async (tx) => {
      await tx.updateTable('tenants').set({ name: 'Never' }).where('id', '=', tenant.id).execute()
      // Longer than the log takes: the insert of the event fails, after the change was made.
      return changed(undefined, {
        action: `tenant.${'x'.repeat(2000)}`,
        crud: 'u',
        tenant,
        target: { id: tenant.id, type: 'tenant' },
      })
    })
    await expect(failing).rejects.toThrow(/audit_term/)
    expect(await counts()).toEqual(before)
    const [row] = await db.selectFrom('tenants').select('name').where('id', '=', tenant.id).execute()
    expect(row?.name).toBe(tenant.name)
  })

  it('writes nothing for a change that was none', async () => {
    const before = await counts()
    expect(await audited(db, testActor, async () => unchanged('as it was'))).toBe('as it was')
    expect(await counts()).toEqual(before)
  })

  it('keeps the event, its stream and its chain when the tenant goes', async () => {
    const tenant = await aTenant(db)
    await db.deleteFrom('tenants').where('id', '=', tenant.id).execute()
    const [row] = await readStream(streamOfTenant(tenant))
    expect(row).toMatchObject({ tenant_id: null, stream_id: tenant.id, group_id: tenant.id })
    expect(await verify(streamOfTenant(tenant))).toBe(1)
  })

  async function counts() {
    const count = async (table: 'tenants' | 'audit_log' | 'registry.audit_streams') =>
      (
        await db
          .selectFrom(table)
          .select((eb) => eb.fn.countAll<number>().as('n'))
          .executeTakeFirstOrThrow()
      ).n
    return {
      tenants: await count('tenants'),
      events: await count('audit_log'),
      heads: await count('registry.audit_streams'),
    }
  }
})

describe('the role of the server', () => {
  it('cannot change or delete an event, nor reach a partition', async () => {
    const tenant = await aTenant(db)
    await expect(
      db.updateTable('audit_log').set({ action: 'x' }).where('stream_id', '=', streamOfTenant(tenant)).execute(),
    ).rejects.toThrow(/permission denied/)
    await expect(db.deleteFrom('audit_log').where('stream_id', '=', streamOfTenant(tenant)).execute()).rejects.toThrow(
      /permission denied/,
    )
    const month = new Date().toISOString().slice(0, 7).replace('-', '_')
    await expect(db.executeQuery(CompiledQuery.raw(`select 1 from registry.audit_log_${month}`))).rejects.toThrow(
      /permission denied/,
    )
  })
})
