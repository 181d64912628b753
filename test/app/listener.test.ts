import { ChangeListener, createDb, type Db, everything, followChanges } from '@breakpilot/tenant-core'
import { CompiledQuery } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aTenant } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { aRelay, type Relay } from '../postgres/relay.ts'
import { aTransactionPooler } from '../postgres/transaction-pooler.ts'
import { type ServerUnderTest, startTestServer } from '../server.ts'

let database: TestDatabase
let db: Db
let relay: Relay
beforeEach(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  relay = await aRelay(database.runtimeUrl)
})
afterEach(async () => {
  await relay.close()
  await db.destroy()
  await database.drop()
})

const notesOf = async (server: ServerUnderTest) => {
  const { status, body } = await server.call('GET', '/readyz')
  expect(status).toBe(200)
  return body.notes as { code: string; message: string }[]
}

describe('a server whose listening connection is lost', () => {
  it('is ready, says so in a note, and still notices changes; the note goes when the connection is back', async () => {
    const server = await startTestServer({ DATABASE_LISTEN_URL: relay.url }, database)
    try {
      await listening()
      expect(await notesOf(server)).toEqual([])
      await relay.refuse()
      await until(async () => (await notesOf(server)).length > 0)
      expect(await notesOf(server)).toEqual([
        {
          code: 'listener_lost',
          message: 'the connection that listens for changes is lost: changes are noticed up to a second late',
        },
      ])
      const waiting = server.call('GET', '/v1/changes?after=0&wait=25')
      await aTenant(db)
      expect((await waiting).body.data).toMatchObject([{ n: 1 }])
      await relay.restore()
      await until(async () => (await notesOf(server)).length === 0)
    } finally {
      await server.stop()
    }
  })

  it('says that a pooler is in the way when nothing is heard, and still notices changes', async () => {
    const pooler = await aTransactionPooler(database.runtimeUrl, 3)
    const server = await startTestServer({ DATABASE_LISTEN_URL: pooler.url }, database)
    try {
      await until(async () => (await notesOf(server)).length > 0)
      expect(await notesOf(server)).toMatchObject([
        { code: 'listener_lost', message: expect.stringContaining('DATABASE_LISTEN_URL') as string },
      ])
      const waiting = server.call('GET', '/v1/changes?after=0&wait=25')
      await aTenant(db)
      expect((await waiting).body.data).toMatchObject([{ n: 1 }])
    } finally {
      await server.stop()
      await pooler.close()
    }
  })
})

// Well below the time that they asked to wait.
it('answers who waits when it stops, and does not wait for them', { timeout: 15_000 }, async () => {
  const server = await startTestServer({}, database)
  const waiting = Array.from({ length: 5 }, () => server.call('GET', '/v1/changes?after=0&wait=25'))
  // Whoever is answered after them came after them.
  await server.call('GET', '/v1/changes?after=0')
  await server.stop()
  for (const { status, body } of await Promise.all(waiting)) {
    expect({ status, data: body.data }).toEqual({ status: 200, data: [] })
  }
})

describe('ChangeListener', () => {
  it('notices a connection that was swallowed without a word, and tells subscribers what that means', async () => {
    const failures: Error[] = []
    const heard: { head: number; mayHaveMissed: boolean }[] = []
    let began = 0
    const listener = new ChangeListener({
      db,
      connectionString: relay.url,
      keepaliveMs: 50,
      answerMs: 200,
      onFailure: (error) => failures.push(error),
      onListening: () => (began += 1),
    })
    listener.subscribe((head, mayHaveMissed) => heard.push({ head, mayHaveMissed }))
    listener.start()
    try {
      await until(() => began === 1)
      await until(() => heard.length === 1)
      await aTenant(db)
      await until(() => heard.length === 2)
      relay.swallow('present')
      await until(() => began === 2)
      await until(() => heard.length === 3)
      expect(failures).toHaveLength(1)
      expect(listener.problem).toBeUndefined()
      expect(heard).toEqual([
        { head: 0, mayHaveMissed: true },
        { head: 1, mayHaveMissed: false },
        { head: 1, mayHaveMissed: true },
      ])
    } finally {
      await listener.close()
    }
  })

  it('can be started before the database is there, and closed while it is not', async () => {
    await relay.refuse()
    const failures: Error[] = []
    let began = 0
    const options = { db, connectionString: relay.url, onFailure: (error: Error) => failures.push(error) }
    const listener = new ChangeListener({ ...options, onListening: () => (began += 1) })
    listener.start()
    await until(() => failures.length === 1)
    expect(listener.problem).toContain('is lost')
    await relay.restore()
    await until(() => began === 1)
    expect(listener.problem).toBeUndefined()
    await listener.close()

    relay.swallow()
    const closed = new ChangeListener(options)
    closed.start()
    await closed.close()
    expect(await followChanges(db, closed, everything, { wait: 25 })).toMatchObject({ data: [], head: 0 })
    await relay.restore()
  })
})

/** Waits until somebody listens. */
async function listening(): Promise<void> {
  await until(async () => {
    const { rows } = await db.executeQuery<{ n: number }>(
      CompiledQuery.raw(
        `select count(*)::int as n from pg_stat_activity where datname = current_database()
          and application_name = 'tenant-registry listener' and state = 'idle'`,
      ),
    )
    return (rows[0]?.n ?? 0) > 0
  })
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((done) => setTimeout(done, 20))
}
