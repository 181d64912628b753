import { sql } from 'kysely'
import type { AuditedTx, Reader } from '../../db/handles.ts'
import { StreamId, type TenantId } from '../../id.ts'
import { exportOf } from './saved-export.repository.ts'
import type { SavedExport } from './saved-export.ts'
import type { StreamScope } from './scope.ts'

/** Who of the platform's people may look into the whole log of a tenant now. */
export interface SupportViewer {
  /** A UUID. */
  readonly id: string
  readonly scope: StreamScope
  /** Who let themselves in, as the log names them. */
  readonly issuer: { readonly id: string; readonly name?: string; readonly role: string }
  readonly created_at: Date
  readonly expires_at: Date
}

/** Those that are not over yet, by the database's clock: it made them. */
const present = (db: Reader) =>
  db
    .selectFrom('registry.audit_support_viewers')
    .select([
      'id',
      'stream_id',
      'product',
      'environment',
      'issuer_id',
      'issuer_name',
      'issuer_role',
      'created_at',
      'expires_at',
    ])
    .where('expires_at', '>', sql<Date>`now()`)

type Row = Awaited<ReturnType<ReturnType<typeof present>['executeTakeFirst']>>

function viewerOf(row: Row): SupportViewer | undefined {
  if (!row) return undefined
  const { id, stream_id, product, environment, issuer_id, issuer_name, issuer_role, created_at, expires_at } = row
  return {
    id,
    scope: {
      stream_id: StreamId.parse(stream_id),
      ...(product !== null && { product }),
      ...(environment !== null && { environment: environment as NonNullable<StreamScope['environment']> }),
    },
    issuer: { id: issuer_id, ...(issuer_name !== null && { name: issuer_name }), role: issuer_role },
    created_at,
    expires_at,
  }
}

export async function findSupportViewer(db: Reader, id: string): Promise<SupportViewer | undefined> {
  return viewerOf(await present(db).where('id', '=', id).executeTakeFirst())
}

export async function findSupportViewerByToken(db: Reader, digest: Buffer): Promise<SupportViewer | undefined> {
  return viewerOf(await present(db).where('token_digest', '=', digest).executeTakeFirst())
}

/** What is stored of a new one. */
export interface NewSupportViewerRow extends Pick<SupportViewer, 'id' | 'scope' | 'issuer'> {
  readonly token_digest: Buffer
  readonly ttlSeconds: number
}

/** Answers when it is over. */
export async function insertSupportViewer(tx: AuditedTx, row: NewSupportViewerRow): Promise<Date> {
  const { id, token_digest, scope, issuer, ttlSeconds } = row
  const { expires_at } = await tx
    .insertInto('registry.audit_support_viewers')
    .values({
      id,
      token_digest,
      ...scope,
      issuer_id: issuer.id,
      issuer_name: issuer.name ?? null,
      issuer_role: issuer.role,
      expires_at: sql<Date>`now() + make_interval(secs => ${ttlSeconds})`,
    })
    .returning('expires_at')
    .executeTakeFirstOrThrow()
  return expires_at
}

/** Ends one, and what it saved. Answers whether there was any. */
export async function deleteSupportViewer(tx: AuditedTx, id: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('registry.audit_support_viewers')
    .where('id', '=', id)
    .where('expires_at', '>', sql<Date>`now()`)
    .executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}

/** Whether there was a tenant of this id, whose log is all that is left of it. */
export async function isRetired(db: Reader, id: TenantId): Promise<boolean> {
  const row = await db.selectFrom('registry.retired_ids').select('id').where('id', '=', id).executeTakeFirst()
  return row !== undefined
}

const ofViewer = (db: Reader, viewerId: string) =>
  db
    .selectFrom('registry.audit_support_exports')
    .select(['id', 'name', 'body', 'saved_at'])
    .where('viewer_id', '=', viewerId)

export async function findSupportExport(db: Reader, viewerId: string, id: string): Promise<SavedExport | undefined> {
  const row = await ofViewer(db, viewerId).where('id', '=', id).executeTakeFirst()
  return row && exportOf(row)
}

export async function countSupportExports(db: Reader, viewerId: string): Promise<number> {
  const { saved } = await db
    .selectFrom(ofViewer(db, viewerId).as('export'))
    .select(({ fn }) => fn.countAll<number>().as('saved'))
    .executeTakeFirstOrThrow()
  return saved
}

/** The exports that somebody saved, newest first. */
export async function listSupportExports(db: Reader, viewerId: string, limit: number): Promise<SavedExport[]> {
  const rows = await ofViewer(db, viewerId).orderBy('saved_at', 'desc').orderBy('id', 'desc').limit(limit).execute()
  return rows.map(exportOf)
}

export async function insertSupportExport(
  tx: AuditedTx,
  { viewer_id, id, name, body }: Omit<SavedExport, 'saved_at'> & { readonly viewer_id: string },
): Promise<void> {
  await tx
    .insertInto('registry.audit_support_exports')
    .values({ viewer_id, id, name, body: JSON.stringify(body) })
    .execute()
}
