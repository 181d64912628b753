import type { Generator, ServerUnderLoad } from './children.ts'
import type { Order } from './load.ts'

/** What is asked of every server that can answer it. */
export interface Workload {
  readonly title: string
  readonly order: Omit<Order, 'port' | 'connections' | 'seconds' | 'requestsMax' | 'slugPrefix'>
  /** The names of the servers that it is asked of, the one that all are compared with first. */
  readonly servers: readonly string[]
  /** The most that the registry's processor time may be of the first server's. */
  readonly target?: number
}

/** How long and how often. */
export interface Effort {
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly connections: number
}

/** One server in one round. */
export interface Sample {
  readonly cpuMicroseconds: number
  readonly requestsPerSecond: number
}

/** The samples of every server, one for each round. */
export type Samples = ReadonlyMap<string, readonly Sample[]>

/**
 * Loads one server after the other, round after round and in turned order every other time, so that whatever else the
 * machine does falls on all of them.
 */
export async function measure(
  { order, servers: names }: Workload,
  servers: ReadonlyMap<string, ServerUnderLoad>,
  generator: Generator,
  { rounds, seconds, warmUpSeconds, connections }: Effort,
  signal: AbortSignal,
): Promise<Samples> {
  const samples = new Map<string, Sample[]>(names.map((name) => [name, []]))
  const load = async (name: string, duration: number, round: number): Promise<Sample> => {
    signal.throwIfAborted()
    const server = servers.get(name)
    if (!server) throw new Error(`no server named ${name}`)
    const before = await server.cpuMicroseconds()
    const slugPrefix = `bench-${names.indexOf(name)}-${round}`
    const { port, token } = server
    const outcome = await generator.run({ token, ...order, port, connections, seconds: duration, slugPrefix })
    const used = (await server.cpuMicroseconds()) - before
    return { cpuMicroseconds: used / outcome.requests, requestsPerSecond: outcome.requests / outcome.seconds }
  }
  for (const name of names) await load(name, warmUpSeconds, 0)
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of round % 2 ? names : names.toReversed()) {
      samples.get(name)?.push(await load(name, seconds, round))
    }
  }
  return samples
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1)
  return middle.reduce((sum, number) => sum + number, 0) / middle.length
}
