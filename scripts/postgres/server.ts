import type { ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { spawnTethered } from '../processes/tethered.ts'
import type { Cluster } from './cluster.ts'
import { readPostmasterFile } from './orphan.ts'

/** A running PostgreSQL of our own, which ends when this process does. */
export interface PostgresServer {
  port: number
  pid: number
  /** The URL of its superuser, for the database `postgres` unless told another. */
  url(database?: string): string
  /** Settles when it has ended, in whatever way. */
  ended: Promise<void>
  /** Ends its connections, writes everything out and stops. */
  stop(): Promise<void>
}

/** How a server is started. */
export interface ServerOptions {
  /** Taken if it is free. */
  preferredPort?: number
  settings?: Record<string, string>
}

const startTimeoutMs = 60_000
const stopTimeoutMs = 30_000

/** Starts PostgreSQL on a data folder and returns when it accepts connections, on 127.0.0.1 only. */
export async function startPostgres(cluster: Cluster, options: ServerOptions = {}): Promise<PostgresServer> {
  let preferred = options.preferredPort ?? 0
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort(preferred)
    const server = launch(cluster, port, options.settings ?? {})
    const problem = await problemOfStart(cluster, server.child)
    if (problem === undefined) return server
    // Somebody took the port between our look and PostgreSQL's.
    if (attempt === 5 || !/could not bind|address already in use/i.test(problem)) {
      throw new Error(`PostgreSQL did not start in ${cluster.folder}:\n${problem}`)
    }
    preferred = 0
  }
}

/** Whether a TCP port is free on one address. */
export async function portIsFree(port: number, host?: string): Promise<boolean> {
  return (await listenOnce(port, host)) !== undefined
}

async function freePort(preferred: number): Promise<number> {
  const port = (await listenOnce(preferred, '127.0.0.1')) ?? (await listenOnce(0, '127.0.0.1'))
  if (port === undefined) throw new Error('no free port on 127.0.0.1')
  return port
}

function listenOnce(port: number, host?: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(undefined))
    probe.listen({ port, ...(host !== undefined && { host }) }, () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' ? address?.port : undefined))
    })
  })
}

function launch(cluster: Cluster, port: number, settings: Record<string, string>) {
  const { data, folder, installation, password } = cluster
  const all = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    // A long path of the checkout would not fit into the address of a socket, and nothing needs one.
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    max_connections: '200',
    ...settings,
  }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const log = fs.openSync(logFile(cluster), 'w', 0o600)
  const child = spawnTethered(installation.postgres, ['-D', data, ...flags], {
    signal: 'INT',
    output: log,
    account: installation.account,
    cwd: folder,
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
  })
  fs.closeSync(log)
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()).once('error', () => resolve()))
  return {
    child,
    port,
    pid: child.pid ?? 0,
    url: (database = 'postgres') => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`,
    ended,
    async stop() {
      // SIGINT is its fast shutdown; SIGQUIT drops everything, and the next start recovers.
      child.kill('SIGINT')
      const insist = setTimeout(() => child.kill('SIGQUIT'), stopTimeoutMs)
      await ended
      clearTimeout(insist)
    },
  }
}

// PostgreSQL writes `ready` into its own file when it accepts connections; pg_ctl waits for the same.
async function problemOfStart(cluster: Cluster, child: ChildProcess): Promise<string | undefined> {
  const end = Date.now() + startTimeoutMs
  let spawnError: Error | undefined
  child.once('error', (error) => (spawnError = error))
  for (;;) {
    const said = readPostmasterFile(cluster.data)
    if (said?.pid === child.pid && said?.status === 'ready') return undefined
    if (spawnError) return String(spawnError)
    const log = () => fs.readFileSync(logFile(cluster), 'utf8').trim().split('\n').slice(-15).join('\n')
    if (child.exitCode !== null || child.signalCode !== null) return log()
    if (Date.now() > end) {
      child.kill('SIGQUIT')
      return `not ready after ${startTimeoutMs / 1000} seconds\n${log()}`
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function logFile(cluster: Cluster): string {
  return join(cluster.folder, 'server.log')
}
