/**
 * `pnpm dev`: PostgreSQL, the schema, sample data and the server, from nothing to the first answer.
 * With DATABASE_URL it uses that database; without, an embedded PostgreSQL with its data in `.data/`.
 * `pnpm dev:oidc` (`--oidc`) starts an identity provider as well, and has a token for every role.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { exit } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createMigrator } from '@breakpilot/tenant-migrations'
import { expectFree, parseAddress } from './dev/address.ts'
import { prepareDatabase } from './dev/database.ts'
import { type DevDatabase, devFile, type DevRecord } from './dev/dev-record.ts'
import { devKeyring, devSigningKey } from './dev/keyring.ts'
import { drain, runSeed, startProgram, untilAnswers } from './dev/programs.ts'
import type { DevProvider } from './dev/provider.ts'
import { openCluster } from './postgres/cluster.ts'
import { checkout } from './postgres/installation.ts'
import { startPostgres } from './postgres/server.ts'
import { endProcess, isRunning, recordOf } from './processes/identity.ts'
import { type Holder, type Lock, readLock, takeLock } from './processes/lock.ts'

const withProvider = process.argv.includes('--oidc')
const preferredPort = 54_329
const started = performance.now()
const secondsSince = (time: number) => ((performance.now() - time) / 1000).toFixed(1)

// Ctrl-C may arrive twice, from the terminal and from pnpm: each is the same wish, to end in good order.
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())
const stopWish = new Promise<void>((resolve) => {
  stop.signal.addEventListener('abort', () => resolve())
})

const closers: (() => unknown)[] = []
let code = 0
try {
  await dev()
} catch (error) {
  if (!stop.signal.aborted) {
    console.error(`dev: ${error instanceof Error ? error.message : String(error)}`)
    code = 1
  }
} finally {
  // Whatever ends from here on was asked to.
  stop.abort()
  for (const close of closers.toReversed()) await close()
}
exit(code)

async function dev(): Promise<void> {
  if ((process.env['APP_ENV'] || 'dev') !== 'dev') throw new Error('APP_ENV is not dev: this is for development only')
  const wanted = parseAddress(process.env['ADDR'] || ':8090')
  // Whoever has one of these tokens is the owner: none of it is for the network.
  const address = withProvider ? parseAddress(`127.0.0.1:${wanted.port}`) : wanted
  const lock = await onlyOne()
  closers.push(() => lock.release())
  stop.signal.addEventListener('abort', () => lock.say({ stopping: true }))
  await expectFree(address)

  const database = await (process.env['DATABASE_URL'] ? givenDatabase(process.env['DATABASE_URL']) : ownDatabase())
  await step('schema', async () => {
    const { ownerUrl, runtimeRole } = database
    const { done, version } = await createMigrator({ connectionString: ownerUrl, runtimeRole }).up()
    return done.length ? `version ${version}, applied ${done.join(', ')}` : `version ${version}`
  })

  await step('viewer', async () => {
    try {
      await promisify(execFile)(process.execPath, [join(checkout, 'apps/audit-viewer/build.ts')])
      return 'made'
    } catch (error) {
      // Everything else is there without it.
      return `not made: ${error instanceof Error ? error.message : String(error)}`
    }
  })

  const provider = withProvider ? await ownProvider() : undefined

  await step('server', async () => {
    const env = {
      ...provider?.env,
      ADDR: address.addr,
      SECRETS_KEYRING_FILE: process.env['SECRETS_KEYRING_FILE'] || devKeyring(),
      AUDIT_SIGNING_KEY_FILE: process.env['AUDIT_SIGNING_KEY_FILE'] || devSigningKey(),
      // Whoever tries out a purge does not want to wait for a month.
      PURGE_AFTER_DAYS: process.env['PURGE_AFTER_DAYS'] || '0',
    }
    const server = startProgram('apps/server/src/main.ts', database.runtimeUrl, env)
    closers.push(() => drain(server))
    if (server.child.pid) lock.say({ url: address.url, server: recordOf(server.child.pid), database })
    await Promise.all([untilAnswers(server, address, stop.signal), runSeed(database.runtimeUrl)])
    void server.ended.then((how) => fail(`the server ended with ${how}`))
    return `answers on ${address.url}`
  })
  if (provider) console.log(`\n${provider.lines.join('\n')}\n\n  or: source ${provider.file}`)
  console.log(`
  ${provider ? 'curl -H "authorization: Bearer $OWNER" ' : ''}${address.url}/v1/tenants/by-slug/acme
  ${address.url}/docs
  ${address.url}/audit/viewer
  DATABASE_URL=${database.runtimeUrl}
  ready in ${secondsSince(started)} s, Ctrl-C stops it
`)
  await stopWish
}

// Whoever runs here already is named; a server that a killed run left behind is stopped.
async function onlyOne(): Promise<Lock<Partial<DevRecord>>> {
  const previous: Holder<DevRecord> | undefined = readLock(devFile)
  const lock = takeLock<Partial<DevRecord>>(devFile, {})
  if ('holder' in lock) {
    const { pid, url, stopping } = lock.holder
    if (stopping) {
      await sleep(100)
      return onlyOne()
    }
    throw new Error(
      `already running in this checkout: process ${pid}, ${url ?? 'still starting'} (kill ${pid} stops it)`,
    )
  }
  if (previous?.server && isRunning(previous.server)) await endProcess(previous.server, 'SIGTERM', 5000)
  return lock
}

async function ownDatabase(): Promise<DevDatabase> {
  return step('postgres', async (explain) => {
    const cluster = await openCluster('postgres', { durable: true })
    stop.signal.throwIfAborted()
    const server = await startPostgres(cluster, { preferredPort })
    closers.push(() => server.stop())
    void server.ended.then(() => fail(`PostgreSQL ended by itself; its log is in ${cluster.folder}`))
    explain(`127.0.0.1:${server.port}, data in ${cluster.folder}`)
    return prepareDatabase(server, cluster)
  })
}

async function ownProvider(): Promise<DevProvider> {
  return step('provider', async (explain) => {
    // Loaded when it is wanted: most starts are without.
    const { startDevProvider } = await import('./dev/provider.ts')
    const provider = await startDevProvider()
    closers.push(() => provider.close())
    explain(provider.env['KEYCLOAK_ISSUER'] ?? '')
    return provider
  })
}

// Whoever brings a database decides about roles: this one URL does everything.
function givenDatabase(url: string): DevDatabase {
  return { ownerUrl: url, runtimeUrl: url, runtimeRole: process.env['RUNTIME_ROLE'] }
}

function fail(problem: string): void {
  if (stop.signal.aborted) return
  console.error(`dev: ${problem}`)
  code = 1
  stop.abort()
}

async function step<T>(name: string, work: (explain: (text: string) => void) => Promise<T>): Promise<T> {
  stop.signal.throwIfAborted()
  const begun = performance.now()
  let explanation = ''
  const result = await work((text) => (explanation = text))
  if (!explanation && typeof result === 'string') explanation = result
  console.log(`dev: ${name.padEnd(8)} ${secondsSince(begun).padStart(4)} s  ${explanation}`)
  return result
}
