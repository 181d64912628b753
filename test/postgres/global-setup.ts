import type { Client } from 'pg'
import type { TestProject } from 'vitest/node'
import { startBackEnd } from './choose-back-end.ts'
import { createDatabase } from './database.ts'
import { dropEverything, makeRoles, type TestServer } from './test-roles.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgres: TestServer
  }
}

/** Starts PostgreSQL for the run, with its roles and the template of all migrated databases. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = performance.now()
  const backEnd = await startBackEnd()
  try {
    const { server, session } = await makeRoles(backEnd.adminUrl)
    const templateProblem = await makeTemplate(server, session)
    project.provide('postgres', { ...server, ...(templateProblem !== undefined && { templateProblem }) })
    const version = await session.query<{ server_version: string }>('show server_version')
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`postgres: ${version.rows[0]?.server_version} from ${backEnd.description}, ready in ${seconds} s`)
    return async () => {
      try {
        if (backEnd.lasting) await dropEverything(session, server.prefix)
        await session.end()
      } finally {
        await backEnd.stop()
      }
    }
  } catch (error) {
    await backEnd.stop()
    throw error
  }
}

// A migration that does not work fails the tests that need it, not those that look into why.
async function makeTemplate(server: TestServer, session: Client): Promise<string | undefined> {
  const template = await createDatabase(server, `template template0 encoding 'UTF8'`, server.template)
  try {
    const { createMigrator } = await import('@breakpilot/tenant-migrations')
    await createMigrator({ connectionString: template.ownerUrl, runtimeRole: server.runtime.name }).up()
  } catch (error) {
    console.error('postgres: the migrations do not work:', error)
    return String(error)
  }
  // Nobody connects by mistake: a template that is in use cannot be cloned.
  await session.query(`alter database ${server.template} with allow_connections false`)
  return undefined
}
