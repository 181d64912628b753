import { assignProduct, createDb, everything, getTenantBySlug, Slug } from '@breakpilot/tenant-core'
import { CompiledQuery } from 'kysely'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aTenant, testActor, testCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await migratedDatabase()
})
afterAll(async () => {
  await database.drop()
})

const unavailable = { name: 'RegistryError', code: 'database.unavailable', kind: 'unavailable', retryAfterSeconds: 1 }

describe('database.busy', () => {
  it('is what a lock is that somebody keeps for too long, and nothing was changed', async () => {
    const db = createDb({ connectionString: database.runtimeUrl })
    const tenant = await aTenant(db)
    const admin = new Client({ connectionString: database.adminUrl })
    await admin.connect()
    await admin.query('begin')
    await admin.query('select 1 from registry.audit_streams where stream_id = $1 for update', [tenant.id])
    await expect(assignProduct(db, testActor, testCatalogue, tenant.id, 'certifai')).rejects.toMatchObject({
      code: 'database.busy',
      kind: 'unavailable',
      retryAfterSeconds: 1,
    })
    await admin.query('rollback')
    await admin.end()
    expect((await getTenantBySlug(db, everything, tenant.slug)).products).toEqual([])
    await assignProduct(db, testActor, testCatalogue, tenant.id, 'certifai')
    // The bounds were the transaction's: the connection is as it was.
    const settings = await db.executeQuery<{ name: string }>(
      CompiledQuery.raw(`select name from pg_settings where name like '%timeout' and source = 'session'`),
    )
    expect(settings.rows).toEqual([])
    await db.destroy()
  })
})

describe('database.unavailable', () => {
  it('is what nothing listening is', async () => {
    const url = new URL(database.runtimeUrl)
    url.port = '1'
    const db = createDb({ connectionString: url.href })
    await expect(getTenantBySlug(db, everything, Slug.parse('acme'))).rejects.toMatchObject(unavailable)
    await expect(aTenant(db)).rejects.toMatchObject(unavailable)
    await db.destroy()
  })

  it('is what a full pool is, and goes away with the crowd', async () => {
    const db = createDb({ connectionString: database.runtimeUrl, poolSize: 1, connectTimeoutMs: 100 })
    const tenant = await aTenant(db)
    await db.transaction().execute(async (tx) => {
      await tx.selectFrom('tenants').select('id').limit(1).execute()
      await expect(getTenantBySlug(db, everything, tenant.slug)).rejects.toMatchObject(unavailable)
    })
    expect(await getTenantBySlug(db, everything, tenant.slug)).toEqual(tenant)
    await db.destroy()
  })

  it('is what a connection that is cut in the middle is, and the next request finds a new one', async () => {
    const db = createDb({ connectionString: database.runtimeUrl, poolSize: 1 })
    const tenant = await aTenant(db)
    const admin = new Client({ connectionString: database.adminUrl })
    await admin.connect()
    const interrupted = db.transaction().execute(async (tx) => {
      await tx.updateTable('tenants').set({ name: 'Never' }).where('id', '=', tenant.id).execute()
      await admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid() and application_name = 'tenant-registry'`,
        [database.name],
      )
      await tx.selectFrom('tenants').select('id').execute()
    })
    await expect(interrupted).rejects.toMatchObject(unavailable)
    expect((await getTenantBySlug(db, everything, tenant.slug)).name).toBe(tenant.name)
    await admin.end()
    await db.destroy()
  })

  it('is not what a mistake of ours is', async () => {
    const db = createDb({ connectionString: database.runtimeUrl })
    await expect(
      db
        .selectFrom('nothing' as never)
        .selectAll()
        .execute(),
    ).rejects.toMatchObject({ code: '42P01' })
    await db.destroy()
  })
})

it('answers the same with and without named statements', async () => {
  const named = createDb({ connectionString: database.runtimeUrl })
  const unnamed = createDb({ connectionString: database.runtimeUrl, prepare: false })
  const tenant = await aTenant(named)
  for (const db of [named, unnamed, named, unnamed])
    expect(await getTenantBySlug(db, everything, tenant.slug)).toEqual(tenant)
  const prepared = async (db: typeof named) => {
    // On the pool's only idle connection.
    return (await db.executeQuery<{ name: string }>(CompiledQuery.raw('select name from pg_prepared_statements'))).rows
  }
  expect((await prepared(named)).map(({ name }) => name)).toContain('tenant_by_slug')
  expect(await prepared(unnamed)).toEqual([])
  await named.destroy()
  await unnamed.destroy()
})
