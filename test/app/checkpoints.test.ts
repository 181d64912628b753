import { createDb, type Db } from '@breakpilot/tenant-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { aTenant } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { startProcess } from './process.ts'

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

/** What the log says: of each checkpoint its number, and of its heads the streams with their places. */
interface Line {
  readonly event?: string
  readonly number?: number
  readonly heads?: readonly (readonly [stream: string, place: number, hash: string])[]
}

it('checkpoints are written to the log stream whatever LOG_LEVEL says, a last one when the server stops', async () => {
  const before = await aTenant(db)
  const server = startProcess({
    APP_ENV: 'dev',
    AUTH_MODE: 'off',
    ADDR: '127.0.0.1:0',
    DATABASE_URL: database.runtimeUrl,
    LOG_LEVEL: 'fatal',
  })
  const lines = () =>
    server
      .stdout()
      .split('\n')
      .filter((line) => line !== '')
      .map((line): Line => JSON.parse(line))
  const told = () => lines().flatMap(({ heads }) => heads?.map(([stream]) => stream) ?? [])
  // The job runs for the first time within ten seconds.
  await expect.poll(told, { timeout: 20_000 }).toContain(before.id)
  const first = lines().length

  const after = await aTenant(db)
  server.child.kill('SIGTERM')
  expect(await server.ended).toBe(0)
  expect(lines().every(({ event }) => event?.startsWith('audit.checkpoint'))).toBe(true)
  expect(lines().slice(first)).toMatchObject([
    { event: 'audit.checkpoint' },
    { event: 'audit.checkpoint_heads', heads: [[after.id, 1, expect.stringMatching(/^[0-9a-f]{64}$/)]] },
  ])
}, 40_000)
