import {
  createCatalogue,
  createDb,
  type Db,
  everything,
  Ingest,
  listEvents,
  PublishedEvent,
  RecordedEventQuery,
} from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Last } from '../../packages/core/src/db/database.ts'
import { type HousekeepingTx, unwrap } from '../../packages/core/src/db/handles.ts'
import { pipelined } from '../../packages/core/src/db/pipelined.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { aRelay, type Relay } from '../postgres/relay.ts'

let database: TestDatabase
let relay: Relay
let db: Db
/** Whoever else is there. */
let other: Db

beforeAll(async () => {
  database = await migratedDatabase()
  relay = await aRelay(database.runtimeUrl)
  db = createDb({ connectionString: relay.url, poolSize: 1 })
  other = createDb({ connectionString: database.runtimeUrl, poolSize: 1 })
})
afterAll(async () => {
  await db.destroy()
  await other.destroy()
  await relay.close()
  await database.drop()
})

const digestOf = (text: string) => Buffer.from(text.padEnd(32, '.'))
const claiming = (tx: HousekeepingTx, text: string) =>
  sql`insert into registry.audit_dedup (digest, fingerprint, event_ids, hashes)
    values (${digestOf(text)}, ${digestOf(text)}, '{}', '{}')`.compile(unwrap(tx))
