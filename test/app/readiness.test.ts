import { createMigrator, latestVersion } from '@breakpilot/tenant-migrations'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aTenant } from '../builders.ts'
import { emptyDatabase, migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { aTransactionPooler } from '../postgres/transaction-pooler.ts'
import { type ServerUnderTest, startTestServer } from '../server.ts'

let database: TestDatabase
let server: ServerUnderTest | undefined
afterEach(async () => {
  await server?.stop()
  server = undefined
  await database.drop()
})

const prod = {
  APP_ENV: 'prod',
  AUTH_MODE: 'oidc',
  KEYCLOAK_ISSUER: 'https://id.example.org/realms/x',
  SHUTDOWN_DELAY: '0',
}

async function readiness(env: Record<string, string> = {}) {
  const running = (server ??= await startTestServer(env, database))
  const { status, body } = await running.call('GET', '/readyz')
  return { status, detail: body.detail }
}

describe('/readyz', () => {
  describe('on a migrated database', () => {
    beforeEach(async () => {
      database = await migratedDatabase()
    })

    it('is ready, in prod too, with the role that the migrator granted', async () => {
      expect(await readiness(prod)).toEqual({ status: 200, detail: undefined })
    })

    it('is ready, with a note, when a tenant has a product that no manifest knows', async () => {
      server = await startTestServer(prod, database)
      const tenant = await aTenant(server.db)
      for (const product of ['certifai', 'abandoned']) {
        await server.db.insertInto('tenant_products').values({ tenant_id: tenant.id, product }).execute()
      }
      const { status, body } = await server.call('GET', '/readyz')
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          status: 'ready',
          notes: [
            { code: 'product_retired', message: 'tenants have the product abandoned, of which there is no manifest' },
          ],
          audit_partitions_ahead: 12,
        },
      })
    })

    it('is ready, with a note, when the log is prepared for less than three months', async () => {
      server = await startTestServer(prod, database)
      const dropAfter = async (months: number) =>
        await asOwner(async (owner) => {
          await owner.query(`do $$ declare part text; begin
            for part in select inhrelid::regclass::text from pg_inherits where inhparent = 'audit_log'::regclass
              and inhrelid::regclass::text > 'registry.audit_log_' || to_char(now() at time zone 'UTC' + interval '${months} months', 'YYYY_MM')
            loop execute 'drop table ' || part; end loop; end $$`)
        })
      const notes = async () => {
        const { status, body } = await (server as ServerUnderTest).call('GET', '/readyz')
        return {
          status,
          ahead: body.audit_partitions_ahead,
          codes: body.notes.map((each: { code: string }) => each.code),
        }
      }
      await dropAfter(3)
      expect(await notes()).toEqual({ status: 200, ahead: 3, codes: [] })
      await dropAfter(2)
      expect(await notes()).toEqual({ status: 200, ahead: 2, codes: ['audit_partitions_low'] })
    })

    it('is not, in prod, as the owner of the log', async () => {
      expect(await readiness({ ...prod, DATABASE_URL: database.ownerUrl })).toEqual({
        status: 503,
        detail: 'role: the role of DATABASE_URL owns audit_log',
      })
    })

    it('is not, in prod, when the role may change the log or a partition of it', async () => {
      await asOwner(async (owner) => {
        await owner.query(`grant update (action) on audit_log to ${database.runtimeRole}`)
        const { rows } = await owner.query<{ name: string }>(
          `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_log'::regclass order by 1 limit 1`,
        )
        await owner.query(`grant delete on ${rows[0]?.name} to ${database.runtimeRole}`)
      })
      const { status, detail } = await readiness(prod)
      expect(status).toBe(503)
      expect(detail).toMatch(
        /may change or delete rows of audit_log; .*may change or delete rows of registry\.audit_log_/,
      )
    })

    it.each([
      [
        'a role that is not there',
        (url: URL) => (url.username = 'nobody'),
        'database: refuses the role or its password',
      ],
      ['a database that is not there', (url: URL) => (url.pathname = '/nowhere'), 'database: does not exist'],
      ['a server that is not there', (url: URL) => (url.port = '1'), 'database: cannot be reached'],
    ])('says so, and nothing more, with %s', async (_, change, detail) => {
      const url = new URL(database.runtimeUrl)
      change(url)
      expect(await readiness({ DATABASE_URL: url.href })).toEqual({ status: 503, detail })
    })

    it('says so when the role was given no rights', async () => {
      await asOwner((owner) => owner.query(`revoke all on schema_migrations from ${database.runtimeRole}`))
      expect(await readiness()).toEqual({
        status: 503,
        detail: 'database: gives the role no rights: run the migrator with --runtime-role',
      })
    })

    it('is not behind a pooler that forgets prepared statements, until it is told', async () => {
      const pooler = await aTransactionPooler(database.runtimeUrl, 3)
      expect(await readiness({ DATABASE_URL: pooler.url })).toEqual({
        status: 503,
        detail: 'database: the pooler forgets prepared statements: set DATABASE_PREPARE=off',
      })
      const unnamed = await startTestServer({ DATABASE_URL: pooler.url, DATABASE_PREPARE: 'off' }, database)
      expect((await unnamed.call('GET', '/readyz')).status).toBe(200)
      // And works there: reads and audited writes, each transaction on another session.
      const made = await unnamed.call('POST', '/v1/tenants', { json: { slug: 'pooled', name: 'Pooled' } })
      expect(made.status).toBe(201)
      for (let n = 0; n < 5; n += 1) {
        expect((await unnamed.call('GET', '/v1/tenants/by-slug/pooled')).body).toEqual(made.body)
      }
      await unnamed.stop()
      await server?.stop()
      server = undefined
      await pooler.close()
    })

    it('is ready on a newer database, unless that says it needs a newer server', async () => {
      const insert = `insert into schema_migrations (version, name, checksum, applied_at, duration_ms, app_version, min_app)
        values ($1, 'later', 'x', now(), 1, '9', $2)`
      await asOwner((owner) => owner.query(insert, [latestVersion + 1, null]))
      expect(await readiness()).toEqual({ status: 200, detail: undefined })
      await asOwner((owner) => owner.query(insert, [latestVersion + 2, latestVersion + 1]))
      expect(await readiness()).toEqual({
        status: 503,
        detail: `migrations: the database needs a server that knows version ${latestVersion + 1}`,
      })
    })
  })

  it('is not ready on an older schema, and becomes so without a restart', async () => {
    database = await emptyDatabase()
    const migrator = createMigrator({ connectionString: database.ownerUrl, runtimeRole: database.runtimeRole })
    expect((await readiness()).detail).toBe(`migrations: the database is at version 0, ${latestVersion} is needed`)
    await migrator.up({ to: latestVersion - 1 })
    expect((await readiness()).detail).toBe(
      `migrations: the database is at version ${latestVersion - 1}, ${latestVersion} is needed`,
    )
    await migrator.up()
    expect(await readiness()).toEqual({ status: 200, detail: undefined })
  })
})

async function asOwner<Result>(work: (owner: Client) => Promise<Result>): Promise<Result> {
  const owner = new Client({ connectionString: database.ownerUrl })
  await owner.connect()
  try {
    return await work(owner)
  } finally {
    await owner.end()
  }
}
