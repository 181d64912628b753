import { type Expression, sql, type SqlBool } from 'kysely'
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

/** What is read of a tenant; the same for one and for many. */
const tenantColumns = [
  'tenants.id',
  'tenants.plan',
  'tenants.status',
  'tenants.status_reason',
  'tenants.status_changed_at',
  'tenants.frozen_from',
  'tenants.trial_ends_at',
  'tenants.contract_starts_at',
  'tenants.contract_ends_at',
] as const

/** What is read of each product that the tenant has, in the order of the answer. */
const assignmentColumns = ['product', 'enabled', 'config', 'limits', 'version'] as const

type Ids = Param<readonly TenantId[] | null>
type Text = Param<string | null>
type Texts = Param<readonly (string | null)[]>

/** A time as JSON can have it whatever the session's time zone: its text depends on that. */
const milliseconds = (column: 'valid_from' | 'valid_until') =>
  sql<number | null>`(extract(epoch from ${sql.ref(column)}) * 1000)::float8`.as(column)

/** The products of the tenant, or the one that is wanted, as one JSON text: a row for each would repeat the tenant in it. */
function assignmentsOf(db: Reader, wanted: Expression<string | null>) {
  const rows = db
    .selectFrom('tenant_products')
    .select(assignmentColumns)
    .select([milliseconds('valid_from'), milliseconds('valid_until')])
    .where('tenant_id', '=', sql.ref<TenantId>('tenants.id'))
    .where(sql<SqlBool>`(${wanted}::text is null or product = ${wanted}::text)`)
    .orderBy(sql`product collate "C"`)
  return sql<string>`(select coalesce(json_agg(each), '[]') from ${rows} as each)`.as('assignments')
}

const projectStatus = (db: Reader, wanted: Expression<string | null>) =>
  db
    .selectFrom('tenant_projects')
    .select('status')
    .where('tenant_id', '=', sql.ref<TenantId>('tenants.id'))
    .where(sql<SqlBool>`id = ${wanted}::uuid`)
    .as('project_status')

/**
 * The facts about one tenant. A statement of its own, since PostgreSQL plans the one for many anew each time, which
 * takes three times as long as all the rest.
 */
const factsOfOne = prepared(
  'entitlement_facts_of_one',
  (db, tenantId: Text, projectId: Text, wanted: Text, owner: Param<boolean>, ids: Ids, product: Text) =>
    db
      .selectFrom('tenants')
      .select(tenantColumns)
      .select([assignmentsOf(db, wanted), projectStatus(db, projectId)])
      .where(sql<SqlBool>`tenants.id = ${tenantId}::uuid`)
      .where(() => visible(owner, ids, product)),
)

/** The facts about many tenants in one statement, so that all of them are of one moment. */
const factsOf = prepared(
  'entitlement_facts',
  (db, tenantIds: Texts, projectIds: Texts, products: Texts, owner: Param<boolean>, ids: Ids, product: Text) =>
    db
      .selectFrom(
        sql<FactsWanted & { n: number }>`
          unnest(${tenantIds}::uuid[], ${projectIds}::uuid[], ${products}::text[]) with ordinality
        `.as<'wanted'>(sql`wanted (tenant_id, project_id, product, n)`),
      )
      .innerJoin('tenants', 'tenants.id', 'wanted.tenant_id')
      .select('wanted.n')
      .select(tenantColumns)
      .select([assignmentsOf(db, sql.ref('wanted.product')), projectStatus(db, sql.ref('wanted.project_id'))])
      .where(() => visible(owner, ids, product)),
)

type FactsRow = Awaited<ReturnType<typeof factsOfOne>>[number]

/** An assignment as JSON has it. */
type StoredAssignment = Omit<EntitledAssignment, 'valid_from' | 'valid_until'> &
  Record<'valid_from' | 'valid_until', number | null>

/** Reads what is known of each tenant that is wanted, in that order; undefined for those that are not in sight. */
export async function findFacts(
  db: Reader,
  sight: Sight,
  wanted: readonly FactsWanted[],
): Promise<(Facts | undefined)[]> {
  const [only, ...others] = wanted
  if (only && others.length === 0) {
    const rows = await factsOfOne(db, only.tenant_id, only.project_id, only.product, ...sightParams(sight))
    return [toFacts(rows[0], only)]
  }
  const rows = await factsOf(
    db,
    wanted.map(({ tenant_id }) => tenant_id),
    wanted.map(({ project_id }) => project_id),
    wanted.map(({ product }) => product),
    ...sightParams(sight),
  )
  const byNumber = new Map(rows.map((row) => [row.n, row]))
  return wanted.map((each, index) => toFacts(byNumber.get(index + 1), each))
}

function toFacts(row: FactsRow | undefined, { project_id }: FactsWanted): Facts | undefined {
  if (!row) return undefined
  const { assignments, project_status: status, ...tenant } = row
  return {
    tenant,
    assignments: (JSON.parse(assignments) as StoredAssignment[]).map(toAssignment),
    project: project_id === null || status === null ? undefined : { id: project_id, status },
  }
}

function toAssignment({ valid_from, valid_until, ...row }: StoredAssignment): EntitledAssignment {
  return {
    ...row,
    valid_from: valid_from === null ? null : new Date(valid_from),
    valid_until: valid_until === null ? null : new Date(valid_until),
  }
}
