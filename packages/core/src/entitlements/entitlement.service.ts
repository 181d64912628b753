import type { Reader } from '../db/handles.ts'
import { RegistryError } from '../errors.ts'
import type { TenantId } from '../id.ts'
import type { Catalogue } from '../products/catalogue.ts'
import type { Sight } from '../sight.ts'
import { type Facts, findFacts } from './entitlement.repository.ts'
import type { EntitlementQuery, Entitlements } from './entitlement.ts'
import { evaluate } from './evaluate.ts'
import type { EvaluationItem, EvaluationResults, evaluationErrors } from './evaluation.ts'

type Failure = (typeof evaluationErrors)[number]

/**
 * What a tenant may use, now or at the moment that is asked for. Who sees tenants by a product of theirs is answered for
 * that product alone.
 * @throws {RegistryError} `tenant.not_found`; `project.not_found`, also for the project of another tenant;
 *   `product.unknown` for a product that neither the catalogue nor the tenant has, or that is out of sight
 */
export async function getEntitlements(
  db: Reader,
  sight: Sight,
  catalogue: Catalogue,
  tenantId: TenantId,
  query: EntitlementQuery,
): Promise<Entitlements> {
  const [answer] = await answerAll(db, sight, catalogue, [{ ...query, tenant_id: tenantId }])
  if (typeof answer === 'object') return answer
  const detail = `There is no product ${JSON.stringify(query.product)}.`
  throw new RegistryError(answer ?? 'tenant.not_found', answer === 'product.unknown' ? { detail } : {})
}

/**
 * What many tenants may use, each question answered by itself and in order, all of them by what is known at one moment.
 * A question that would fail gets its code, and keeps none of the others from its answer.
 */
export async function evaluateMany(
  db: Reader,
  sight: Sight,
  catalogue: Catalogue,
  items: readonly EvaluationItem[],
): Promise<EvaluationResults> {
  const answers = await answerAll(db, sight, catalogue, items)
  const data = items.map(({ tenant_id }, index) => {
    const answer = answers[index] ?? 'tenant.not_found'
    return typeof answer === 'object'
      ? { tenant_id, entitlements: answer, error: null }
      : { tenant_id, entitlements: null, error: answer }
  })
  return { data }
}

async function answerAll(
  db: Reader,
  sight: Sight,
  catalogue: Catalogue,
  items: readonly EvaluationItem[],
): Promise<(Entitlements | Failure)[]> {
  const wanted = items.map(({ tenant_id, project_id = null, product }) => ({
    tenant_id,
    project_id,
    product: product ?? onlyProductOf(sight) ?? null,
  }))
  const facts = await findFacts(db, sight, wanted)
  const now = new Date()
  return items.map((item, index) => answer(facts[index], sight, catalogue, item, now))
}

function answer(
  facts: Facts | undefined,
  sight: Sight,
  catalogue: Catalogue,
  { project_id, product = onlyProductOf(sight), at }: EvaluationItem,
  now: Date,
): Entitlements | Failure {
  if (!facts) return 'tenant.not_found'
  if (product !== undefined && !isInSight(product, facts, sight, catalogue)) return 'product.unknown'
  if (project_id !== undefined && !facts.project) return 'project.not_found'
  return evaluate({ ...facts, products: catalogue.products, product, at: at ?? now })
}

function isInSight(product: string, { assignments }: Facts, sight: Sight, { keys }: Catalogue): boolean {
  if (sight.kind === 'product') return product === sight.product
  // What has no manifest any more is shown to those who still have it.
  return keys.has(product) || assignments.some((assignment) => assignment.product === product)
}

function onlyProductOf(sight: Sight): string | undefined {
  return sight.kind === 'product' ? sight.product : undefined
}
