import type { AuditedTx, Reader } from '../../db/handles.ts'
import type { ApiKeyId, TenantId } from '../../id.ts'
import type { Sealed } from '../../secrets/keyring.ts'
import { columnsOf, madeFor, scopeOfColumns } from './group-state.ts'
import type { GroupScope } from './scope.ts'

/** A key that reads one group's log, and nothing else. */
export interface EnterpriseToken {
  readonly id: ApiKeyId
  readonly scope: GroupScope
  readonly display_name: string
  /** The action that is recorded when it reads. */
  readonly view_log_action: string
  /** Its public part. */
  readonly prefix: string
}

/** The same with the token under lock and key, where it is kept. */
export interface StoredToken extends EnterpriseToken {
  readonly sealed: Sealed | undefined
}

/** Those that still open something. */
const present = (db: Reader) =>
  db
    .selectFrom('registry.audit_enterprise_tokens as token')
    .innerJoin('api_keys as key', 'key.id', 'token.api_key_id')
    .select([
      'token.api_key_id',
      'token.product',
      'token.environment',
      'token.group_id',
      'token.tenant_id',
      'token.display_name',
      'token.view_log_action',
      'token.sealed',
      'token.kid',
      'key.prefix',
    ])
    .where('key.revoked_at', 'is', null)

type Row = Awaited<ReturnType<ReturnType<typeof present>['executeTakeFirstOrThrow']>>

function tokenOf({ api_key_id, display_name, view_log_action, prefix, sealed, kid, ...row }: Row): StoredToken {
  return {
    id: api_key_id,
    scope: scopeOfColumns(row),
    display_name,
    view_log_action,
    prefix,
    sealed: sealed && kid !== null ? { kid, bytes: sealed } : undefined,
  }
}

export async function findToken(db: Reader, id: ApiKeyId): Promise<StoredToken | undefined> {
  const row = await present(db).where('token.api_key_id', '=', id).executeTakeFirst()
  return row && tokenOf(row)
}

/** Whether the text that a token is for was a name of this tenant already when the token was made. */
export async function wasNameOf(db: Reader, token: ApiKeyId, tenant: TenantId): Promise<boolean> {
  const name = await db
    .selectFrom('registry.audit_enterprise_tokens as token')
    .innerJoin('registry.slugs as held', 'held.slug', 'token.group_id')
    .select('held.slug')
    .where('token.api_key_id', '=', token)
    .where('held.tenant_id', '=', tenant)
    .whereRef('held.taken_at', '<=', 'token.created_at')
    .executeTakeFirst()
  return name !== undefined
}

/** The tokens of a group, oldest first. */
export async function listTokens(db: Reader, { product, environment, group }: GroupScope): Promise<StoredToken[]> {
  const rows = await present(db)
    .where('token.product', '=', product)
    .where('token.environment', '=', environment)
    .where(() => madeFor(group, 'token'))
    .orderBy('token.created_at')
    .orderBy('token.api_key_id')
    .execute()
  return rows.map(tokenOf)
}

export async function insertToken(
  tx: AuditedTx,
  { id, scope, display_name, view_log_action, sealed }: Omit<StoredToken, 'prefix'>,
): Promise<void> {
  const { target_id: _, ...columns } = columnsOf(scope)
  await tx
    .insertInto('registry.audit_enterprise_tokens')
    .values({
      ...columns,
      api_key_id: id,
      display_name,
      view_log_action,
      sealed: sealed?.bytes ?? null,
      kid: sealed?.kid ?? null,
    })
    .execute()
}

export async function renameToken(
  tx: AuditedTx,
  { id, display_name, view_log_action }: Pick<EnterpriseToken, 'id' | 'display_name' | 'view_log_action'>,
): Promise<void> {
  await tx
    .updateTable('registry.audit_enterprise_tokens')
    .set({ display_name, view_log_action })
    .where('api_key_id', '=', id)
    .execute()
}

export async function deleteToken(tx: AuditedTx, id: ApiKeyId): Promise<void> {
  await tx.deleteFrom('registry.audit_enterprise_tokens').where('api_key_id', '=', id).execute()
}
