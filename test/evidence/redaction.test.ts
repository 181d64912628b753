import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createDb,
  type Db,
  EventId,
  type Finding,
  Ingest,
  newEventId,
  PublishedEvent,
  type Recorded,
  type StreamId,
  streamOf,
  type Submission,
  verifyLog,
  verifyStream,
} from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { aTenantWithProducts } from '../api-keys/keys.ts'
import { keyCatalogue } from '../builders.ts'
import { run } from '../migrations/command.ts'
import { aTransactionPooler } from '../postgres/transaction-pooler.ts'
import { anEvidence, type Evidence, linesOf } from './evidence.ts'

let evidence: Evidence
let owner: Db
let stream: StreamId
beforeEach(async () => {
  evidence = await anEvidence()
  owner = createDb({ connectionString: evidence.database.ownerUrl })
  stream = await evidence.append(5)
  await evidence.append(2, { actor: { id: 'u2', name: 'John' } })
  await evidence.checkpoint()
})
afterEach(async () => {
  await owner.destroy()
  await evidence.close()
})

const command = async (...args: string[]) => await run(args, { DATABASE_URL: evidence.database.ownerUrl })
const why = ['--reason', 'Art. 17', '--by', 'jane@breakpilot.com']
const rows = async (id = stream) =>
  await evidence.db.selectFrom('audit_log').selectAll().where('stream_id', '=', id).orderBy('stream_seq').execute()

describe('what events say of persons', () => {
  it('is gone for good, the chain still verifies, and the log says who erased what and why', async () => {
    const [before] = await rows()
    expect(await command('audit-redact', '--actor', 'u1', '--product', 'certifai', ...why)).toMatchObject({
      code: 0,
      lines: [{ event: 'audit-redact', events: 5, streams: 1, held: [] }],
    })
    const [first, ...others] = await rows()
    expect(first).toEqual({
      ...before,
      ...Object.fromEntries(
        ['actor_id', 'actor_name', 'actor_href', 'actor_fields', 'target_id', 'target_name', 'target_href'].map(
          (name) => [name, null],
        ),
      ),
      ...Object.fromEntries(
        ['target_fields', 'group_name', 'source_ip', 'description', 'external_id', 'fields', 'metadata', 'hash'].map(
          (name) => [name, null],
        ),
      ),
      row_salt: null,
      search: null,
    })
    expect(others.map(({ actor_id }) => actor_id)).toEqual([null, null, null, null, 'u2', 'u2', 'jane@breakpilot.com'])
    const told = others.at(-1)
    expect(told).toMatchObject({ product: 'tenant-registry', action: 'audit_event.redacted', target_id: stream })
    expect(JSON.parse(String(told?.fields))).toEqual({ 'after.events': '5', 'after.stream_seqs': '1-5' })
    expect(JSON.parse(String(told?.metadata))).toEqual({ note: 'Art. 17' })

    await evidence.checkpoint()
    expect(await evidence.findings({ checkpoints: linesOf(evidence.lines) })).toEqual([])
    expect(await verifyStream(evidence.db, stream, {})).toMatchObject({ intact: true, rows: 8, redacted: 5 })
  })

  it('is erased once: doing it again changes nothing', async () => {
    const [first] = await rows()
    const again = async () => await command('audit-redact', '--event', String(first?.id), ...why)
    expect(await again()).toMatchObject({ code: 0, lines: [{ events: 1 }] })
    const after = await rows()
    expect(await again()).toMatchObject({ code: 0, lines: [{ events: 0 }] })
    expect(await rows()).toEqual(after)
  })

  it('that no event tells of the redaction of is found', async () => {
    await evidence.tamper(`
      update audit_log set actor_id = null, actor_name = null, actor_href = null, actor_fields = null, target_id = null,
        target_name = null, target_href = null, target_fields = null, group_name = null, source_ip = null,
        description = null, external_id = null, fields = null, metadata = null, hash = null, row_salt = null
      where stream_id = '${stream}' and stream_seq = 2`)
    expect(await evidence.findings()).toMatchObject([{ code: 'row_erased', stream_seq: 2 }])
  })

  it('stays with what tells of redactions', async () => {
    const [first] = await rows()
    await command('audit-redact', '--event', String(first?.id), ...why)
    const told = (await rows()).at(-1)
    const again = await command('audit-redact', '--actor', 'jane@breakpilot.com', '--stream', stream, ...why)
    expect(again).toMatchObject({ code: 0, lines: [{ events: 0 }] })
    expect((await rows()).at(-1)).toEqual(told)
  })
})

