import { sql } from 'kysely'
import type { AuditedTx, HousekeepingTx, Reader } from '../../db/handles.ts'
import { columnsOf, madeFor, scopeOfColumns } from './group-state.ts'
import type { GroupScope } from './scope.ts'

/** Who may look into the log of a group now. */
export interface Viewer {
  /** A UUID. */
  readonly id: string
  readonly scope: GroupScope
  readonly actor_id: string | null
  /** Whether it may make enterprise tokens. */
  readonly is_admin: boolean
  /** The action that is recorded when it looks. */
  readonly view_log_action: string
  readonly created_at: Date
  readonly expires_at: Date
}

const columns = [
  'id',
  'product',
  'environment',
  'group_id',
  'tenant_id',
  'target_id',
  'actor_id',
  'is_admin',
  'view_log_action',
  'created_at',
  'expires_at',
] as const

/** Those that are not over yet, by the database's clock: it made them. */
const present = (db: Reader) =>
  db
    .selectFrom('registry.audit_viewers')
    .select(columns)
    .where('expires_at', '>', sql<Date>`now()`)

type Row = Awaited<ReturnType<ReturnType<typeof present>['executeTakeFirst']>>

function viewerOf(row: Row): Viewer | undefined {
  if (!row) return undefined
  const { id, actor_id, is_admin, view_log_action, created_at, expires_at } = row
  return { id, scope: scopeOfColumns(row), actor_id, is_admin, view_log_action, created_at, expires_at }
}

export async function findViewer(db: Reader, id: string): Promise<Viewer | undefined> {
  return viewerOf(await present(db).where('id', '=', id).executeTakeFirst())
}

export async function findViewerByToken(db: Reader, digest: Buffer): Promise<Viewer | undefined> {
  return viewerOf(await present(db).where('token_digest', '=', digest).executeTakeFirst())
}

/** What is stored of a new viewer. */
export interface NewViewerRow extends Pick<Viewer, 'id' | 'scope' | 'actor_id' | 'is_admin' | 'view_log_action'> {
  readonly token_digest: Buffer
  readonly ttlSeconds: number
}

export async function insertViewer(tx: HousekeepingTx, { scope, ttlSeconds, ...viewer }: NewViewerRow): Promise<void> {
  await tx
    .insertInto('registry.audit_viewers')
    .values({ ...viewer, ...columnsOf(scope), expires_at: sql<Date>`now() + make_interval(secs => ${ttlSeconds})` })
    .execute()
}

/** Ends what somebody may still look at. Answers how many it were. */
export async function deleteViewers(
  tx: AuditedTx,
  { product, environment, group }: GroupScope,
  actorId: string,
): Promise<number> {
  const gone = await tx
    .deleteFrom('registry.audit_viewers')
    .where('product', '=', product)
    .where('environment', '=', environment)
    .where(() => madeFor(group, 'audit_viewers'))
    .where('actor_id', '=', actorId)
    .where('expires_at', '>', sql<Date>`now()`)
    .returning('id')
    .execute()
  return gone.length
}

/** Deletes some of those that are over, with what they saved. */
export async function deleteOldViewers(
  tx: HousekeepingTx,
  from: 'registry.audit_viewers' | 'registry.audit_support_viewers',
  rowsMax: number,
): Promise<number> {
  const gone = await tx
    .deleteFrom(from)
    .where('id', 'in', (old) =>
      old
        .selectFrom(from)
        .select('id')
        .where('expires_at', '<', sql<Date>`now()`)
        .limit(rowsMax)
        .forUpdate()
        .skipLocked(),
    )
    .returning('id')
    .execute()
  return gone.length
}
