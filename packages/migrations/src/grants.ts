import type { Client } from 'pg'
import { escapeIdentifier } from 'pg'
import { MigrationError } from './migration-error.ts'
import type { Settings } from './settings.ts'
import { runSql } from './sql-error.ts'

/**
 * Looks at the runtime role before anything is changed.
 * @throws {MigrationError} `usage` when it does not exist, or is the role that migrates: an owner can do anything.
 */
export async function refuseUnfitRole(client: Client, role: string): Promise<void> {
  const { rows } = await client.query<{ exists: boolean; owner: boolean }>(
    `select to_regrole(quote_ident($1)) is not null as exists, current_user = $1 as owner`,
    [role],
  )
  if (rows[0]?.exists !== true) throw new MigrationError('usage', `the runtime role "${role}" does not exist`)
  if (rows[0].owner) throw new MigrationError('usage', `the runtime role "${role}" is the role that migrates`)
}

// What each object must give the role, and what it gives now: to the role, to everybody, by column, or to hand on.
// A partition of the log gives nothing, not even one that was detached: those are known by their names.
// `current_user::regrole` would read the name as an identifier: fold its case, stop at its dots.
const objects = `
  with role as (select to_regrole(quote_ident($1))::oid as oid),
  owner as (select oid from pg_catalog.pg_roles where rolname = current_user),
  object (kind, name, wanted, acl, by_column) as (
    select 'schema', quote_ident(n.nspname), array['USAGE'],
      coalesce(n.nspacl, acldefault('n', n.nspowner)), false
    from pg_namespace n where n.nspname = 'registry'
    union all
    select case c.relkind when 'S' then 'sequence' else 'table' end, c.oid::regclass::text,
      case
        when c.relkind = 'S' or c.relkind = 'v' or c.relkind = 'm' then '{}'::text[]
        when c.relispartition or c.relname ~ '^audit_log_[0-9]' then '{}'
        when n.nspname = 'public' and c.relname = 'schema_migrations' then array['SELECT']
        -- Where the chains begin, and how far what is over was redacted, is not for a server to say.
        when n.nspname = 'registry' and c.relname in ('audit_cuts', 'audit_expired') then array['SELECT']
        when n.nspname = 'public' and c.relname = 'audit_log' then array['INSERT', 'SELECT']
        -- What shows that the log was not changed: added to, as the log itself.
        when n.nspname = 'registry' and c.relname in ('audit_checkpoints', 'audit_checkpoint_heads', 'audit_signing_keys')
          then array['INSERT', 'SELECT']
        else array['DELETE', 'INSERT', 'SELECT', 'UPDATE']
      end,
      coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner)),
      exists (
        select from pg_attribute a, aclexplode(a.attacl) g
        where a.attrelid = c.oid and not a.attisdropped and g.grantee in (0, (select oid from role))
      )
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'S', 'v', 'm') and c.relowner = (select oid from owner)
      and (n.nspname = 'registry' or n.nspname = 'public' and (c.relkind = 'S' or c.relname = any ($2)))
    union all
    select 'routine', p.oid::regprocedure::text,
      case when n.nspname = 'registry' and obj_description(p.oid, 'pg_proc') like 'runtime:%' then array['EXECUTE'] else '{}' end,
      coalesce(p.proacl, acldefault('f', p.proowner)), false
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where p.prokind in ('f', 'p') and p.proowner = (select oid from owner) and n.nspname in ('public', 'registry')
  )
  select kind, name, wanted,
    coalesce((select array_agg(g.privilege_type order by g.privilege_type) from aclexplode(acl) g
      where g.grantee = (select oid from role)), '{}') as given,
    by_column or exists (select from aclexplode(acl) g
      where g.grantee = 0 or g.grantee = (select oid from role) and g.is_grantable) as loose
  from object order by kind, name`

const tables = [
  'tenants',
  'tenant_projects',
  'tenant_products',
  'tenant_idp_config',
  'api_keys',
  'audit_log',
  'schema_migrations',
]

interface ObjectGrants {
  readonly kind: string
  readonly name: string
  readonly wanted: readonly string[]
  readonly given: readonly string[]
  readonly loose: boolean
}

/**
 * Gives the runtime role exactly what it needs and takes away what it or everybody has beyond that. Objects that are
 * right already are not touched, so that a start with nothing to do writes nothing.
 */
export async function grantRuntimeRole(client: Client, settings: Settings, role: string): Promise<void> {
  const { rows } = await client.query<ObjectGrants>(objects, [role, tables])
  const grantee = escapeIdentifier(role)
  const statements: string[] = []
  for (const { kind, name, wanted, given, loose } of rows) {
    if (!loose && wanted.join() === given.join()) continue
    statements.push(`revoke all on ${kind} ${name} from ${grantee}, public cascade`)
    if (wanted.length > 0) statements.push(`grant ${wanted.join(', ')} on ${kind} ${name} to ${grantee}`)
  }
  // Everybody may use public unless somebody hardened it; then the role has to be let in, by whoever may.
  const { rows: access } = await client.query<{ usage: boolean }>(
    `select has_schema_privilege($1::name, 'public', 'usage') as usage`,
    [role],
  )
  if (access[0]?.usage !== true) statements.push(`grant usage on schema public to ${grantee}`)
  if (statements.length === 0) return
  await runSql(client, settings, `the grants of "${role}"`, statements.join(';\n'))
  settings.log({ level: 'info', event: 'granted', message: `renewed the grants of "${role}"`, objects: rows.length })
}

/** Makes the coming months' partitions of the log, where there is something that makes them. */
export async function ensurePartitions(client: Client, settings: Settings): Promise<void> {
  const { rows } = await client.query<{ exists: boolean }>(
    `select to_regprocedure('registry.ensure_audit_partitions()') is not null as exists`,
  )
  if (rows[0]?.exists !== true) return
  await runSql(client, settings, 'the partitions of the log', 'select registry.ensure_audit_partitions()')
}