describe('what was acknowledged', () => {
  let ingest: Ingest
  beforeEach(() => {
    ingest = new Ingest(evidence.db, keyCatalogue)
  })
  afterEach(async () => await ingest.close())

  const claims = async () =>
    (
      await sql<{ digest: Buffer; fingerprint: Buffer; event_ids: string[]; hashes: Buffer[] }>`
        select digest, fingerprint, event_ids, hashes from registry.audit_dedup order by digest`.execute(evidence.db)
    ).rows
  const submit = async (actor: string, more: Partial<Submission>) =>
    await ingest.submit({
      principal: 'key-1',
      product: 'certifai',
      environment: 'live',
      events: ['a', 'b'].map((action) =>
        PublishedEvent.parse({ action, crud: 'r', actor: { id: actor }, group: { id: 'acked' } }),
      ),
      ...more,
    })

  it('is no test of a guess at what was erased, and is still known: nothing is recorded once more', async () => {
    const { recorded } = await submit('guessed', { idempotencyKey: 'one' })
    const kept = await submit('other', { idempotencyKey: 'three' })
    const before = await claims()
    const counted = (await evidence.db.selectFrom('audit_log').selectAll().execute()).length
    // One of two: the hash of what was sent together tells of both.
    await command('audit-redact', '--event', String(recorded[0]?.id), ...why)
    const after = await claims()
    const blinded = after.filter(({ event_ids }) => event_ids.includes(String(recorded[0]?.id)))
    expect(blinded.length).toBe(1)
    for (const [at, { digest, event_ids, fingerprint, hashes }] of after.entries()) {
      const was = before[at]
      expect([digest, event_ids]).toEqual([was?.digest, was?.event_ids])
      if (!event_ids.includes(String(recorded[0]?.id))) {
        expect([fingerprint, hashes]).toEqual([was?.fingerprint, was?.hashes])
        continue
      }
      expect(fingerprint.length).toBe(32)
      expect(fingerprint).not.toEqual(was?.fingerprint)
      expect(hashes).toEqual([Buffer.from([0]), Buffer.from([0])])
    }
    await expect(submit('guessed', { idempotencyKey: 'one' })).rejects.toMatchObject({ code: 'idempotency.key_reused' })
    expect(await submit('other', { idempotencyKey: 'three' })).toEqual({ ...kept, replayed: true })
    const again = (await evidence.db.selectFrom('audit_log').selectAll().execute()).length
    // What tells of the redaction, and nothing else.
    expect(again).toBe(counted + 1)
  })

  it('is looked through in no time, also where there is much of it', async () => {
    const group = { id: 'looked-through' }
    const anEvent = PublishedEvent.parse({ action: 'a', crud: 'r', actor: { id: 'often' }, group })
    const events = Array.from({ length: 1_000 }, () => anEvent)
    const { recorded } = await submit('often', { idempotencyKey: 'many', events })
    await evidence.tamper(`
      insert into registry.audit_dedup (digest, fingerprint, event_ids, hashes)
      select sha256(int4send(n)), sha256(''), array[gen_random_uuid(), gen_random_uuid()], array[''::bytea, ''::bytea]
      from generate_series(1, 500000) n`)
    const began = performance.now()
    // The last one of a thousand tells of all of them.
    await command('audit-redact', '--actor', 'often', '--product', 'certifai', ...why)
    expect(performance.now() - began).toBeLessThan(5_000)
    const { rows: blinded } = await evidence.read(
      `select distinct encode(hash, 'hex') as hash from registry.audit_dedup, unnest(hashes) hash
       where event_ids[1000] = '${recorded.at(-1)?.id}'`,
    )
    expect(blinded).toEqual([{ hash: '00' }])
  })

  it('is no test of a guess either where the log stands ahead of the clock, or where nobody cleaned for weeks', async () => {
    await submit('ahead', {})
    await evidence.tamper(`update registry.audit_streams set last_received_at = now() + interval '20 days'`)
    const { recorded } = await submit('ahead', { idempotencyKey: 'ahead' })
    await command('audit-redact', '--event', String(recorded[0]?.id), ...why)
    expect((await claims()).flatMap(({ hashes }) => hashes)).toEqual([Buffer.from([0]), Buffer.from([0])])

    const old = Date.now() - 20 * 86_400_000
    const id = EventId.parse(
      old
        .toString(16)
        .padStart(12, '0')
        .replace(/(.{8})/, '$1-') + newEventId().slice(13),
    )
    await evidence.append(1, { id, actor: { id: 'old' } })
    await evidence.tamper(`delete from registry.audit_dedup`)
    await evidence.tamper(
      `insert into registry.audit_dedup (digest, fingerprint, event_ids, hashes, created_at)
       values (sha256('x'), sha256('y'), array[$1::uuid], array['z'::bytea], $2)`,
      [id, new Date(old)],
    )
    await command('audit-redact', '--event', id, ...why)
    expect((await claims()).flatMap(({ hashes }) => hashes)).toEqual([Buffer.from([0])])
  })

  it('by an external id is refused as well, whoever sends the same once more', async () => {
    const send = async () =>
      await ingest.submit({
        principal: 'key-1',
        product: 'certifai',
        environment: 'live',
        uniqueBy: 'external_id',
        events: [
          PublishedEvent.parse({
            action: 'a',
            crud: 'r',
            actor: { id: 'guessed' },
            group: { id: 'acked' },
            external_id: 'order-1',
          }),
        ],
      })
    const first = await send()
    expect(await send()).toEqual(first)
    expect(await command('audit-redact', '--actor', 'guessed', '--product', 'certifai', ...why)).toMatchObject({
      code: 0,
      lines: [{ events: 1 }],
    })
    expect((await claims()).flatMap(({ hashes }) => hashes)).toEqual([Buffer.from([0])])
    await expect(send()).rejects.toMatchObject({ code: 'audit_event.external_id_reused' })
  })
})

