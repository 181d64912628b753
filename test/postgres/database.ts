import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, DatabaseError } from 'pg'
import { inject } from 'vitest'
import type { TestServer } from './test-roles.ts'

/** A database for one test file. It is dropped at the end of the run if the file does not drop it itself. */
export interface TestDatabase {
  name: string
  /** As the owner of the schema, who is no superuser. */
  ownerUrl: string
  /** As the role that the server runs with. */
  runtimeUrl: string
  /** As the role that made it: a superuser, except perhaps on the server of TEST_DATABASE_URL. */
  adminUrl: string
  runtimeRole: string
  drop(): Promise<void>
}

/** A database with nothing in it, for what tests migrations. */
export async function emptyDatabase(): Promise<TestDatabase> {
  return createDatabase(inject('postgres'), `template template0 encoding 'UTF8'`)
}

/** A database with the whole schema and no rows, for everything else. */
export async function migratedDatabase(): Promise<TestDatabase> {
  const server = inject('postgres')
  if (server.templateProblem !== undefined) throw new Error(`no migrated database: ${server.templateProblem}`)
  return createDatabase(server, `template ${server.template}`)
}

/** Makes a database that belongs to the owner role of the run. */
export async function createDatabase(server: TestServer, how: string, name?: string): Promise<TestDatabase> {
  const database = name ?? `${server.prefix}${randomBytes(6).toString('hex')}`
  await asAdmin(server, (admin) =>
    retryWhileInUse(() => admin.query(`create database ${database} owner ${server.owner.name} ${how}`)),
  )
  return {
    name: database,
    ownerUrl: urlFor(server, database, server.owner),
    runtimeUrl: urlFor(server, database, server.runtime),
    adminUrl: urlFor(server, database),
    runtimeRole: server.runtime.name,
    drop: async () => {
      await asAdmin(server, (admin) => admin.query(`drop database if exists ${database} with (force)`))
    },
  }
}

function urlFor(server: TestServer, database: string, role?: TestServer['owner']): string {
  const url = new URL(server.adminUrl)
  url.pathname = `/${database}`
  if (role) Object.assign(url, { username: role.name, password: role.password })
  return url.href
}

async function asAdmin<T>(server: TestServer, work: (admin: Client) => Promise<T>): Promise<T> {
  const admin = new Client({ connectionString: server.adminUrl })
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.end()
  }
}

// A template cannot be cloned while anyone, be it autovacuum, is connected to it.
async function retryWhileInUse<T>(create: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await create()
    } catch (error) {
      const inUse = error instanceof DatabaseError && error.code === '55006'
      if (!inUse || attempt === 20) throw error
      await sleep(100 * attempt)
    }
  }
}
