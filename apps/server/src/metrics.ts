import { createServer, type Server } from 'node:http'
import type { ApiKeyVerifier, ChangeListener } from '@breakpilot/tenant-core'
import type { Answered } from '@breakpilot/tenant-http'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** What the metrics are made of. */
export interface Measured {
  readonly apiKeys: ApiKeyVerifier
  readonly changes: ChangeListener
  /** Asks for how many months the audit log is prepared. */
  readonly partitionsAhead: () => Promise<number>
}

/** The metrics of this process, in the form of Prometheus. */
export interface Metrics {
  /** Hears of every answer. */
  readonly answered: (answered: Answered) => void
  /** Hears how long a revocation took to be refused, in seconds. */
  readonly revoked: (seconds: number) => void
  /** Hears that it could not be measured, or took longer than it may. */
  readonly probeFailed: () => void
  readonly text: () => Promise<string>
  readonly contentType: string
}

const prefix = 'tenant_registry_'

/** Makes the metrics. What is counted elsewhere already is read when somebody asks. */
export function createMetrics({ apiKeys, changes, partitionsAhead }: Measured): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const counted = (name: string, help: string, value: () => number) =>
    new Counter({
      name: prefix + name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(value())
      },
    })
  const measured = (name: string, help: string, value: () => number) =>
    new Gauge({
      name: prefix + name,
      help,
      registers,
      collect() {
        this.set(value())
      },
    })

  const verifications = new Counter({
    name: `${prefix}api_key_verifications_total`,
    help: 'What was said of API keys, that of the probe included.',
    labelNames: ['code'],
    registers: [],
    collect() {
      this.reset()
      for (const [code, count] of Object.entries(apiKeys.counts.codes)) this.inc({ code }, count)
    },
  })
  registry.registerMetric(verifications)
  counted('api_key_warm_total', 'Verifications that neither asked the database nor hashed.', () => apiKeys.counts.warm)
  counted('api_key_state_reads_total', 'Statements that read the state of API keys.', () => apiKeys.counts.reads)
  counted('argon2_total', 'Comparisons by argon2 that were begun.', () => apiKeys.counts.argon2)
  counted('argon2_refused_total', 'Comparisons that waited for too long, or in vain.', () => apiKeys.counts.refused)
  measured('argon2_waiting', 'Comparisons that wait for argon2.', () => apiKeys.counts.waiting)
  measured('api_keys_kept', 'API keys that are known to this process.', () => apiKeys.counts.keys)
  measured('changes_listening', 'Whether changes are heard as soon as they are committed.', () =>
    Number(changes.isListening),
  )
  measured('changes_silence_seconds', 'How long ago it was last known how far the feed is.', () =>
    Math.max(0, (performance.now() - changes.heardAt) / 1000),
  )
  const partitions = new Gauge({
    name: `${prefix}audit_partitions_ahead`,
    help: 'Months that the audit log is prepared for, this one not counted. Below three, find out why.',
    registers: [],
    async collect() {
      // Without the database there is nothing to say, and everything else to be told all the same.
      const ahead = await partitionsAhead().catch(() => Number.NaN)
      this.set(ahead)
    },
  })
  registry.registerMetric(partitions)
  const revocations = new Histogram({
    name: `${prefix}revocation_seconds`,
    help: 'From the commit of a revocation elsewhere until this process refuses the key, measured every minute.',
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30],
    registers,
  })
  const probeFailures = new Counter({
    name: `${prefix}revocation_probe_failures_total`,
    help: 'How many times that could not be measured, or the key was still not refused after 35 seconds.',
    registers,
  })
  const requests = new Histogram({
    name: `${prefix}http_request_seconds`,
    help: 'How long requests took, by their route.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  })
  return {
    // What is no route could be anything, and each thing would be a series of its own.
    answered: ({ method, route, status, duration_ms }) =>
      requests.observe({ method: route === null ? 'any' : method, route: route ?? 'none', status }, duration_ms / 1000),
    revoked: (seconds) => revocations.observe(seconds),
    probeFailed: () => probeFailures.inc(),
    text: async () => await registry.metrics(),
    contentType: registry.contentType,
  }
}

/** The server of the metrics, for a port of its own: they are nobody's business who calls the API. */
export function createMetricsServer(metrics: Metrics): Server {
  return createServer((request, response) => {
    if (request.method !== 'GET') response.writeHead(405, { Allow: 'GET' }).end()
    else if (request.url !== '/metrics') response.writeHead(404).end()
    else {
      metrics.text().then(
        (text) => response.writeHead(200, { 'Content-Type': metrics.contentType }).end(text),
        () => response.writeHead(500).end(),
      )
    }
  })
}
