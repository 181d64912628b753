import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDb, type Db, newKeyringText, newSigningKeyText } from '@breakpilot/tenant-core'
import { type Config, readConfig } from '../apps/server/src/config.ts'
import { createLog } from '../apps/server/src/log.ts'
import { type ServerOptions, startServer } from '../apps/server/src/server.ts'
import { migratedDatabase, type TestDatabase } from './postgres/database.ts'

/** The real server, wired as the app wires it, on a database of its own. */
export interface ServerUnderTest {
  readonly url: string
  /** The server's own role on its database, for arranging and for looking at what it did. */
  readonly db: Db
  readonly database: TestDatabase
  /** What it logged so far, parsed. */
  readonly log: readonly Record<string, unknown>[]
  /** Sends a request and reads the answer. */
  readonly call: (method: string, path: string, options?: CallOptions) => Promise<Answer>
  readonly stop: () => Promise<void>
}

/** What a request may carry. */
export interface CallOptions {
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it is. */
  readonly body?: string | Uint8Array<ArrayBuffer>
  readonly headers?: Record<string, string>
}

/** An answer, its body parsed where it is JSON. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks into whatever came
  readonly body: any
}

/**
 * Starts the server. `env` replaces what the tests start it with: local, without authentication, on any free port. Its
 * jobs do not run unless they are asked for, so that nothing happens that the test did not do.
 */
export async function startTestServer(
  env: Record<string, string> = {},
  on?: TestDatabase,
  options: ServerOptions = { jobs: 'none' },
): Promise<ServerUnderTest> {
  const database = on ?? (await migratedDatabase())
  const log: Record<string, unknown>[] = []
  const config = configOf({
    APP_ENV: 'dev',
    AUTH_MODE: 'off',
    ADDR: '127.0.0.1:0',
    DATABASE_URL: database.runtimeUrl,
    LOG_LEVEL: 'debug',
    ...env,
  })
  const write = (line: string) => log.push(JSON.parse(line) as Record<string, unknown>)
  const server = await startServer(config, createLog(config.logLevel, { write }), options)
  const db = createDb({ connectionString: database.runtimeUrl })
  const [url = ''] = server.addresses
  return {
    url,
    db,
    database,
    log,
    call: (method, path, options = {}) => call(url, method, path, options),
    async stop() {
      await server.stop()
      await db.destroy()
      if (!on) await database.drop()
    },
  }
}

/** A keyring as a file, for servers that share one. It goes with the process. */
export function keyringFile(text: string): string {
  if (keyringFolder === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'keyrings-'))
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    keyringFolder = folder
  }
  const file = join(keyringFolder, `${(keyrings += 1)}.json`)
  writeFileSync(file, text)
  return file
}

let keyringFolder: string | undefined
let keyrings = 0

/** The configuration, with a keyring of its own. */
function configOf(env: Record<string, string>): Config {
  return readConfig({
    SECRETS_KEYRING_FILE: keyringFile(newKeyringText()),
    AUDIT_SIGNING_KEY_FILE: keyringFile(newSigningKeyText()),
    ...env,
  })
}

async function call(url: string, method: string, path: string, options: CallOptions): Promise<Answer> {
  const body = options.json === undefined ? options.body : JSON.stringify(options.json)
  const response = await fetch(url + path, {
    method,
    headers: { ...(options.json !== undefined && { 'content-type': 'application/json' }), ...options.headers },
    ...(body !== undefined && { body }),
  })
  const text = await response.text()
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson && text !== '' ? JSON.parse(text) : undefined,
  }
}
