import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { TenantClient } from '@breakpilot/tenant-client'
import { type AuditPublisherOptions, createAuditPublisher, UnsentEventsError } from '@breakpilot/tenant-client/audit'
import { createDb, type Db, newKeyringText, parseKeyring, platformTenant, TenantId } from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aKey } from '../api-keys/keys.ts'
import { type ServerProcess, startProcess } from '../app/process.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { keyringFile } from '../server.ts'

/** The publisher against the server as a process, which is killed and comes back. */
const keyringText = newKeyringText('publisher')
let database: TestDatabase
let db: Db
let token: string
let port: number
let server: ServerProcess

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  const expires_at = new Date(Date.now() + 86_400_000).toISOString()
  const fields = { scopes: ['audit:publish'], product: 'certifai', expires_at }
  ;({ key: token } = await aKey(db, parseKeyring(keyringText), TenantId.parse(platformTenant), fields))
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  ;({ port } = probe.address() as { port: number })
  probe.close()
  await start()
})
afterAll(async () => {
  server.child.kill('SIGKILL')
  await server.ended
  await db.destroy()
  await database.drop()
})

const keyring = keyringFile(keyringText)

async function start() {
  server = startProcess({
    APP_ENV: 'dev',
    AUTH_MODE: 'off',
    ADDR: `127.0.0.1:${port}`,
    DATABASE_URL: database.runtimeUrl,
    SECRETS_KEYRING_FILE: keyring,
    SHUTDOWN_DELAY: '0',
  })
  await server.listening
}

async function kill(how: 'SIGKILL' | 'SIGTERM') {
  server.child.kill(how)
  await server.ended
}

function aPublisher(options: Partial<AuditPublisherOptions> = {}) {
  const client = new TenantClient({ baseUrl: `http://127.0.0.1:${port}`, token })
  return createAuditPublisher({ client, ...options })
}

const event = (group: string, fields: object = {}) => ({
  action: 'report.opened',
  crud: 'r' as const,
  actor: { id: 'jane' },
  group: { id: group },
  ...fields,
})

/** The external ids of a group's events, in the order of its stream. */
async function recordedOf(group: string): Promise<(string | null)[]> {
  const { rows } = await sql<{ external_id: string | null }>`
    select external_id from audit_log where group_id = ${group} order by stream_seq`.execute(db)
  return rows.map(({ external_id }) => external_id)
}

describe('a publisher', () => {
  it('delivers everything once and in its order, while the server is killed again and again', async () => {
    const delays: unknown[] = []
    const publisher = aPublisher({
      batchMax: 20,
      batchDelayMs: 1,
      waitingMax: 500,
      onDelay: (error) => delays.push(error),
    })
    const names = Array.from({ length: 6_000 }, (_, n) => `event-${n}`)
    const publishing = (async () => {
      for (const external_id of names) await publisher.publish(event('killed', { external_id }))
    })()
    for (const how of ['SIGKILL', 'SIGTERM', 'SIGKILL'] as const) {
      const before = (await recordedOf('killed')).length
      await expect
        .poll(async () => (await recordedOf('killed')).length, { timeout: 20_000 })
        .toBeGreaterThan(before + 200)
      await kill(how)
      await start()
    }
    await publishing
    await publisher.close()
    expect(await recordedOf('killed')).toEqual(names)
    expect(delays.length).toBeGreaterThanOrEqual(3)
  }, 90_000)

  it('holds up whoever publishes more than may wait', async () => {
    const publisher = aPublisher({ waitingMax: 50, batchMax: 10 })
    await kill('SIGKILL')
    let taken = 0
    const publishing = (async () => {
      for (let n = 0; n < 200; n += 1) {
        await publisher.publish(event('held-up', { external_id: String(n) }))
        taken += 1
      }
    })()
    await expect.poll(() => taken).toBe(50)
    await sleep(100)
    expect([taken, publisher.waiting]).toEqual([50, 50])
    await start()
    await publishing
    await publisher.close()
    expect(await recordedOf('held-up')).toHaveLength(200)
  }, 60_000)

  it('tells of what the registry does not take, and delivers all else', async () => {
    const refused: string[] = []
    const publisher = aPublisher({ onRefused: ({ external_id }) => refused.push(external_id ?? '') })
    const odd = publisher.record(event('refusing', { source_ip: 'nowhere' }))
    for (let n = 0; n < 40; n += 1) {
      const wrong = n % 10 === 3 ? { description: 'x'.repeat(300_000) } : {}
      await publisher.publish(event('refusing', { external_id: String(n), ...wrong }))
    }
    const good = publisher.record(event('refusing', { external_id: 'last' }))
    await expect(odd).rejects.toMatchObject({ status: 400, code: 'request.invalid' })
    expect(await good).toMatchObject({ hash: expect.stringMatching(/^[0-9a-f]{64}$/) })
    await publisher.close()
    expect(refused).toEqual(['3', '13', '23', '33'])
    const names = Array.from({ length: 40 }, (_, n) => String(n)).filter((name) => !refused.includes(name))
    expect(await recordedOf('refusing')).toEqual([...names, 'last'])
  })

  it('does not record an external_id twice where that is asked for', async () => {
    const publisher = aPublisher({ uniqueBy: 'external_id' })
    const receipts = await Promise.all(
      ['a', 'b', 'a'].map((external_id) => publisher.record(event('unique', { external_id }))),
    )
    expect(receipts[2]).toEqual(receipts[0])
    const other = publisher.record(event('unique', { external_id: 'b', action: 'other.action' }))
    const next = publisher.record(event('unique', { external_id: 'c' }))
    await expect(other).rejects.toMatchObject({ status: 409, code: 'audit_event.external_id_reused' })
    await next
    await publisher.close()
    expect(await recordedOf('unique')).toEqual(['a', 'b', 'c'])
  })

  it('hands back what it could not deliver when it is closed, and takes nothing any more', async () => {
    await kill('SIGKILL')
    const publisher = aPublisher()
    await publisher.publish(event('unsent', { external_id: '1' }))
    const recording = publisher.record(event('unsent', { external_id: '2' }))
    const closing = publisher.close({ timeoutMs: 300 })
    await expect(recording).rejects.toBeInstanceOf(UnsentEventsError)
    const error = await closing.catch((caught: unknown) => caught as UnsentEventsError)
    expect((error as UnsentEventsError).events.map(({ external_id }) => external_id)).toEqual(['1', '2'])
    await expect(publisher.publish(event('unsent'))).rejects.toThrow('the publisher is closed')
    await start()
    expect(await recordedOf('unsent')).toEqual([])
  }, 30_000)
})
