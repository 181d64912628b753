import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'

/** Something that is to be done again and again. */
export interface Job {
  readonly name: string
  readonly everyMs: number
  /** Does what there is to do, heeds the signal between its steps, and answers how much it was. */
  readonly run: (signal: AbortSignal) => Promise<number | void>
}

/** Jobs that run. */
export interface RunningJobs {
  /** Lets the steps that are under way end, and begins no other. */
  stop(): Promise<void>
}

/** How long after the start a job may run for the first time, at most. */
const firstWithinMs = 10_000

/**
 * Runs each job at its interval, and never beside itself. Other processes run the same jobs, so each of them has to
 * bear that.
 */
export function startJobs(jobs: readonly Job[], log: Logger): RunningJobs {
  const stopping = new AbortController()
  const running = jobs.map(async (job) => await repeat(job, stopping.signal, log.child({ job: job.name })))
  return {
    async stop() {
      stopping.abort()
      await Promise.all(running)
    },
  }
}

async function repeat({ everyMs, run }: Job, signal: AbortSignal, log: Logger): Promise<void> {
  let failing = false
  // Replicas that start together are not to do everything together ever after.
  let pauseMs = Math.min(everyMs, firstWithinMs) * Math.random()
  while (await pause(pauseMs, signal)) {
    pauseMs = everyMs * (0.9 + Math.random() / 5)
    try {
      const done = await run(signal)
      if (failing) log.info('the job works again')
      if (done) log.info({ done }, 'the job had something to do')
      failing = false
    } catch (error) {
      // A database that is away for an hour is one thing to report, not seven hundred.
      if (failing) log.debug({ err: error }, 'the job failed again')
      else log.warn({ err: error }, 'the job failed; it is tried again')
      failing = true
    }
  }
}

/** False when it is time to stop. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined)
  return !signal.aborted
}
