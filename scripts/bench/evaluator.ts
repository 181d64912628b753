import { evaluate, type Evaluation, loadCatalogue } from '@breakpilot/tenant-core'
import { acme, acmeId, acmeProducts, manifestFolder } from './acme.ts'
import { median } from './measure.ts'

/**
 * How often one core says in a second what a tenant with five products may use: `pnpm bench` asks, and
 * `node --conditions=@breakpilot/source scripts/bench/evaluator.ts` prints it. One evaluation is the whole answer: the
 * gates, layers and next changes of all five. What it is compared with is the least that anybody could do for such an
 * answer: copy it.
 */

/** What came of it. */
export interface EvaluatorRates {
  /** How many products one answer is about. */
  readonly products: number
  readonly bytes: number
  /** By what was done: how many in a second of processor time, one number for each round. */
  readonly rates: Readonly<Record<string, readonly number[]>>
}

const roundMs = 500
/** Keeps what was made from being optimized away. */
let sink: unknown

async function measureEvaluator(rounds: number): Promise<EvaluatorRates> {
  const { products } = await loadCatalogue(manifestFolder)
  const evaluation: Evaluation = {
    tenant: {
      id: acmeId,
      plan: acme.plan ?? null,
      status: 'active',
      status_reason: null,
      status_changed_at: new Date('2020-01-01T00:00:00.000Z'),
      frozen_from: null,
      trial_ends_at: null,
      contract_starts_at: acme.contract_starts_at ?? null,
      contract_ends_at: acme.contract_ends_at ?? null,
    },
    assignments: [...acmeProducts].map(([product, { config = {}, limits = {}, valid_from, valid_until }]) => ({
      product,
      enabled: true,
      config,
      limits,
      valid_from: valid_from ?? null,
      valid_until: valid_until ?? null,
      version: 1,
    })),
    products,
    at: new Date(),
  }
  const answer = evaluate(evaluation)
  const contenders = {
    evaluate: () => evaluate(evaluation),
    'structuredClone of the answer': () => structuredClone(answer),
    'JSON.stringify of the answer': () => JSON.stringify(answer),
  }
  const rates = Object.fromEntries(Object.keys(contenders).map((name): [string, number[]] => [name, []]))
  for (let round = 0; round <= rounds; round += 1) {
    // In turns, so that whatever else the machine does falls on all of them; the first time is for warming up.
    for (const [name, make] of Object.entries(contenders)) {
      const rate = perSecond(make)
      if (round > 0) rates[name]?.push(rate)
    }
  }
  if (sink === undefined) throw new Error('nothing was made')
  return { products: answer.data.length, bytes: JSON.stringify(answer).length, rates }
}

/** How many in a second of processor time, which does not count what the machine does meanwhile. */
function perSecond(make: () => unknown): number {
  const before = process.cpuUsage()
  for (let made = 1000; ; made += 1000) {
    for (let n = 0; n < 1000; n += 1) sink = make()
    const { user, system } = process.cpuUsage(before)
    const usedMs = (user + system) / 1000
    if (usedMs >= roundMs) return (made / usedMs) * 1000
  }
}

if (process.send) {
  process.on('message', ({ rounds }: { readonly rounds: number }) => {
    void measureEvaluator(rounds).then((found) => process.send?.(found))
  })
  process.on('disconnect', () => process.exit())
} else {
  const { rates } = await measureEvaluator(9)
  for (const [name, of] of Object.entries(rates)) {
    console.log(`${name.padEnd(30)} ${Math.round(median(of)).toLocaleString('en').padStart(10)} in a second`)
  }
}
