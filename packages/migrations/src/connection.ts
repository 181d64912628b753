import { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Client, type ClientConfig } from 'pg'
import { MigrationError } from './migration-error.ts'
import type { Settings } from './settings.ts'

/** What every pooler lets its clients say of their sessions, and keeps for them: as PostgreSQL spells it. */
const everywhere: Readonly<Record<string, string>> = {
  DateStyle: 'ISO, MDY',
  TimeZone: 'UTC',
  standard_conforming_strings: 'on',
}

/** What we go by, whatever the role or the database has for itself. A pooler may refuse the rest of it. */
const direct: typeof everywhere = {
  ...everywhere,
  search_path: 'public',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  default_transaction_isolation: 'read committed',
}

/** A connection that is opened with these settings, which is nothing that pg's own type knows of. */
class SessionClient extends Client {
  #session: object = {}

  static of(config: ClientConfig, session: object): SessionClient {
    const client = new SessionClient(config)
    client.#session = session
    return client
  }

  getStartupConf(): object {
    const ofPg: unknown = Reflect.get(Client.prototype, 'getStartupConf')
    return { ...(typeof ofPg === 'function' && (ofPg.call(this) as object)), ...this.#session }
  }
}

/** Longest single attempt, so that a host that answers nothing leaves room for another. */
const attemptMsMax = 10_000
const pauseMsMax = 3_000

/**
 * Opens a connection, waiting for a database that is starting.
 * @throws {MigrationError} `unreachable` when the time is over, and at once for what waiting does not mend: a wrong
 * password, a database that does not exist. `usage` for a connection string that is none.
 */
export async function connect(settings: Settings): Promise<Client> {
  const deadline = performance.now() + settings.waitMs
  let told = false
  let session = direct
  for (let attempt = 0; ; attempt += 1) {
    refuseAborted(settings.signal)
    const left = deadline - performance.now()
    const socket = new Socket()
    const client = newClient(settings, session, socket, Math.max(1_000, Math.min(attemptMsMax, left)))
    // Whoever accepts and then says nothing must not keep us from stopping.
    const stop = (): void => void socket.destroy()
    settings.signal?.addEventListener('abort', stop, { once: true })
    try {
      await client.connect()
      return client
    } catch (error) {
      void client.end().catch(() => undefined)
      refuseAborted(settings.signal)
      if (codeOf(error) === '08P01' && session === direct) {
        session = everywhere
        continue
      }
      const reason = describe(error)
      if (!mayPass(error)) throw new MigrationError('unreachable', `the database refused the connection: ${reason}`)
      const pauseMs = Math.min(pauseMsMax, 100 * 2 ** attempt) * (0.5 + Math.random() / 2)
      if (performance.now() + pauseMs >= deadline) {
        throw new MigrationError('unreachable', `the database cannot be reached: ${reason}`)
      }
      if (!told) {
        settings.log({ level: 'info', event: 'waiting', message: `waiting for the database: ${reason}`, reason })
        told = true
      }
      await delay(pauseMs, undefined, settings.signal ? { signal: settings.signal } : {}).catch(() => undefined)
    } finally {
      settings.signal?.removeEventListener('abort', stop)
    }
  }
}

/** @throws {MigrationError} `failed` once somebody asked us to stop. */
export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new MigrationError('failed', 'interrupted before the step was complete')
}

function newClient(settings: Settings, session: object, socket: Socket, connectionTimeoutMillis: number): Client {
  // Whatever cannot parse it puts the whole string, password included, into its error.
  if (!/^postgres(ql)?:\/\//.test(settings.connectionString)) {
    throw new MigrationError('usage', 'the connection string is no PostgreSQL URL')
  }
  try {
    const config = {
      connectionString: settings.connectionString,
      application_name: 'tenant-migrate',
      connectionTimeoutMillis,
      stream: () => socket,
      keepAlive: true,
    }
    const client = SessionClient.of(config, session)
    // The query that is under way gets the error too; without a listener the process would die of it.
    client.on('error', () => undefined)
    return client
  } catch {
    throw new MigrationError('usage', 'the connection string has a part that cannot be read')
  }
}

const passingCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  // A socket folder that the server has not filled yet.
  'ENOENT',
  // Starting, stopping, recovering, or full.
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '08001',
  '08004',
  '08006',
])

// pg and poolers say these without a code of their own.
const passingTexts =
  /timeout expired|Connection terminated|cannot connect to server|server login|login rejected|query_wait_timeout|shutting down|too many connections|no more connections/i

function mayPass(error: unknown): boolean {
  const code = codeOf(error)
  if (code !== undefined && passingCodes.has(code)) return true
  // `localhost` is two addresses: Node reports the refusals of both together.
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(mayPass)
  return error instanceof Error && (code === undefined || code === '08P01') && passingTexts.test(error.message)
}

/** The PostgreSQL or system code of an error. */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return undefined
}

// What the libraries below us say without a code, in words that quote nothing of the connection string.
const harmlessTexts = /^(SASL: |The server does not support SSL connections)/

// Only the server's own words and system codes: a client library's message may quote the connection string.
function describe(error: unknown): string {
  const code = codeOf(error)
  if (error instanceof AggregateError) return describe(error.errors[0])
  if (!(error instanceof Error)) return 'it failed'
  if (code === undefined) {
    return passingTexts.test(error.message) || harmlessTexts.test(error.message) ? error.message : 'it failed'
  }
  return /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E') ? `${error.message} (${code})` : code
}

/** Whether an error means that the connection is gone, so that only a new one can go on. */
export function isConnectionLoss(error: unknown): boolean {
  const code = codeOf(error)
  if (code !== undefined) return code.startsWith('57P') || code.startsWith('08') || /^E[A-Z]{3,}/.test(code)
  return error instanceof Error && /Connection terminated|not queryable|connection error/i.test(error.message)
}
