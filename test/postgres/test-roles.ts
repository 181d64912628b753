import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, DatabaseError } from 'pg'

/** What the tests' workers have to know. Roles and databases of a run share a prefix that no other run has. */
export interface TestServer {
  adminUrl: string
  prefix: string
  owner: Role
  runtime: Role
  template: string
  /** Why there is no template. */
  templateProblem?: string
}

interface Role {
  name: string
  password: string
}

// Until this session ends, other runs on the same server see that this run is alive.
const sessionName = (prefix: string) => `${prefix}run`
const prefixPattern = '^tenant_test_[0-9a-f]{8}_'

/** Makes the two roles of this run, after taking away what killed runs have left. */
export async function makeRoles(adminUrl: string): Promise<{ server: TestServer; session: Client }> {
  const prefix = `tenant_test_${randomBytes(4).toString('hex')}_`
  const session = new Client({ connectionString: adminUrl, application_name: sessionName(prefix) })
  // Without a listener, a server that goes away would end the run with a stack trace.
  session.on('error', (error) => console.error(`postgres: ${error.message}`))
  await session.connect().catch((cause: unknown) => {
    const { host, pathname } = new URL(adminUrl)
    throw new Error(`cannot connect to ${host}${pathname}: ${String(cause)}`, { cause })
  })
  await discardLeftovers(session)
  const role = (name: string): Role => ({ name: prefix + name, password: randomBytes(12).toString('hex') })
  const server = { adminUrl, prefix, owner: role('owner'), runtime: role('runtime'), template: `${prefix}template` }
  for (const { name, password } of [server.owner, server.runtime]) {
    await session.query(`create role ${name} login password '${password}' nosuperuser nocreatedb nocreaterole`)
    // Who is no superuser may give a database only to a role that it is a member of.
    await session.query(`grant ${name} to current_user`)
  }
  return { server, session }
}

/** Drops every database and role of a run, also those that tests forgot. */
export async function dropEverything(session: Client, prefix: string): Promise<void> {
  const names = async (query: string) => (await session.query<{ name: string }>(query, [prefix])).rows
  for (let attempt = 1; ; attempt += 1) {
    for (const { name } of await names('select datname as name from pg_database where starts_with(datname, $1)')) {
      await session.query(`drop database if exists ${name} with (force)`)
    }
    try {
      for (const { name } of await names('select rolname as name from pg_roles where starts_with(rolname, $1)')) {
        await session.query(`drop role if exists ${name}`)
      }
      return
    } catch (error) {
      // A database that was being made when its test failed has come up since we looked.
      const stillOwns = error instanceof DatabaseError && error.code === '2BP01'
      if (!stillOwns || attempt === 20) throw error
      await sleep(200)
    }
  }
}

// Looked up before the living runs are, each of which was connected before it made anything.
async function discardLeftovers(session: Client): Promise<void> {
  const { rows } = await session.query<{ prefix: string }>(
    `select substring(name from $1) as prefix
       from (select datname from pg_database union select rolname from pg_roles) as made (name)
      where name ~ $1 group by 1`,
    [prefixPattern],
  )
  for (const { prefix } of rows) {
    const living = 'select 1 from pg_stat_activity where application_name = $1'
    if ((await session.query(living, [sessionName(prefix)])).rowCount) continue
    console.log(`postgres: dropping what the interrupted run ${prefix} left`)
    await dropEverything(session, prefix)
  }
}
