import { provenAtOnce } from '../../packages/core/src/api-keys/password-hash.ts'
import { type ServerUnderLoad, startArgon2, startGenerator } from './children.ts'
import type { Seen } from './cpu-probe.ts'
import { batchOf, batchPath, bodyOf, forgedTokens, freshKeys, type KeyScene, verifyPath } from './key-scene.ts'
import type { Order, Outcome } from './load.ts'
import { median } from './measure.ts'
import { atMost, count, type Finding, judged, p99, section } from './report.ts'
import { bySlug } from './workloads.ts'

/** Forged tokens: so many in each request, over so many connections. */
const flood = { perSecond: 5_000, seconds: 30, perRequest: 50, connections: 10 } as const
/** How many keys come at once, and the seconds in which all have their answer. */
const some = { keys: 500, seconds: 6 } as const
const many = { keys: 5_000, seconds: 9 } as const
const targets = { othersMultiple: 2, eventLoopMilliseconds: 50, memoryMultiple: 1.1 } as const

/** What others ask for, over one connection, and for how long before anything happens. */
const others = { method: 'GET', path: bySlug, status: 200, slugPrefix: '', connections: 1, perSecond: 200 } as const
const baselineSeconds = 9
/** How many replicas are cold: what others wait differs from one to the next. */
const replicas = 3

/** A replica of its own that something will happen to. */
interface Target {
  /** The p99 of what others wait while nothing happens, in milliseconds. */
  readonly before: number
  /** The same beside a process that does nothing but argon2: what it takes from a machine of so few cores. */
  readonly besideArgon2: number
  /** Sends something, and others ask meanwhile. */
  readonly storm: (seconds: number, order: Storming) => Promise<Storm>
}

type Storming = Omit<Order, 'port' | 'seconds' | 'token' | 'method' | 'slugPrefix'>

/** What came of it. */
interface Storm {
  readonly outcome: Outcome
  readonly seen: Seen
  /** The p99 of what others waited, in milliseconds. */
  readonly meanwhile: number
}

/** What strangers send: no argon2 for any of it, and nobody else waits for it. */
export async function forged(scene: KeyScene): Promise<Finding> {
  const [known = ''] = await freshKeys(scene, 1)
  const { before, outcome, seen, meanwhile } = await onReplica(scene, async ({ before, storm }) => ({
    before,
    ...(await storm(flood.seconds, {
      path: batchPath,
      body: Array.from({ length: 100 }, () => batchOf(forgedTokens(known, flood.perRequest))),
      status: 200,
      says: '"NOT_FOUND"',
      connections: flood.connections,
      perSecond: flood.perSecond / flood.perRequest / flood.connections,
    })),
  }))
  const rate = (outcome.requests * flood.perRequest) / outcome.seconds
  const what = `${count(flood.perSecond)} forged tokens a second`
  return {
    table: section(
      `${what} for ${flood.seconds} s, ${flood.perRequest} in each request`,
      ['', 'tokens per second', 'argon2', 'p99 of by-slug before', 'meanwhile', 'as a multiple'],
      [['registry', count(rate), count(seen.argon2.begun), ...besides(before, meanwhile)]],
    ),
    verdicts: [
      judged(seen.argon2.begun === 0, `${what}: ${seen.argon2.begun} argon2, target 0`),
      judged(rate >= flood.perSecond * 0.98, `${what}: ${count(rate)} a second had their answers`),
      atMost(`${what}: p99 of other requests, times that before`, meanwhile / before, targets.othersMultiple),
    ],
  }
}

