import type { Migration } from './migration.ts'

/** Whoever can run a statement: a client, a pool, or a wrapper of one line around another query builder. */
export interface Queryable {
  query(text: string): Promise<{ rows: unknown[] }>
}

/** A client whose statements may have parameters. */
export interface ParameterQueryable extends Queryable {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>
}

/** One row of `public.schema_migrations`. */
export interface HistoryRow {
  readonly version: number
  readonly name: string
  readonly checksum: string
  readonly applied_at: Date
  readonly duration_ms: number
  readonly app_version: string | null
  readonly min_app: number | null
  /** The step began without a transaction and did not end. */
  readonly dirty: boolean
}

/** What stands in `public.schema_migrations`, and whose it is. */
export type History =
  | { readonly kind: 'absent' }
  | { readonly kind: 'golang'; readonly versions: readonly { version: number; dirty: boolean }[] }
  | { readonly kind: 'foreign'; readonly columns: readonly string[] }
  | { readonly kind: 'ours'; readonly rows: readonly HistoryRow[] }

/** Reads the history, of either maker, without changing anything. */
export async function readHistory(db: Queryable): Promise<History> {
  const { rows: columns } = await db.query(`
    select attname as name from pg_catalog.pg_attribute
    where attrelid = to_regclass('public.schema_migrations') and attnum > 0 and not attisdropped
    order by attname`)
  const names = (columns as { name: string }[]).map(({ name }) => name)
  if (names.length === 0) return { kind: 'absent' }
  if (names.join() === 'dirty,version') {
    const { rows } = await db.query('select version::text, dirty from public.schema_migrations order by version')
    const versions = (rows as { version: string; dirty: boolean }[]).map(({ version, dirty }) => ({
      version: Number(version),
      dirty,
    }))
    return { kind: 'golang', versions }
  }
  if (!['version', 'name', 'checksum', 'min_app', 'dirty'].every((name) => names.includes(name))) {
    return { kind: 'foreign', columns: names }
  }
  const { rows } = await db.query(`
    select version::text, name, checksum, applied_at, duration_ms, app_version, min_app::text, dirty
    from public.schema_migrations order by version`)
  return { kind: 'ours', rows: (rows as StoredRow[]).map(fromStored) }
}

type StoredRow = Omit<HistoryRow, 'version' | 'min_app'> & { version: string; min_app: string | null }

function fromStored(row: StoredRow): HistoryRow {
  return { ...row, version: Number(row.version), min_app: row.min_app === null ? null : Number(row.min_app) }
}

/** Makes the table. Only to be called under the lock: `if not exists` alone loses a race. */
export async function createHistory(db: Queryable): Promise<void> {
  await db.query(`
    create table if not exists public.schema_migrations (
      version bigint not null,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null default now(),
      duration_ms integer not null,
      app_version text,
      min_app bigint,
      dirty boolean not null default false,
      constraint schema_migrations_pkey primary key (version)
    )`)
}

/** Turns golang-migrate's table into ours where it stands; its rows must be gone or are ours to describe afterwards. */
export async function convertHistory(db: Queryable): Promise<void> {
  await db.query(`
    delete from public.schema_migrations;
    alter table public.schema_migrations
      add column name text not null,
      add column checksum text not null,
      add column applied_at timestamptz not null default now(),
      add column duration_ms integer not null,
      add column app_version text,
      add column min_app bigint,
      alter column version set not null,
      alter column dirty set not null,
      alter column dirty set default false;
    do $$ begin
      if not exists (
        select from pg_catalog.pg_constraint
        where conrelid = 'public.schema_migrations'::regclass and contype = 'p'
      ) then
        alter table public.schema_migrations add constraint schema_migrations_pkey primary key (version);
      end if;
    end $$`)
}

export interface Record {
  readonly durationMs: number
  readonly appVersion: string | undefined
  readonly minApp: number | undefined
  readonly dirty?: boolean
}

/** Writes the row of one migration, or writes it anew (a resumed step, a cleared mark). */
export async function recordMigration(db: ParameterQueryable, migration: Migration, record: Record): Promise<void> {
  await db.query(
    `insert into public.schema_migrations (version, name, checksum, applied_at, duration_ms, app_version, min_app, dirty)
     values ($1, $2, $3, clock_timestamp(), $4, $5, $6, $7)
     on conflict (version) do update set name = excluded.name, checksum = excluded.checksum,
       applied_at = excluded.applied_at, duration_ms = excluded.duration_ms, app_version = excluded.app_version,
       min_app = excluded.min_app, dirty = excluded.dirty`,
    [
      migration.version,
      migration.name,
      migration.checksum,
      Math.round(record.durationMs),
      record.appVersion ?? null,
      record.minApp ?? null,
      record.dirty ?? false,
    ],
  )
}

/** Forgets one migration: it is no longer applied. */
export async function forgetMigration(db: ParameterQueryable, version: number): Promise<void> {
  await db.query('delete from public.schema_migrations where version = $1', [version])
}
