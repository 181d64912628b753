import { cpus } from 'node:os'
import { evaluate, type Evaluation } from '../../packages/core/src/entitlements/evaluate.ts'
import { TenantId } from '../../packages/core/src/id.ts'
import { createCatalogue } from '../../packages/core/src/products/catalogue.ts'
import { Manifest } from '../../packages/core/src/products/manifest.ts'

/**
 * How many whole answers, of a tenant with five products, one core makes in a second: `pnpm bench` runs it, and so does
 * `node --conditions=@breakpilot/source scripts/bench/evaluator.ts`. What it is compared with is the least that anybody
 * could do for such an answer: copy it.
 */

const rounds = 9
const roundMs = 500

const plans = {
  professional: { config: { region: 'us' }, limits: { projects: 25 }, features: ['reports', 'api', 'sso'] },
}
const manifests = ['atlas', 'beacon', 'certifai', 'compliance', 'dossier'].map((key) =>
  Manifest.parse({
    key,
    name: key,
    status: 'active',
    owner: 'bench',
    supports_projects: true,
    default_config: { region: 'eu', model: 'small', retention: { days: 90, archive: true } },
    features: ['reports'],
    limits: { projects: 3, audit_retention_days: 90 },
    plans,
  }),
)
const at = new Date('2026-06-01T12:00:00.000Z')

/** A customer under contract: two of the products are as the plan has them, three have something of their own. */
const evaluation: Evaluation = {
  tenant: {
    id: TenantId.parse('00000000-0000-0000-0000-000000000001'),
    plan: 'professional',
    status: 'active',
    status_reason: 'contract_signed',
    status_changed_at: new Date('2026-01-01T00:00:00.000Z'),
    frozen_from: null,
    trial_ends_at: null,
    contract_starts_at: new Date('2026-01-01T00:00:00.000Z'),
    contract_ends_at: new Date('2027-01-01T00:00:00.000Z'),
  },
  assignments: manifests.map(({ key }, index) => ({
    product: key,
    enabled: true,
    config: index % 2 ? {} : { model: 'large', retention: { days: 365 } },
    limits: index % 2 ? {} : { projects: 40 },
    valid_from: index === 4 ? new Date('2026-03-01T00:00:00.000Z') : null,
    valid_until: index === 4 ? new Date('2026-09-01T00:00:00.000Z') : null,
    version: 1 + index,
  })),
  products: createCatalogue(manifests).products,
  at,
}

const answer = evaluate(evaluation)
const text = JSON.stringify(answer)
const contenders = {
  evaluate: () => evaluate(evaluation),
  'JSON.stringify of the answer': () => JSON.stringify(answer),
  'JSON.parse of the answer': () => JSON.parse(text) as unknown,
  'structuredClone of the answer': () => structuredClone(answer),
}

/** Keeps what was made from being optimized away. */
let sink: unknown

/** How many in a second of processor time, which does not count what the machine does meanwhile. */
function perSecond(make: () => unknown, forMs: number): number {
  const before = process.cpuUsage()
  let made = 0
  let usedMs = 0
  do {
    for (let n = 0; n < 1000; n += 1) sink = make()
    made += 1000
    const { user, system } = process.cpuUsage(before)
    usedMs = (user + system) / 1000
  } while (usedMs < forMs)
  return (made / usedMs) * 1000
}

const results = new Map<string, number[]>()
for (const [name, make] of Object.entries(contenders)) {
  perSecond(make, roundMs)
  results.set(name, [])
}
// In turns, so that whatever else the machine does falls on all of them.
for (let round = 0; round < rounds; round += 1) {
  for (const [name, make] of Object.entries(contenders)) results.get(name)?.push(perSecond(make, roundMs))
}
if (sink === undefined) throw new Error('nothing was made')

const medianOf = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN
const rate = (value: number) => Math.round(value).toLocaleString('en').padStart(10)
console.log(`whole answers of ${answer.data.length} products (${text.length} bytes of JSON) in a second, one core`)
console.log(`${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node.js ${process.versions.node}, ${rounds} rounds`)
for (const [name, rates] of results) {
  console.log(
    `${name.padEnd(30)} ${rate(medianOf(rates))}  (${rate(Math.min(...rates))} to ${rate(Math.max(...rates))})`,
  )
}
