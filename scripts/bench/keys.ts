import { askProgram } from './children.ts'
import { revokedElsewhere } from './key-revocations.ts'
import { batchOf, batchPath, bodyOf, freshKeys, type KeyScene, post, verifyPath } from './key-scene.ts'
import { cold, forged } from './key-storms.ts'
import type { VerifierRates } from './key-verifier.ts'
import { measure, median, type Samples, type Workload } from './measure.ts'
import { aboutRequests, atMost, count, type Finding, judged, milliseconds, section } from './report.ts'

/** Everything that is measured about API keys, in this order. */
export const keySubjects: readonly { readonly title: string; readonly find: (scene: KeyScene) => Promise<Finding> }[] =
  [
    { title: 'keys inside of a process', find: inside },
    { title: 'keys over HTTP', find: overHttp },
    { title: 'keys in batches', find: inBatches },
    { title: 'keys that are forged', find: forged },
    { title: 'keys that are revoked elsewhere', find: revokedElsewhere },
    { title: 'keys of a cold replica', find: cold },
  ]

const targets = {
  warmShare: 0.7,
  warmP99Microseconds: 50,
  coldMultiple: 1.5,
  deafSeconds: 30,
  httpPercent: 50,
  batchKeysPerSecond: 150_000,
} as const

async function inside({ database, effort }: KeyScene): Promise<Finding> {
  const question = { url: database.url, rounds: effort.rounds }
  const found = await askProgram<VerifierRates>('scripts/bench/key-verifier.ts', question)
  const { rates, p99: slow, argon2, expiry, together, deafSeconds } = found
  const share = (name: keyof typeof rates) => shareOf(rates[name], rates['bare loop'])
  const rate = (of: readonly number[]) =>
    `${count(median(of))} per second (${count(Math.min(...of))} to ${count(Math.max(...of))})`
  const coldMultiple = shareOf(found.cold, argon2)
  const lines = [
    ['the bare loop', rate(rates['bare loop']), '1'],
    ['a key that was proven before', rate(rates.warm), spread(share('warm'))],
    ['a forged token', rate(rates.forged), spread(share('forged'))],
    ['argon2id alone', milliseconds(argon2), '1'],
    ['a key for the first time', milliseconds(found.cold), spread(coldMultiple)],
  ]
  const warm = median(share('warm'))
  const asked = expiry.reads === 1 && expiry.argon2 === 0
  return {
    table: section(
      'Verification of API keys inside of a process, on one core',
      ['', 'measured', 'as a multiple'],
      lines,
    ),
    verdicts: [
      judged(
        warm >= targets.warmShare,
        `a warm verification: ${warm.toFixed(2)} of the bare loop's rate, target ${targets.warmShare} at least`,
      ),
      atMost('a warm verification: p99 in microseconds', median(slow), targets.warmP99Microseconds),
      atMost('a cold verification: times argon2 alone', median(coldMultiple), targets.coldMultiple),
      judged(asked, `a hot key whose state aged: ${expiry.reads} SELECT and ${expiry.argon2} argon2, target 1 and 0`),
      judged(together === 1, `100 first uses of a key at once: ${together} argon2, target 1`),
      atMost('revoked, and nothing is told of it: seconds', deafSeconds, targets.deafSeconds),
    ],
  }
}

async function overHttp(scene: KeyScene): Promise<Finding> {
  const [key = ''] = await freshKeys(scene, 1)
  const body = bodyOf(key)
  const { workload, samples } = await besideBareExpress(scene, verifyPath, body)
  const percent = 100 * median(shareOf(perSecond(samples, 'registry'), perSecond(samples, 'bare Express')))
  return {
    ...aboutRequests(workload, samples),
    verdicts: [
      judged(
        percent >= targets.httpPercent,
        `POST ${verifyPath}, a warm key: ${percent.toFixed(1)} % of bare Express's requests per second, target ${targets.httpPercent} % at least`,
      ),
    ],
  }
}

async function inBatches(scene: KeyScene): Promise<Finding> {
  const keys = await freshKeys(scene, 100)
  const { workload, samples } = await besideBareExpress(scene, batchPath, batchOf(keys), ` (${keys.length} keys)`)
  const rate = keys.length * median(perSecond(samples, 'registry'))
  return {
    ...aboutRequests(workload, samples),
    verdicts: [
      judged(
        rate >= targets.batchKeysPerSecond,
        `POST ${batchPath}, ${keys.length} warm keys: ${count(rate)} keys per second, target ${count(targets.batchKeysPerSecond)} at least`,
      ),
    ],
  }
}

/** Asks the registry about keys that are good, and bare Express the same. */
async function besideBareExpress(scene: KeyScene, path: string, body: string, what = '') {
  const { servers, tokens, generator, effort, signal } = scene
  const registry = servers.get('registry')
  if (!registry) throw new Error('no server named registry')
  const answer = await post<object>(registry, path, tokens.certifai, JSON.parse(body) as object)
  if (!JSON.stringify(answer).includes('"VALID"')) throw new Error('a key is not valid')
  const workload: Workload = {
    title: `POST ${path}${what}`,
    order: { method: 'POST', path, status: 200, body, token: tokens.certifai },
    servers: ['bare Express', 'registry'],
  }
  return { workload, samples: await measure(workload, servers, generator, effort, signal) }
}

const perSecond = (samples: Samples, name: string) =>
  (samples.get(name) ?? []).map(({ requestsPerSecond }) => requestsPerSecond)

/** Round by round, what some numbers are of others. */
const shareOf = (some: readonly number[], others: readonly number[]) =>
  some.map((number, round) => number / (others[round] ?? Number.NaN))

const spread = (of: readonly number[]) =>
  `**${median(of).toFixed(2)}** (${Math.min(...of).toFixed(2)} to ${Math.max(...of).toFixed(2)})`
