import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ApiKeyVerifier,
  type Catalogue,
  ChangeListener,
  countPartitionsAhead,
  createDb,
  type Db,
  Ingest,
  KeyIssuer,
  RevocationProbe,
  type Keyring,
  loadCatalogue,
  newKeyringText,
  parseKeyring,
} from '@breakpilot/tenant-core'
import { type Answered, createApp, createServer, type ListenAddress } from '@breakpilot/tenant-http'
import type { Logger } from 'pino'
import { checkpointTaker } from './checkpoints.ts'
import { type Config, ConfigError } from './config.ts'
import { drainable } from './drain.ts'
import { type JobIntervals, jobsOfRegistry } from './jobs-of-registry.ts'
import { startJobs } from './jobs.ts'
import { createMetrics, createMetricsServer } from './metrics.ts'
import { createReadiness } from './readiness.ts'

type PlainRecord = Readonly<Record<string, string | number | null>>

/** A server that runs. */
export interface RunningServer {
  readonly addresses: readonly string[]
  readonly metricsAddresses: readonly string[]
  /** Readiness falls, jobs and requests in flight end, connections and the pool close. */
  stop(): Promise<void>
}

/** What tests set otherwise. */
export interface ServerOptions {
  /** How often the jobs run; with `none` nothing changes that nobody asks for. */
  readonly jobs?: JobIntervals | 'none'
  /** How many may wait for changes at the same time. */
  readonly waitersMax?: number
}

/**
 * Wires everything together and listens. The database may come later: until then `/readyz` says so.
 * @throws {Error} when a product manifest is malformed or an address is taken
 */
export async function startServer(config: Config, log: Logger, options: ServerOptions = {}): Promise<RunningServer> {
  let stopping = false
  const ending = new AbortController()
  const catalogue = await loadCatalogue(config.manifestFolder)
  const keyring = config.keyring ?? shortLivedKeyring(log)
  const db = openDatabase(config, log)
  const changes = listenerOf(config, db, log, options)
  const apiKeys = new ApiKeyVerifier({
    db,
    catalogue,
    keyring,
    changes,
    hashCost: config.hashCost,
    macMode: config.macMode,
    onFailure: (error) => log.warn({ err: error }, 'API keys are verified without what went wrong here'),
  })
  const ingest = new Ingest(db, catalogue, (error) =>
    log.warn({ err: error }, 'the search index takes in events within their batches, which wait for it'),
  )
  const takeCheckpoints = checkpointTaker(db, config.signingKey, log)
  const issuer = new KeyIssuer(keyring, config.hashCost)
  const metrics = config.metrics && createMetrics({ apiKeys, changes, partitionsAhead: () => countPartitionsAhead(db) })
  // In a record of plain values there is nothing to redact, and looking for it takes a twentieth of a request.
  const plainLog = log.child({}, { redact: [] })
  const readiness = createReadiness({
    db,
    database: config.database,
    catalogue,
    keyring: config.keyring,
    observesLostKids: config.macMode === 'observe',
    listenerProblem: () => changes.problem,
    strictRole: config.appEnv !== 'dev',
    isStopping: () => stopping,
    onFailure: (error) => log.warn({ err: error }, 'readiness could not ask the database'),
  })
  const onAnswered = ({ error, ...answered }: Answered) => {
    metrics?.answered(answered)
    if (answered.status >= 500) log.error({ ...answered, err: error }, 'answered')
    else plainLog.info(answered satisfies PlainRecord, 'answered')
  }
  const app = createApp({
    services: {
      db,
      catalogue,
      keyring,
      apiKeys,
      ingest,
      issuer,
      changes,
      readiness,
      purgeAfterDays: config.purgeAfterDays,
      viewerTtlSeconds: config.viewerTtlSeconds,
    },
    auth: { ...config.auth, productOfClient: clientsOf(catalogue), onWarning: (message) => log.warn(message) },
    trustProxy: config.trustProxy,
    rateLimit: config.rateLimit,
    retraced: config.retraced,
    corsOrigins: config.corsOrigins,
    production: config.appEnv === 'prod',
    stopping: ending.signal,
    onAnswered,
    onMisfit: (error) => log.error({ err: error }, 'an answer does not fit its description'),
  })

  const servers: Server[] = []
  const metricsServers: Server[] = []
  const drains: (() => Promise<void>)[] = []
  const listen = async (server: Server, address: ListenAddress, among: Server[]) => {
    among.push(server)
    drains.push(drainable(server))
    server.listen(address)
    await once(server, 'listening')
  }
  try {
    for (const address of config.listen) {
      await listen(createServer(app, { isDraining: () => stopping, onAnswered }), address, servers)
    }
    if (metrics) {
      for (const address of config.metrics ?? []) await listen(createMetricsServer(metrics), address, metricsServers)
    }
  } catch (error) {
    for (const server of [...servers, ...metricsServers]) server.close()
    await db.destroy()
    throw error
  }

  apiKeys.start()
  changes.start()
  // Without anybody who looks at it there is nothing to measure.
  const probe = metrics && new RevocationProbe(db, apiKeys, keyring)
  const measureRevocation = async (signal: AbortSignal) => {
    // While nothing is heard it takes as long as the next look at the feed: known, and told by another series.
    if (!changes.isListening || changes.heardAt === -Infinity) return
    try {
      const seconds = await probe?.measure(signal)
      if (seconds !== undefined) metrics?.revoked(seconds)
    } catch (error) {
      // It is time to stop, and nothing to report.
      if (signal.aborted) return
      metrics?.probeFailed()
      throw error
    }
  }
  const jobs = startJobs(
    options.jobs === 'none'
      ? []
      : jobsOfRegistry(db, catalogue, config, takeCheckpoints, options.jobs, probe && measureRevocation),
    log,
  )
  return {
    addresses: servers.map(spellAddress),
    metricsAddresses: metricsServers.map(spellAddress),
    async stop() {
      stopping = true
      const jobsEnded = jobs.stop()
      changes.drain()
      // Load balancers look at readiness now and then: until they have, they send requests, and those are answered.
      await sleep(config.shutdownDelayMs)
      // An export has no end in sight; whoever reads it goes on after its last cursor.
      ending.abort()
      const changesEnded = changes.close()
      await Promise.all(drains.map((drain) => drain()))
      await Promise.all([jobsEnded, changesEnded, apiKeys.close(), ingest.close()])
      // Nothing of ours is written any more: what was is to be told of by whoever did it.
      if (options.jobs !== 'none') {
        await takeCheckpoints().catch((error: unknown) => log.warn({ err: error }, 'no last checkpoint was taken'))
      }
      await db.destroy()
    },
  }
}

