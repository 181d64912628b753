import { sql } from 'kysely'
import type { Reader } from '../db/handles.ts'
import { type Param, prepared } from '../db/prepared.ts'
import type { ProjectId, TenantId } from '../id.ts'
import type { Sight } from '../sight.ts'
import { sightParams, visible } from '../tenants/tenant.repository.ts'
import type { EntitledAssignment, EntitledProject, EntitledTenant } from './evaluate.ts'

/** Which rows an answer is made from. */
export interface FactsWanted {
  readonly tenant_id: TenantId
  readonly project_id: ProjectId | null
  /** Only the assignment of this product. */
  readonly product: string | null
}

/** What is known of one tenant: everything its entitlements follow from, read at one moment. */
export interface Facts {
  readonly tenant: EntitledTenant
  readonly assignments: readonly EntitledAssignment[]
  /** The project that was wanted, when this tenant has it. */
  readonly project: EntitledProject | undefined
}

type Texts = Param<readonly (string | null)[]>

/**
 * The facts about many tenants in one statement, so that all of them are of one moment: a row for each product that a
 * tenant has, and one for a tenant without any.
 */
const factsOf = prepared(
  'entitlement_facts',
  (
    db,
    tenantIds: Texts,
    projectIds: Texts,
    products: Texts,
    owner: Param<boolean>,
    ids: Param<readonly TenantId[] | null>,
    product: Param<string | null>,
  ) =>
    db
      .selectFrom(
        sql<FactsWanted & { n: number }>`
          unnest(${tenantIds}::uuid[], ${projectIds}::uuid[], ${products}::text[]) with ordinality
        `.as<'wanted'>(sql`wanted (tenant_id, project_id, product, n)`),
      )
      .innerJoin('tenants', 'tenants.id', 'wanted.tenant_id')
      .leftJoin('tenant_projects', (join) =>
        join
          .onRef('tenant_projects.tenant_id', '=', 'tenants.id')
          .on(sql<boolean>`tenant_projects.id = wanted.project_id`),
      )
      .leftJoin('tenant_products', (join) =>
        join
          .onRef('tenant_products.tenant_id', '=', 'tenants.id')
          .on(sql<boolean>`(wanted.product is null or tenant_products.product = wanted.product)`),
      )
      .select([
        'wanted.n',
        'tenants.id as tenant_id',
        'tenants.plan',
        'tenants.status',
        'tenants.status_reason',
        'tenants.status_changed_at',
        'tenants.frozen_from',
        'tenants.trial_ends_at',
        'tenants.contract_starts_at',
        'tenants.contract_ends_at',
        'tenant_projects.id as project_id',
        'tenant_projects.status as project_status',
        'tenant_products.product',
        'tenant_products.enabled',
        'tenant_products.config',
        'tenant_products.limits',
        'tenant_products.valid_from',
        'tenant_products.valid_until',
        'tenant_products.version',
      ])
      .where(() => visible(owner, ids, product))
      .orderBy('wanted.n')
      .orderBy(sql`tenant_products.product collate "C"`),
)

type FactsRow = Awaited<ReturnType<typeof factsOf>>[number]

/** Reads what is known of each tenant that is wanted, in that order; undefined for those that are not in sight. */
export async function findFacts(
  db: Reader,
  sight: Sight,
  wanted: readonly FactsWanted[],
): Promise<(Facts | undefined)[]> {
  const rows = await factsOf(
    db,
    wanted.map(({ tenant_id }) => tenant_id),
    wanted.map(({ project_id }) => project_id),
    wanted.map(({ product }) => product),
    ...sightParams(sight),
  )
  const byNumber = Map.groupBy(rows, ({ n }) => n)
  return wanted.map((_, index) => toFacts(byNumber.get(index + 1)))
}

function toFacts(rows: readonly FactsRow[] | undefined): Facts | undefined {
  const [first] = rows ?? []
  if (!rows || !first) return undefined
  const { project_id, project_status } = first
  return {
    tenant: { ...first, id: first.tenant_id },
    assignments: rows.flatMap(toAssignment),
    project: project_id === null || project_status === null ? undefined : { id: project_id, status: project_status },
  }
}

/** The outer join has nulls where there is no assignment; the table has none but in the window. */
function toAssignment(row: FactsRow): EntitledAssignment[] {
  const { product, enabled, config, limits, valid_from, valid_until, version } = row
  if (product === null || enabled === null || config === null || limits === null || version === null) return []
  return [{ product, enabled, config, limits, valid_from, valid_until, version }]
}
