import { randomBytes } from 'node:crypto'
import {
  cleanIdempotency,
  createDb,
  createTenant,
  type Db,
  everything,
  getTenantBySlug,
  Keyring,
  NewTenant,
  once,
  type OnceAnswer,
  type OnceRequest,
  RegistryError,
  type Tenant,
} from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventsOf, testActor, testCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

let database: TestDatabase
let db: Db
let owner: Client

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  owner = new Client({ connectionString: database.ownerUrl })
  await owner.connect()
})
afterAll(async () => {
  await owner.end()
  await db.destroy()
  await database.drop()
})

const [one, two] = [randomBytes(32), randomBytes(32)]
const before = new Keyring('k1', new Map([['k1', one]]))
const after = new Keyring(
  'k2',
  new Map([
    ['k1', one],
    ['k2', two],
  ]),
)

let made = 0
const aRequest = (): OnceRequest => {
  const n = (made += 1)
  return { principal: 'ada', method: 'POST', path: '/v1/tenants', key: `key-${n}`, content: `once-${n}` }
}

/** Makes a tenant whose slug is the content of the request. */
const creating =
  ({ content }: OnceRequest, secret?: string) =>
  async (unit: Db): Promise<OnceAnswer> => {
    const tenant = await createTenant(unit, testActor, testCatalogue, NewTenant.parse({ slug: content, name: 'Once' }))
    const headers = ['Location', `/v1/tenants/${tenant.id}`]
    const body = JSON.stringify({ id: tenant.id, secret })
    return { status: 201, headers, body, ...(secret !== undefined && { secretOf: tenant.id }) }
  }
const send = async (request: OnceRequest, { keyring = before, secret = undefined as string | undefined } = {}) =>
  await once(db, keyring, request, creating(request, secret))
const tenantOf = async ({ content }: OnceRequest) => await getTenantBySlug(db, everything, content as Tenant['slug'])
const records = async () => (await owner.query<{ n: number }>('select count(*)::int n from registry.idempotency')).rows
/** Makes the newest record as old as that. */
const age = async (interval: string) =>
  await owner.query(
    `update registry.idempotency set created_at = now() - $1::interval
     where created_at = (select max(created_at) from registry.idempotency)`,
    [interval],
  )

describe('the same request twice', () => {
  it('has one effect, one event, and the same answer', async () => {
    const request = aRequest()
    const first = await send(request)
    expect(first).toMatchObject({ status: 201, replayed: false })
    expect(await send(request)).toEqual({ ...first, replayed: true })
    expect(await eventsOf(db, (await tenantOf(request)).id)).toHaveLength(1)
  })

  it('is answered alike also when there is no body', async () => {
    const request = aRequest()
    const answer: OnceAnswer = { status: 204, headers: [], body: null }
    await once(db, before, request, async () => await Promise.resolve(answer))
    const again = once(db, before, request, async () => await Promise.reject(new Error('ran twice')))
    expect(await again).toEqual({ ...answer, replayed: true })
  })

  it('with another content is refused, and changes nothing', async () => {
    const request = aRequest()
    await send(request)
    const other = { ...request, content: 'once-other' }
    await expect(send(other)).rejects.toMatchObject({ code: 'idempotency.key_reused', kind: 'unprocessable' })
    await expect(tenantOf(other)).rejects.toMatchObject({ code: 'tenant.not_found' })
  })

  it.each([
    ['principal', { principal: 'bob' }],
    ['path', { path: '/v1/other' }],
    ['method', { method: 'PUT' }],
    ['key', { key: 'another' }],
    ['division of the same letters', { principal: 'adaP', method: 'OST' }],
  ])('is another request with another %s', async (_, difference) => {
    const request = aRequest()
    await send(request)
    const other = { ...request, content: aRequest().content, ...difference }
    expect(await send(other)).toMatchObject({ status: 201, replayed: false })
  })

  it('is another request after a day, whether or not the record was cleaned away', async () => {
    const request = aRequest()
    await send(request)
    await age('24 hours 1 second')
    const sentAgain = { ...request, content: aRequest().content }
    expect(await send(sentAgain)).toMatchObject({ replayed: false })
    // The record is that of the new one now.
    expect(await send(sentAgain)).toMatchObject({ replayed: true })
    await expect(send(request)).rejects.toMatchObject({ code: 'idempotency.key_reused' })
  })
})

describe('two at once', () => {
  it('have one effect: who comes second is told to wait, and then gets the answer of the first', async () => {
    const request = aRequest()
    const second = Promise.withResolvers<unknown>()
    const first = once(db, before, request, async (unit) => {
      const answer = await creating(request)(unit)
      // The first has done everything but commit.
      second.resolve(await send(request).catch((error: unknown) => error))
      return answer
    })
    expect(await second.promise).toMatchObject({
      code: 'idempotency.in_flight',
      kind: 'conflict',
      retryAfterSeconds: 1,
    })
    const answer = await first
    expect(await send(request)).toEqual({ ...answer, replayed: true })
  })

  it('wait for each other also when their keyrings differ', async () => {
    const request = aRequest()
    await once(db, before, request, async (unit) => {
      await expect(send(request, { keyring: after })).rejects.toMatchObject({ code: 'idempotency.in_flight' })
      return await creating(request)(unit)
    })
  })

  it('of ten, one makes something and nobody gets anything else', async () => {
    const request = aRequest()
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, async () => await send(request)))
    const answers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'idempotency.in_flight' })
    }
    expect(await eventsOf(db, (await tenantOf(request)).id)).toHaveLength(1)
  })
})