it('a stream under a legal hold is refused before anything is changed, and left out where that is asked for', async () => {
  await evidence.tamper(`insert into registry.legal_holds (stream_id, reason, by) values ($1, 'lawsuit', 'test')`, [
    stream,
  ])
  const before = await rows()
  const held = await command('audit-redact', '--actor', 'u1', '--product', 'certifai', ...why)
  expect(held).toMatchObject({ code: 1, error: { code: 'failed', message: expect.stringContaining(stream) } })
  await expect(
    evidence.tamper('select registry.redact_audit_events($1, $2)', [stream, [before[0]?.id]]),
  ).rejects.toThrow('legal hold')
  const others = await command('audit-redact', '--actor', 'u1', '--product', 'certifai', '--skip-held', ...why)
  expect(others).toMatchObject({ code: 0, lines: [{ events: 0, held: [stream] }] })
  expect(await rows()).toEqual(before)
})

it('the server’s own role cannot redact', async () => {
  const [first] = await rows()
  const done = await run(['audit-redact', '--event', String(first?.id), ...why], {
    DATABASE_URL: evidence.database.runtimeUrl,
  })
  expect(done.code).toBe(1)
  expect((await rows())[0]).toEqual(first)
})

it.each([
  ['no event, actor or target', []],
  ['an actor of anywhere', ['--actor', 'u1']],
  ['two of them', ['--actor', 'u1', '--target', 't1', '--product', 'certifai']],
  ['an event that is no UUID', ['--event', 'nonsense']],
])('refuses %s', async (_, args) => {
  expect(await command('audit-redact', ...args, ...why)).toMatchObject({ code: 2, error: { code: 'usage' } })
})

