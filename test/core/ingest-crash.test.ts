import { setTimeout as sleep } from 'node:timers/promises'
import {
  chainHash,
  createCatalogue,
  createDb,
  type Db,
  genesisHash,
  Ingest,
  newEventId,
  personalDigest,
  PublishedEvent,
  RegistryError,
} from '@breakpilot/tenant-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresInstallation } from '../../scripts/postgres/installation.ts'
import { anOwnServer, type OwnServer } from '../postgres/own-server.ts'

/** A PostgreSQL that crashes while events come in as fast as they can, and comes back. */
const missing = await postgresInstallation().then(
  () => undefined,
  (error: Error) => error.message,
)
let server: OwnServer
let db: Db
let ingest: Ingest

describe.skipIf(missing !== undefined)(`a primary that crashes during ingest${missing ? `: ${missing}` : ''}`, () => {
  beforeAll(async () => {
    server = await anOwnServer('ingest')
    db = createDb({ connectionString: server.database.runtimeUrl })
    ingest = new Ingest(db, createCatalogue([]))
  })
  afterAll(async () => {
    await server?.start()
    await ingest?.close()
    await db?.destroy()
    await server?.close()
  })

  it('has every event that it acknowledged, once, and a whole chain', async () => {
    await server.writeOut()
    const acknowledged = new Set<string>()
    const over = new AbortController()

    /** Publishes until it is over, each submission again and again until it is answered. */
    async function publisher(n: number): Promise<void> {
      for (let at = 0; !over.signal.aborted; at += 1) {
        const events = [1, 2, 3].map((part) =>
          PublishedEvent.parse({
            action: 'report.opened',
            crud: 'r',
            actor: { id: `actor-${at % 7}`, name: `Actor ${at}` },
            group: { id: `crash-${n % 5}` },
            external_id: `${n}-${at}-${part}`,
          }),
        )
        const submission = {
          principal: `key-${n}`,
          product: 'certifai',
          environment: 'live' as const,
          events,
          idempotencyKey: newEventId(),
        }
        for (;;) {
          try {
            await ingest.submit(submission)
            for (const { external_id } of events) acknowledged.add(external_id ?? '')
            break
          } catch (error) {
            if (!(error instanceof RegistryError) || error.code !== 'database.unavailable') throw error
            await sleep(20)
          }
        }
      }
    }

    const publishing = Promise.all(Array.from({ length: 40 }, (_, n) => publisher(n)))
    for (let crashes = 1; crashes <= 3; crashes += 1) {
      const before = acknowledged.size
      await expect.poll(() => acknowledged.size, { timeout: 20_000 }).toBeGreaterThan(before + 600)
      await server.crash()
      await sleep(100)
      await server.start()
    }
    over.abort()
    await publishing

    const rows = await db
      .selectFrom('audit_log')
      .selectAll()
      .where('group_id', 'like', 'crash-%')
      .orderBy('stream_id')
      .orderBy('stream_seq')
      .execute()
    const names = rows.map(({ external_id }) => external_id ?? '')
    expect(new Set(names).size).toBe(names.length)
    expect([...acknowledged].filter((name) => !names.includes(name))).toEqual([])
    // What was not acknowledged the first time was the second.
    expect(names.length).toBe(acknowledged.size)
    let [stream, previous, seq] = ['', genesisHash, 0]
    for (const row of rows) {
      if (row.stream_id !== stream) [stream, previous, seq] = [row.stream_id, genesisHash, 0]
      const digest = personalDigest(row.row_salt ?? Buffer.alloc(0), row)
      expect([row.stream_seq, row.prev_hash]).toEqual([(seq += 1), previous])
      expect(row.chain_hash).toEqual(chainHash(previous, digest, row))
      previous = row.chain_hash
    }
  }, 90_000)
})
