import { sql, type SqlBool } from 'kysely'
import type { AuditedTx, HousekeepingTx, Reader } from '../../db/handles.ts'
import { columnsOf } from './group-state.ts'
import { type SavedExport, SavedSearch } from './saved-export.ts'
import type { GroupScope } from './scope.ts'

/**
 * The exports of a scope: of a tenant by whatever name it was called when they were saved, and of a text that is none by
 * that. Who sees one target alone sees what was saved for that one.
 */
const ofScope = (db: Reader, { product, environment, group, target_id }: GroupScope) =>
  db
    .selectFrom('registry.audit_exports')
    .select(['id', 'name', 'body', 'saved_at'])
    .where('product', '=', product)
    .where('environment', '=', environment)
    .where('tenant_id', group.tenant_id === null ? 'is' : '=', group.tenant_id)
    .$if(group.tenant_id === null, (query) => query.where('group_id', '=', group.id))
    .where(() => sql<SqlBool>`target_id is not distinct from ${target_id ?? null}::text`)

type Row = Awaited<ReturnType<ReturnType<typeof ofScope>['executeTakeFirstOrThrow']>>

/** What is stored, as it is saved. */
export const exportOf = ({ body, ...row }: Row): SavedExport => ({ ...row, body: SavedSearch.parse(body) })

export async function findExport(db: Reader, scope: GroupScope, id: string): Promise<SavedExport | undefined> {
  const row = await ofScope(db, scope).where('id', '=', id).executeTakeFirst()
  return row && exportOf(row)
}

export async function countExports(db: Reader, scope: GroupScope): Promise<number> {
  const { saved } = await db
    .selectFrom(ofScope(db, scope).as('export'))
    .select(({ fn }) => fn.countAll<number>().as('saved'))
    .executeTakeFirstOrThrow()
  return saved
}

/** Newest first. */
export async function listExports(db: Reader, scope: GroupScope, limit: number): Promise<SavedExport[]> {
  const rows = await ofScope(db, scope).orderBy('saved_at', 'desc').orderBy('id', 'desc').limit(limit).execute()
  return rows.map(exportOf)
}

export async function insertExport(
  tx: AuditedTx,
  scope: GroupScope,
  { id, name, body, saved_by }: Omit<SavedExport, 'saved_at'> & { readonly saved_by: string | null },
): Promise<void> {
  await tx
    .insertInto('registry.audit_exports')
    .values({ ...columnsOf(scope), id, name, body: JSON.stringify(body), saved_by })
    .execute()
}

/** What somebody saved, of any product, and whose log it is of. */
export async function listSavedBy(db: Reader, saved_by: string) {
  return await db
    .selectFrom('registry.audit_exports')
    .select(['id', 'product', 'environment', 'group_id', 'tenant_id'])
    .where('saved_by', '=', saved_by)
    .execute()
}

/** Keeps what was saved, and not who did. */
export async function forgetSavers(tx: HousekeepingTx, ids: readonly string[]): Promise<void> {
  await tx.updateTable('registry.audit_exports').set({ saved_by: null }).where('id', 'in', ids).execute()
}