it('refuses somebody whose name the log has no room for, and says so', async () => {
  const by = ['--by', 'é'.repeat(513)]
  expect(await command('audit-redact', '--actor', 'u1', '--product', 'certifai', '--reason', 'x', ...by)).toMatchObject(
    {
      code: 2,
      error: { code: 'usage', message: expect.stringContaining('1024 bytes') },
    },
  )
})

/** Where somebody does something. */
interface Where {
  readonly group?: string
  readonly groupName?: string
  readonly product?: string
  readonly by?: Ingest
}

describe('what is remembered of somebody', () => {
  let ingest: Ingest
  beforeEach(() => {
    ingest = new Ingest(evidence.db, keyCatalogue)
  })
  afterEach(async () => await ingest.close())

  /** Jane does something to herself. */
  const publish = async (jane: object, { group = 'g', product = 'certifai', groupName, by = ingest }: Where = {}) => {
    const event = { action: 'a', crud: 'r', actor: { id: 'jane', ...jane }, target: { id: 'jane', ...jane } }
    const events = [PublishedEvent.parse({ ...event, group: { id: group, name: groupName } })]
    const { recorded } = await by.submit({ principal: 'key-1', product, environment: 'live', events })
    return (recorded[0] as Recorded).id
  }
  const named = async (id: EventId) =>
    await evidence.db
      .selectFrom('audit_log')
      .select(['actor_name', 'target_name', 'group_name'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
  const known = async () =>
    await evidence.db
      .selectFrom('registry.audit_entities')
      .select(['kind', 'entity_id', 'name'])
      .orderBy('kind')
      .execute()
  const redact = async (...args: string[]) => {
    const { code, lines } = await command('audit-redact', ...args, ...why)
    expect(code).toBe(0)
    return lines[0]
  }
  const jane = { name: 'Jane Doe' }
  const ofProduct = ['--product', 'certifai']

  it('goes with the event that said it, and is filled into none that comes later', async () => {
    const id = await publish(jane, { groupName: "Jane's" })
    expect(await named(await publish({}))).toMatchObject({ actor_name: 'Jane Doe', group_name: "Jane's" })
    expect(await redact('--event', id)).toMatchObject({ events: 1, forgotten: 3 })
    expect(await known()).toEqual([])
    expect(await named(await publish({}))).toEqual({ actor_name: null, target_name: null, group_name: null })
  })

  it('goes also where no event of it is left: redacted by itself, or gone with its month', async () => {
    const id = await publish(jane, { group: 'one' })
    await publish(jane, { group: 'two' })
    // As before what it named was forgotten with an event.
    await evidence.tamper(`create table was as select * from registry.audit_entities`)
    await redact('--event', id)
    await evidence.tamper(`insert into registry.audit_entities select * from was on conflict do nothing`)
    await evidence.tamper(`delete from audit_log where group_id = 'two'`)
    expect(await redact('--actor', 'jane', ...ofProduct)).toMatchObject({ events: 0, forgotten: 2 })
    expect(await redact('--target', 'jane', ...ofProduct)).toMatchObject({ events: 0, forgotten: 2 })
    expect(await known()).toEqual([])
  })

  it('is not who saved a search any more, which stays', async () => {
    const saved = async (product: string, group_id: string, saved_by: string) =>
      await sql`insert into registry.audit_exports (id, product, environment, group_id, name, body, saved_by)
        values (gen_random_uuid(), ${product}, 'live', ${group_id}, 'all', '{"version": 1}', ${saved_by})`.execute(
        owner,
      )
    await saved('certifai', 'g', 'u1')
    await saved('certifai', 'h', 'u1')
    await saved('certifai', 'h', 'u2')
    await saved('compliance', 'g', 'u1')
    const savers = async () => {
      const found = await evidence.db.selectFrom('registry.audit_exports').selectAll().orderBy('saved_at').execute()
      return found.map(({ product, group_id, saved_by }) => `${product} ${group_id} ${saved_by}`).toSorted()
    }
    const ofGroup = streamOf({ tenant_id: null, product: 'certifai', environment: 'live', group_id: 'g' })
    expect((await command('audit-redact', '--actor', 'u1', '--stream', ofGroup, ...why)).code).toBe(0)
    expect(await savers()).toEqual(['certifai g null', 'certifai h u1', 'certifai h u2', 'compliance g u1'])
    expect((await command('audit-redact', '--actor', 'u1', '--product', 'certifai', ...why)).code).toBe(0)
    expect(await savers()).toEqual(['certifai g null', 'certifai h null', 'certifai h u2', 'compliance g u1'])
  })

  it('stays where the same id is somebody else: of another product, or in another stream', async () => {
    const tenant = await aTenantWithProducts(evidence.db, ['certifai', 'compliance'])
    for (const group of [tenant.id, tenant.slug, 'g']) {
      for (const product of ['certifai', 'compliance']) await publish(jane, { group, product })
    }
    const actors = async () => (await known()).filter(({ kind }) => kind === 'actor').length
    expect(await actors()).toBe(6)
    const left = async () => {
      const rows = []
      for (const group of [tenant.id, tenant.slug, 'g']) {
        for (const product of ['certifai', 'compliance']) {
          rows.push([group, product, (await named(await publish({}, { group, product }))).actor_name])
        }
      }
      return rows.filter(([, , name]) => name !== null).map(([group, product]) => [group, product])
    }
    expect(await redact('--actor', 'jane', ...ofProduct)).toMatchObject({ forgotten: 3 })
    expect(await left()).toEqual([tenant.id, tenant.slug, 'g'].map((group) => [group, 'compliance']))
    expect(await redact('--actor', 'jane', '--stream', tenant.id)).toMatchObject({ forgotten: 2 })
    expect(await left()).toEqual([['g', 'compliance']])
  })

  it('is in no event that was being written, and is not remembered again by one', async () => {
    await publish(jane)
    const blocker = new Client({ connectionString: evidence.database.ownerUrl })
    await blocker.connect()
    // Has no connection with which it could wait apart: it waits where it has begun to write.
    const small = createDb({ connectionString: evidence.database.runtimeUrl, poolSize: 2 })
    const by = new Ingest(small, keyCatalogue)
    try {
      // Both have looked at what is known, and wait for the head of their stream.
      await blocker.query('begin')
      await blocker.query(`select from registry.audit_streams for update`)
      const writing = [publish({}, { by }), publish({ href: 'https://example.org/jane' }, { by })]
      await expectWaiting('ShareLock')
      const redacting = redact('--actor', 'jane', ...ofProduct)
      await expectWaiting('AccessExclusiveLock')
      // Looks after it, and so finds nothing.
      const later = publish({})
      await blocker.query('rollback')
      const ids = await Promise.all(writing)
      expect(await redacting).toMatchObject({ forgotten: 1 })
      for (const id of ids) expect((await named(id)).actor_name).toBeNull()
      expect((await named(await later)).actor_name).toBeNull()
      expect((await known()).filter(({ kind }) => kind === 'actor')).toEqual([])
    } finally {
      await blocker.end()
      await by.close()
      await small.destroy()
    }
  })
})

/** Waits until somebody waits for a lock of this mode; for a row that somebody else has locked, it is `ShareLock`. */
async function expectWaiting(mode: string): Promise<void> {
  const waiting = async () =>
    await sql`
      select from pg_locks lock join pg_stat_activity activity on activity.pid = lock.pid
      where activity.datname = current_database() and not lock.granted and lock.mode = ${mode}`.execute(owner)
  await expect.poll(async () => (await waiting()).rows.length, { timeout: 5_000 }).toBeGreaterThan(0)
}

/** The same database, where something happens as soon as it has been read what was redacted. */
function afterRedactionsAreRead(db: Db, happens: () => Promise<unknown>): Db {
  const asking = new WeakSet<object>()
  let isDone = false
  return db.withPlugin({
    transformQuery({ node, queryId }) {
      if (JSON.stringify(node).includes('after.stream_seqs')) asking.add(queryId)
      return node
    },
    async transformResult({ result, queryId }) {
      if (asking.has(queryId) && !isDone) {
        isDone = true
        await happens()
      }
      return result
    },
  })
}

describe('a redaction while the log is verified', () => {
  const redactOne = async () => {
    const [first] = await rows()
    expect(await command('audit-redact', '--event', String(first?.id), ...why)).toMatchObject({ code: 0 })
  }

  it('is no finding of a stream', async () => {
    const db = afterRedactionsAreRead(evidence.db, redactOne)
    expect(await verifyStream(db, stream, {})).toMatchObject({ intact: true, findings: [], redacted: 1 })
  })

  it('is no finding of the whole log', async () => {
    const found: Finding[] = []
    const db = afterRedactionsAreRead(evidence.db, redactOne)
    const { redacted } = await verifyLog(db, { report: (each) => found.push(each) })
    expect({ redacted, found }).toEqual({ redacted: 1, found: [] })
  })
})

describe('audit-verify', () => {
  const aFile = (name: string, text: string): string => {
    const folder = mkdtempSync(join(tmpdir(), 'audit-verify-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const files = () => [
    '--public-key',
    aFile('keys.pem', evidence.key.publicKey.pem),
    '--checkpoints',
    aFile('server.log', `{"msg":"listening"}\n${evidence.lines.join('\n')}\n`),
  ]

  it('ends with 0 when everything is as it was written, and says how much that was', async () => {
    await evidence.append(1)
    const { code, lines } = await command('audit-verify', ...files())
    expect({ code, lines }).toMatchObject({
      code: 0,
      lines: [
        {
          event: 'audit-verify',
          findings: 0,
          rows: 8,
          streams: 1,
          checkpoints: 1,
          checkpoints_in_lines: 1,
          uncertified_rows: 1,
          keys: 'given',
        },
      ],
    })
  })

  it('reads all pages of a long log behind a pooler that forgets statements', async () => {
    await evidence.append(700)
    const pooler = await aTransactionPooler(evidence.database.ownerUrl, 4)
    onTestFinished(async () => pooler.close())
    const { code, lines } = await run(['audit-verify'], { DATABASE_URL: pooler.url })
    expect({ code, lines }).toMatchObject({ code: 0, lines: [{ event: 'audit-verify', findings: 0, rows: 707 }] })
  })

  it('ends with 1 and names the row when one is not', async () => {
    await evidence.tamper(`delete from audit_log where stream_id = '${stream}' and stream_seq = 3`)
    const { code, lines, error } = await command('audit-verify', ...files())
    expect(code).toBe(1)
    expect(lines).toMatchObject([
      { event: 'finding', code: 'row_removed', stream_id: stream, stream_seq: 3 },
      { event: 'audit-verify', findings: 1 },
    ])
    expect(error).toMatchObject({ code: 'failed' })
  })

  it.each([
    ['a file of keys that has none', ['--public-key', '/dev/null']],
    ['a log that is not there', ['--checkpoints', '/nowhere']],
    ['a stream that is none', ['--stream', 'nonsense']],
  ])('refuses %s', async (_, args) => {
    expect(await command('audit-verify', ...args)).toMatchObject({ code: 2, error: { code: 'usage' } })
  })
})

it('a long stream is verified over several calls, each from where the one before ended', async () => {
  await evidence.append(40)
  await evidence.checkpoint()
  let cursor: string | undefined
  const ends: number[] = []
  do {
    const part = await verifyStream(evidence.db, stream, { limit: 15, cursor })
    expect(part.intact).toBe(true)
    ends.push(part.to_seq)
    cursor = part.next_cursor ?? undefined
  } while (cursor !== undefined)
  expect(ends).toEqual([15, 30, 45, 47])
  await evidence.tamper(`update audit_log set action = 'other' where stream_id = '${stream}' and stream_seq = 33`)
  const first = await verifyStream(evidence.db, stream, { limit: 30 })
  expect(first).toMatchObject({ intact: true, to_seq: 30 })
  const second = await verifyStream(evidence.db, stream, { cursor: first.next_cursor ?? undefined })
  expect(second).toMatchObject({ intact: false, to_seq: 32, findings: [{ code: 'row_edited', stream_seq: 33 }] })
})
