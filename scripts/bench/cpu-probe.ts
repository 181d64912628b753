import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'

/**
 * Preloaded into a server that is measured, which knows nothing of it. Answers `cpu` with the processor time that the
 * process has taken so far, in microseconds, all its threads together. After `watch` it looks at the rest as well, and
 * tells what it saw when it is asked for what was `seen`.
 */

/** What was seen of a server since it was watched. */
export interface Seen {
  /** How often argon2 was begun, and how often at the same time at most; of servers with the other probe. */
  readonly argon2: { readonly begun: number; readonly atOnce: number }
  /** The 99th percentile of the time from one turn of the event loop to the next that was due 10 ms later. */
  readonly eventLoopP99Milliseconds: number
  /** Bytes: the most that the process had, and what of JavaScript's is still there once all garbage is gone. */
  readonly memory: { readonly most: number; readonly kept: number }
}

/** Of all threads of the process together: how often argon2 was begun, how often it is at work, and how often at most. */
const counts = countsOfProcess()
function countsOfProcess(): Int32Array<SharedArrayBuffer> {
  const name = 'counts of argon2'
  const shared = (getEnvironmentData(name) ?? new SharedArrayBuffer(12)) as SharedArrayBuffer
  setEnvironmentData(name, shared)
  return new Int32Array(shared)
}

/** Counts argon2, if something does. */
export const argon2 = {
  begin() {
    Atomics.add(counts, 0, 1)
    const now = Atomics.add(counts, 1, 1) + 1
    for (let most = Atomics.load(counts, 2); most < now; most = Atomics.load(counts, 2)) {
      Atomics.compareExchange(counts, 2, most, now)
    }
  },
  end() {
    Atomics.sub(counts, 1, 1)
  },
}

let loop: ReturnType<typeof monitorEventLoopDelay> | undefined
let mostMemory = 0

function look(): void {
  mostMemory = Math.max(mostMemory, process.memoryUsage.rss())
}

/** Without a flag on the command line, which would be another way to run a server. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

const answers: Readonly<Record<string, () => unknown>> = {
  cpu() {
    const { user, system } = process.cpuUsage()
    return user + system
  },
  watch() {
    if (!loop) {
      loop = monitorEventLoopDelay({ resolution: 10 })
      loop.enable()
      setInterval(look, 100).unref()
    }
    loop.reset()
    Atomics.store(counts, 0, 0)
    Atomics.store(counts, 2, Atomics.load(counts, 1))
    mostMemory = 0
    return true
  },
  seen(): Seen {
    look()
    const eventLoopP99Milliseconds = (loop?.percentile(99) ?? Number.NaN) / 1e6
    collectGarbage()
    return {
      argon2: { begun: Atomics.load(counts, 0), atOnce: Atomics.load(counts, 2) },
      eventLoopP99Milliseconds,
      memory: { most: mostMemory, kept: process.memoryUsage().heapUsed },
    }
  },
}

process.on('message', (question: string) => process.send?.(answers[question]?.()))
// Without this the channel would keep a server alive that has stopped, and a server would outlive a killed bench.
process.channel?.unref()
process.on('disconnect', () => process.exit())