/** Keys that a replica has never seen, all at once. */
export async function cold(scene: KeyScene): Promise<Finding> {
  const keys = await freshKeys(scene, many.keys)
  const order = (number: number): Storming => ({
    path: verifyPath,
    body: keys.slice(0, number).map(bodyOf),
    status: [200, 503],
    says: '"VALID"',
    connections: number,
    requestsMax: number,
  })
  const first = await onReplica(scene, async ({ storm, ...calm }) => ({
    ...calm,
    ...(await storm(some.seconds, order(some.keys))),
  }))
  const [second, again] = await onReplica(scene, async ({ storm, ...calm }) => [
    { ...calm, ...(await storm(many.seconds, order(many.keys))) },
    { ...calm, ...(await storm(many.seconds, order(many.keys))) },
  ])
  const crowds = [second]
  while (crowds.length < replicas) {
    const next = await onReplica(scene, async ({ storm, ...calm }) => ({
      ...calm,
      ...(await storm(many.seconds, order(many.keys))),
    }))
    crowds.push(next)
  }
  const lines = [
    lineOf(count(some.keys), first),
    ...crowds.map((crowd) => lineOf(count(many.keys), crowd)),
    lineOf(`the first ${count(many.keys)} again`, again),
  ]
  const heads = [
    'keys at once',
    'valid',
    '503',
    'the last after',
    'argon2, at the same time',
    'p99 of the event loop',
    'memory at most, kept',
    'p99 of by-slug before',
    'beside argon2 alone',
    'meanwhile',
    'as a multiple',
  ]
  const [fewer, more] = [some, many].map(({ keys }) => `${count(keys)} keys at once on a cold replica`)
  const valid = first.outcome.statuses[200] ?? 0
  const answered = second.outcome.requests
  const memory = again.seen.memory.kept / second.seen.memory.kept
  return {
    table: section('Keys for the first time, all at once', heads, lines),
    verdicts: [
      judged(valid === some.keys, `${fewer}: ${count(valid)} are valid, ${count(some.keys - valid)} refused, target 0`),
      atMost(`${fewer}: seconds until the last answer`, lastOf(first), some.seconds),
      atMost(`${fewer}: argon2 at the same time`, first.seen.argon2.atOnce, provenAtOnce),
      atMost(
        `${fewer}: p99 of the event loop in milliseconds`,
        first.seen.eventLoopP99Milliseconds,
        targets.eventLoopMilliseconds,
      ),
      judged(answered === many.keys, `${more}: ${count(answered)} are valid or told to come back, target all`),
      atMost(`${more}: seconds until the last answer`, lastOf(second), many.seconds),
      atMost(`${more}: argon2 at the same time`, second.seen.argon2.atOnce, provenAtOnce),
      atMost(
        `${more}: memory that is kept after the second time, times that after the first`,
        memory,
        targets.memoryMultiple,
      ),
      atMost(
        `${more}: p99 of other requests, times that before`,
        median(crowds.map(({ before, meanwhile }) => meanwhile / before)),
        targets.othersMultiple,
      ),
    ],
  }
}

/** Starts a replica, lets others ask until nothing about it is new, and gives it away. */
async function onReplica<Result>(scene: KeyScene, happen: (target: Target) => Promise<Result>): Promise<Result> {
  const replica = await scene.startReplica()
  const second = startGenerator()
  try {
    const { port, token } = replica
    const { warmUpSeconds, connections } = scene.effort
    const asOthers = async (order: Partial<Order> & Pick<Order, 'seconds'>) =>
      await second.run({ ...others, port, token, ...order })
    await asOthers({ seconds: warmUpSeconds, connections, perSecond: undefined })
    const calm = async () => p99((await asOthers({ seconds: baselineSeconds })).milliseconds)
    const before = await calm()
    const besideArgon2 = await whileHashing(calm)
    return await happen({
      before,
      besideArgon2,
      async storm(seconds, order) {
        scene.signal.throwIfAborted()
        await replica.watch()
        const [outcome, meanwhile] = await Promise.all([send(scene, replica, seconds, order), asOthers({ seconds })])
        return { outcome, seen: await replica.seen(), meanwhile: p99(meanwhile.milliseconds) }
      },
    })
  } finally {
    await second.stop()
    await replica.stop()
  }
}

async function whileHashing<Result>(measureIt: () => Promise<Result>): Promise<Result> {
  const neighbour = await startArgon2()
  try {
    return await measureIt()
  } finally {
    await neighbour.stop()
  }
}

async function send({ generator, tokens }: KeyScene, { port }: ServerUnderLoad, seconds: number, order: Storming) {
  return await generator.run({ ...order, method: 'POST', slugPrefix: '', port, token: tokens.certifai, seconds })
}

function lineOf(what: string, { before, besideArgon2, outcome, seen, meanwhile }: Storm & Omit<Target, 'storm'>) {
  const { argon2, eventLoopP99Milliseconds, memory } = seen
  return [
    what,
    count(outcome.statuses[200] ?? 0),
    count(outcome.statuses[503] ?? 0),
    `${lastOf({ outcome }).toFixed(1)} s`,
    `${count(argon2.begun)}, ${argon2.atOnce}`,
    ms(eventLoopP99Milliseconds),
    `${mebibytes(memory.most)}, ${mebibytes(memory.kept)}`,
    ...besides(before, meanwhile).toSpliced(1, 0, ms(besideArgon2)),
  ]
}

/** What others wait, as cells of a table. */
const besides = (before: number, meanwhile: number) => [
  ms(before),
  ms(meanwhile),
  `**${(meanwhile / before).toFixed(2)}**`,
]

const lastOf = ({ outcome }: Pick<Storm, 'outcome'>) => Math.max(...outcome.milliseconds) / 1000
const ms = (value: number) => `${value.toFixed(1)} ms`
const mebibytes = (bytes: number) => `${count(bytes / 2 ** 20)} MiB`