const claimed = async (tx: HousekeepingTx, text: string) => await unwrap(tx).executeQuery(claiming(tx, text))
/** How many were claimed by this test. */
const countOf = async (tx: HousekeepingTx, first: number): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from registry.audit_dedup
    where convert_from(digest, 'utf8') like ${`order ${first} %`}`.execute(unwrap(tx))
  return rows[0]?.count ?? 0
}
const isThere = async (text: string) =>
  (await sql`select from registry.audit_dedup where digest = ${digestOf(text)}`.execute(other)).rows.length > 0
const one = async (tx: HousekeepingTx) => await sql<{ one: number }>`select 1 as one`.execute(unwrap(tx))
/** The session that a statement runs on, and the transaction that it is in. */
const whereOf = async (tx: HousekeepingTx) => {
  const { rows } = await sql<{ session: number; since: Date }>`
    select pg_backend_pid() as session, now() as since`.execute(unwrap(tx))
  return rows[0]
}
const usable = async () => {
  expect((await sql`select 1`.execute(db)).rows).toHaveLength(1)
}

describe('pipelined', () => {
  it('asks in one transaction, and answers once that is committed', async () => {
    const answer = await pipelined(db, async (tx) => {
      const [first, second] = await Promise.all([whereOf(tx), whereOf(tx)])
      expect(second?.session).toBe(first?.session)
      expect(second?.since).toEqual(first?.since)
      return { last: claiming(tx, 'committed'), answer: 'done' }
    })
    expect(answer).toBe('done')
    expect(await isThere('committed')).toBe(true)
  })

  it('has begun before its first statement writes, also where that is its last', async () => {
    expect(
      await pipelined(db, async (tx) => await Promise.resolve({ last: claiming(tx, 'only'), answer: 'done' })),
    ).toBe('done')
    expect(await isThere('only')).toBe(true)
    // What no PostgreSQL refuses, a pooler may.
    const works: ((tx: HousekeepingTx) => Promise<Last<unknown>>)[] = [
      async (tx: HousekeepingTx) => ({ answer: [await claimed(tx, 'outside')] }),
      async (tx: HousekeepingTx) => ({ answer: await Promise.all([one(tx), claimed(tx, 'outside')]) }),
      async (tx: HousekeepingTx) => await Promise.resolve({ last: claiming(tx, 'outside'), answer: [] }),
    ]
    for (const work of works) {
      relay.garble('begin')
      await expect(pipelined(db, work)).rejects.toThrow('syntax error')
      expect(await isThere('outside')).toBe(false)
    }
    await usable()
  })

  it('waits for answers only where it is told to', async () => {
    await usable()
    const before = relay.turns
    await pipelined(db, async (tx) => {
      await Promise.all([one(tx), one(tx), one(tx)])
      return { last: claiming(tx, 'quick'), answer: undefined }
    })
    expect(relay.turns - before).toBe(2)
    expect(await isThere('quick')).toBe(true)
  })

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])('sends first what is asked first, %i steps before the next', async (steps) => {
    const shown = await pipelined(db, async (tx) => {
      const set = sql`select set_config('enable_sort', 'off', true)`.execute(unwrap(tx))
      for (let step = 0; step < steps; step += 1) await Promise.resolve()
      const { rows } = await sql<{ sort: string }>`select current_setting('enable_sort') as sort`.execute(unwrap(tx))
      await set
      return { answer: rows }
    })
    expect(shown).toEqual([{ sort: 'off' }])
  })

  it.each([0, 1, 2, 3, 19])('does what is asked in that order, of which number %i writes first', async (first) => {
    const order: number[] = []
    const numbers = Array.from({ length: 20 }, (_, at) => at)
    const writes = (at: number) => at >= first && (at - first) % 2 === 0
    await pipelined(db, async (tx) => {
      const asked = numbers.map(async (at) => {
        await (writes(at) ? claimed(tx, `order ${first} ${at}`) : one(tx))
        order.push(at)
      })
      expect(await countOf(tx, first)).toBe(numbers.filter(writes).length)
      await Promise.all(asked)
      return { answer: undefined }
    })
    expect(order).toEqual(numbers)
  })

  it.each([
    [
      'before its end',
      async (tx: HousekeepingTx) => {
        await claimed(tx, 'before')
        await Promise.all([sql`select 1 / 0`.execute(unwrap(tx)), one(tx)])
        return { answer: undefined }
      },
    ],
    [
      'last',
      async (tx: HousekeepingTx) => {
        await claimed(tx, 'before')
        return { last: sql`select 1 / 0`.compile(unwrap(tx)), answer: undefined }
      },
    ],
  ])('is taken back, with the error of the statement that is refused %s', async (_, work) => {
    await expect(pipelined(db, work)).rejects.toThrow('division by zero')
    expect(await isThere('before')).toBe(false)
    await usable()
  })

  it('is taken back where pg refuses its last statement, which is never sent', async () => {
    const itself: Record<string, unknown> = {}
    itself['itself'] = itself
    const work = async (tx: HousekeepingTx) => {
      await claimed(tx, 'unsent')
      return { last: sql`select ${itself}::json`.compile(unwrap(tx)), answer: undefined }
    }
    await expect(pipelined(db, work)).rejects.toThrow('circular structure')
    expect(await isThere('unsent')).toBe(false)
    await usable()
  })

  it('is not said to be committed where something is refused that nobody waits for', async () => {
    const work = async (tx: HousekeepingTx) => {
      await claimed(tx, 'nobody waits')
      // Refused only when the commit is on its way.
      const late = sql`select 1 / (case when pg_sleep(0.2) is null then 1 else 0 end)`.execute(unwrap(tx))
      late.catch(() => undefined)
      return { answer: 'done' }
    }
    await expect(pipelined(db, work)).rejects.toThrow('division by zero')
    expect(await isThere('nobody waits')).toBe(false)
    await usable()
  })

  it('is taken back by whoever throws, also with something under way', async () => {
    const work = async (tx: HousekeepingTx) => {
      await claimed(tx, 'thrown')
      const left = claimed(tx, 'left')
      left.catch(() => undefined)
      throw new Error('no more')
    }
    await expect(pipelined(db, work)).rejects.toThrow('no more')
    expect(await isThere('thrown')).toBe(false)
    expect(await isThere('left')).toBe(false)
    await usable()
  })

  it('fails where a statement was refused and nobody looked', async () => {
    const work = async (tx: HousekeepingTx) => {
      await claimed(tx, 'unseen')
      await sql`select 1 / 0`.execute(unwrap(tx)).catch(() => undefined)
      return { answer: 'done' }
    }
    await expect(pipelined(db, work)).rejects.toThrow('division by zero')
    expect(await isThere('unseen')).toBe(false)
    await usable()
  })

  it('writes nothing where it does not begin', async () => {
    const work = async (tx: HousekeepingTx) => ({ last: claiming(tx, 'outside'), answer: undefined })
    await expect(pipelined(db, work, Number.NaN)).rejects.toThrow('invalid value for parameter "lock_timeout"')
    await expect(pipelined(db, async (tx) => ({ answer: await one(tx) }), Number.NaN)).rejects.toThrow('lock_timeout')
    expect(await isThere('outside')).toBe(false)
    await usable()
  })

  it('gives nothing to do what comes after its end', async () => {
    let kept: HousekeepingTx | undefined
    await pipelined(db, async (tx) => {
      kept = tx
      return { answer: await one(tx) }
    })
    await expect(claimed(kept as HousekeepingTx, 'late')).rejects.toThrow('this transaction is over')
    expect(await isThere('late')).toBe(false)
  })

  it('waits for a lock as long as it is told', async () => {
    const work = async (tx: HousekeepingTx) => {
      await claimed(tx, 'locked')
      return { last: claiming(tx, 'locked too'), answer: undefined }
    }
    await other.transaction().execute(async (held) => {
      await claimed(held as unknown as HousekeepingTx, 'locked too')
      await expect(pipelined(db, work, 50)).rejects.toMatchObject({ code: 'database.busy' })
    })
    expect(await isThere('locked')).toBe(false)
    await usable()
  })

  it('leaves it open whether it is committed, where the answer is lost', async () => {
    const work = async (tx: HousekeepingTx) => {
      await one(tx)
      return { last: claiming(tx, 'lost'), answer: undefined }
    }
    relay.loseAnswerTo('commit\0')
    await expect(pipelined(db, work)).rejects.toMatchObject({ code: 'database.unavailable' })
    expect(await isThere('lost')).toBe(true)
    await usable()
  }, 30_000)
})

describe('what is asked most', () => {
  const event = PublishedEvent.parse({
    action: 'report.opened',
    crud: 'r',
    actor: { id: 'jane' },
    group: { id: '0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f' },
  })

  it('takes three ways there and back to record, five with a key, and two to read', async () => {
    const pool = createDb({ connectionString: relay.url, poolSize: 3 })
    const ingest = new Ingest(pool, createCatalogue([]))
    const query = RecordedEventQuery.parse({ group_id: event.group?.id })
    const record = async (idempotencyKey?: string) =>
      await ingest.submit({
        principal: 'key',
        product: 'certifai',
        environment: 'live',
        events: [event],
        ...(idempotencyKey !== undefined && { idempotencyKey }),
      })
    const turnsOf = async (work: () => Promise<unknown>) => {
      const before = relay.turns
      await work()
      return relay.turns - before
    }
    // What is known is written down with the first event, and each session prepares its statements once.
    await record()
    await record()
    expect(await turnsOf(record)).toBe(3)
    expect(await turnsOf(async () => await record('once'))).toBe(5)
    await listEvents(pool, everything, query)
    await listEvents(pool, everything, query)
    await pool.selectFrom('registry.audit_streams').select('last_seq').execute()
    expect(await turnsOf(async () => await listEvents(pool, everything, query))).toBe(2)
    await ingest.close()
    await pool.destroy()
  })
})
