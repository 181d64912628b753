import {
  type Actor,
  type Catalogue,
  cleanAuditClaims,
  cleanChanges,
  cleanIdempotency,
  cleanViewers,
  type Db,
  ensureAuditPartitions,
  everything,
  purgeTenants,
  recordDrops,
  saveRetention,
  sweepEndedTrials,
} from '@breakpilot/tenant-core'
import type { TakeCheckpoints } from './checkpoints.ts'
import type { Config } from './config.ts'
import type { Job } from './jobs.ts'

const seconds = 1_000
const minutes = 60 * seconds
const hours = 60 * minutes

/** How many trials one transaction ends. */
const trialsMax = 100

/** Milliseconds between two runs of jobs, by their names: for tests, which have no time. */
export type JobIntervals = Readonly<
  Partial<
    Record<
      | 'trials'
      | 'purge'
      | 'changes'
      | 'idempotency'
      | 'audit-claims'
      | 'audit-partitions'
      | 'audit-viewers'
      | 'audit-checkpoints'
      | 'audit-retention'
      | 'revocation-probe',
      number
    >
  >
>

/** What the registry does by itself. Every replica does: each turn is taken in the database. */
export function jobsOfRegistry(
  db: Db,
  catalogue: Catalogue,
  { appEnv }: Pick<Config, 'appEnv'>,
  takeCheckpoints: TakeCheckpoints,
  intervals: JobIntervals = {},
  probe?: (signal: AbortSignal) => Promise<void>,
): readonly Job[] {
  const isDev = appEnv === 'dev'
  const job = (name: keyof JobIntervals, everyMs: number, run: Job['run']): Job => ({
    name,
    everyMs: intervals[name] ?? everyMs,
    run,
  })
  return [
    job('trials', isDev ? 5 * seconds : 30 * seconds, (signal) => sweepAllTrials(db, signal)),
    job('purge', isDev ? 5 * seconds : minutes, (signal) => purgeTenants(db, actorOf('purge-job'), { signal })),
    job('changes', minutes, (signal) => cleanChanges(db, signal)),
    job('idempotency', minutes, () => cleanAnswers(db)),
    job('audit-viewers', minutes, () => cleanViewers(db)),
    job('audit-claims', 10 * minutes, () => cleanAuditClaims(db)),
    job('audit-partitions', 24 * hours, () => ensureAuditPartitions(db)),
    job('audit-checkpoints', minutes, takeCheckpoints),
    job('audit-retention', isDev ? 5 * seconds : minutes, () => keepRetention(db, catalogue)),
    ...(probe ? [job('revocation-probe', minutes, probe)] : []),
  ]
}

const actorOf = (id: string): Actor => ({ id, role: 'system', sight: everything })

async function sweepAllTrials(db: Db, signal: AbortSignal): Promise<number> {
  for (let all = 0; ;) {
    const swept = await sweepEndedTrials(db, actorOf('trial-sweeper'), new Date(), trialsMax)
    all += swept
    if (swept < trialsMax || signal.aborted) return all
  }
}

async function keepRetention(db: Db, catalogue: Catalogue): Promise<number> {
  return (await saveRetention(db, catalogue)) + (await recordDrops(db, actorOf('audit-retention')))
}

async function cleanAnswers(db: Db): Promise<number> {
  const { answers, secrets } = await cleanIdempotency(db)
  return answers + secrets
}
