import { sql } from 'kysely'
import type { Db } from './handles.ts'

/**
 * What the role of this connection may do and should not: whoever can change the log can make it say anything, so the
 * server runs as a role that can only add to it. Empty when all is well.
 */
export async function runtimeRoleProblems(db: Db): Promise<string[]> {
  const { rows } = await sql<{ superuser: boolean; owner: boolean; may_change: string[] }>`
    with log as (
      select 'public.audit_log'::regclass::oid as id
      union all
      select inhrelid from pg_inherits where inhparent = 'public.audit_log'::regclass
    )
    select
      (select rolsuper from pg_roles where rolname = current_user) as superuser,
      exists (select from pg_class c join log on log.id = c.oid where pg_has_role(current_user, c.relowner, 'usage')) as owner,
      array(
        select id::regclass::text from log
        where has_table_privilege(id, 'update, delete, truncate') or has_any_column_privilege(id, 'update')
        order by 1
      ) as may_change
  `.execute(db)
  const [role] = rows
  if (!role) throw new Error('a query without from has one row')
  // A superuser may do everything, and an owner may grant it to itself: the rest would only repeat that.
  if (role.superuser) return ['the role of DATABASE_URL is a superuser']
  if (role.owner) return ['the role of DATABASE_URL owns audit_log']
  return role.may_change.map((table) => `the role of DATABASE_URL may change or delete rows of ${table}`)
}