/** Secrets for as long as the process lives: enough for a look around, and nothing that was made with them lasts. */
function shortLivedKeyring(log: Logger): Keyring {
  log.warn('SECRETS_KEYRING_FILE is not set: what depends on a secret of the server ends with this process')
  return parseKeyring(newKeyringText(`process-${randomBytes(4).toString('hex')}`))
}

/** Which product speaks through which client of the identity provider. */
function clientsOf(catalogue: Catalogue): (clientId: string) => string | undefined {
  const products = new Map(
    [...catalogue.products.values()].flatMap(({ key, client_id: client }) =>
      client === undefined ? [] : [[client, key]],
    ),
  )
  return (clientId) => products.get(clientId)
}

/** @throws {ConfigError} for a URL that pg cannot use, such as one that names a certificate which is not there */
function openDatabase({ database }: Config, log: Logger): Db {
  try {
    return createDb({
      ...database,
      onIdleError: (error) => log.warn({ err: error }, 'an idle database connection broke'),
    })
  } catch (cause) {
    throw new ConfigError(`DATABASE_URL: cannot be used: ${cause instanceof Error ? cause.message : ''}`, { cause })
  }
}

/** @throws {ConfigError} for a URL that pg cannot use */
function listenerOf({ listenUrl }: Config, db: Db, log: Logger, { waitersMax }: ServerOptions): ChangeListener {
  try {
    return new ChangeListener({
      db,
      connectionString: listenUrl,
      waitersMax,
      onListening: () => log.info('changes are noticed at once'),
      onFailure: (error) => log.warn({ err: error }, 'changes are noticed late'),
    })
  } catch (cause) {
    throw new ConfigError(`DATABASE_LISTEN_URL: cannot be used: ${cause instanceof Error ? cause.message : ''}`, {
      cause,
    })
  }
}

function spellAddress(server: Server): string {
  const address = server.address()
  if (address === null || typeof address === 'string') return String(address)
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}