describe('a request that fails', () => {
  it('leaves neither record nor effect, and is carried out when it is sent again', async () => {
    const request = aRequest()
    const count = await records()
    const failing = once(db, before, request, async (unit) => {
      await creating(request)(unit)
      throw new RegistryError('tenant.frozen')
    })
    await expect(failing).rejects.toMatchObject({ code: 'tenant.frozen' })
    expect(await records()).toEqual(count)
    await expect(tenantOf(request)).rejects.toMatchObject({ code: 'tenant.not_found' })
    expect(await send(request)).toMatchObject({ status: 201, replayed: false })
  })

  it('leaves no effect without its record', async () => {
    const request = aRequest()
    await owner.query(`alter table registry.idempotency add constraint no_more check (status <> 299)`)
    const failing = once(db, before, request, async (unit) => ({ ...(await creating(request)(unit)), status: 299 }))
    await expect(failing).rejects.toThrow('no_more')
    await owner.query('alter table registry.idempotency drop constraint no_more')
    await expect(tenantOf(request)).rejects.toMatchObject({ code: 'tenant.not_found' })
  })

  it('leaves no record without its effect: a statement that failed unheard ends both', async () => {
    const request = aRequest()
    const count = await records()
    const failing = once(db, before, request, async (unit) => {
      await sql`select 1 / 0`.execute(unit).catch(() => undefined)
      return { status: 201, headers: [], body: '{}' }
    })
    await expect(failing).rejects.toThrow('aborted')
    expect(await records()).toEqual(count)
  })
})

describe('an answer with a secret', () => {
  const secret = 'canary-7f3a'
  /** Every byte of the newest record, as text. */
  const newest = async () => {
    const { rows } = await owner.query<Record<string, unknown>>(
      'select *, row_to_json(i)::text as all from registry.idempotency i order by created_at desc limit 1',
    )
    const [row = {}] = rows
    return { row, bytes: Buffer.concat(Object.values(row).map((value) => asBytes(value))) }
  }
  const asBytes = (value: unknown) => (Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value) ?? ''))

  it('is sealed where it is kept, and told again for a quarter of an hour', async () => {
    const request = aRequest()
    const first = await send(request, { secret })
    const { row, bytes } = await newest()
    expect(row).toMatchObject({ body: null, kid: 'k1', resource_id: (await tenantOf(request)).id })
    for (const word of [secret, Buffer.from(secret).toString('hex'), request.key]) {
      expect(bytes.includes(word)).toBe(false)
    }
    await age('14 minutes')
    expect(await send(request)).toEqual({ ...first, replayed: true })
  })

  it.each([
    ['before it was cleaned away', async () => await Promise.resolve()],
    ['and is cleaned away', async () => await cleanIdempotency(db)],
  ])('is gone after a quarter of an hour, %s, and what was made is named', async (_, clean) => {
    const request = aRequest()
    await send(request, { secret })
    await age('15 minutes 1 second')
    await clean()
    const { id } = await tenantOf(request)
    await expect(send(request)).rejects.toMatchObject({
      code: 'idempotency.secret_gone',
      kind: 'conflict',
      facts: { id },
    })
  })

  it('does not open in the place of another', async () => {
    const [mine, other] = [aRequest(), aRequest()]
    await send(mine, { secret })
    const sealed = (await newest()).row['sealed']
    await send({ ...other, key: mine.key, path: '/v1/elsewhere' }, { secret: 'another' })
    await owner.query(
      `update registry.idempotency set sealed = $1
       where created_at = (select max(created_at) from registry.idempotency)`,
      [sealed],
    )
    await expect(send({ ...other, key: mine.key, path: '/v1/elsewhere' })).rejects.toThrow('cannot be opened')
  })
})

describe('another key of the ring', () => {
  it.each([undefined, 'canary'])('replays what was kept under the one before, secret or not (%s)', async (secret) => {
    const request = aRequest()
    const first = await send(request, { ...(secret !== undefined && { secret }) })
    expect(await send(request, { keyring: after })).toEqual({ ...first, replayed: true })
  })

  it('keeps what comes then under itself', async () => {
    const request = aRequest()
    await send(request, { keyring: after, secret: 'canary' })
    const alone = new Keyring('k2', new Map([['k2', two]]))
    expect(await send(request, { keyring: alone })).toMatchObject({ replayed: true })
  })
})

describe('cleanIdempotency', () => {
  it('erases what is too old, says how much, and leaves the rest', async () => {
    await owner.query('delete from registry.idempotency')
    for (const [interval, secret] of [
      ['1 minute', 'young'],
      ['16 minutes', 'old'],
      ['16 minutes', undefined],
      ['25 hours', 'older'],
      ['25 hours', undefined],
    ] as const) {
      await send(aRequest(), { ...(secret !== undefined && { secret }) })
      await age(interval)
    }
    expect(await cleanIdempotency(db)).toEqual({ secrets: 2, answers: 2 })
    expect(await cleanIdempotency(db)).toEqual({ secrets: 0, answers: 0 })
    const { rows } = await owner.query(
      'select sealed is null as erased, kid from registry.idempotency order by created_at, kid nulls last',
    )
    expect(rows).toEqual([
      { erased: true, kid: 'k1' },
      { erased: true, kid: null },
      { erased: false, kid: 'k1' },
    ])
  })

  it('goes on until nothing is left, however much there is', async () => {
    await owner.query(`
      insert into registry.idempotency (digest, fingerprint, status, created_at)
      select sha256(n::text::bytea), sha256(n::text::bytea), 201, now() - interval '2 days'
      from generate_series(1, 2500) as n`)
    expect(await cleanIdempotency(db)).toMatchObject({ answers: 2500 })
  })
})
