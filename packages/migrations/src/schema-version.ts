import { codeOf } from './connection.ts'
import type { Queryable } from './history.ts'
import { MigrationError } from './migration-error.ts'

/** How far a database is. */
export interface SchemaVersion {
  /** The highest version that is applied and whole; 0 for a database without a history. */
  readonly version: number
  /** A step without a transaction is under way or was left unfinished. Says nothing about `version`. */
  readonly dirty: boolean
}

/** What a database is to an image that knows certain migrations. */
export interface SchemaStatus extends SchemaVersion {
  /**
   * `older`: something the image needs is not applied yet. `equal`. `newer`: an image can run on it, as in a
   * roll-back. `too_new`: a newer migration declared that images like this one must not.
   */
  readonly state: 'older' | 'equal' | 'newer' | 'too_new'
  readonly minApp: number
}

// One statement for both makers of the table: golang-migrate's has no min_app, and through jsonb that is no error.
const statement = `
  select version::text, dirty, to_jsonb(m) ->> 'min_app' as min_app
  from public.schema_migrations m order by version`

/**
 * The version of a database: one cheap select that needs no more than `select` on `public.schema_migrations`.
 * Do not call it inside a transaction you want to keep: on an empty database the statement fails.
 * @throws {MigrationError} `drift` when the table of that name is neither ours nor golang-migrate's.
 */
export async function readSchemaVersion(db: Queryable): Promise<SchemaVersion> {
  const rows = await readRows(db)
  return { version: versionOf(rows), dirty: rows.some((row) => row.dirty) }
}

/** Whether an image that knows the versions `known` may serve from this database. */
export async function readSchemaStatus(db: Queryable, known: readonly number[]): Promise<SchemaStatus> {
  const rows = await readRows(db)
  const latest = Math.max(0, ...known)
  const version = versionOf(rows)
  const whole = new Set(rows.filter((row) => !row.dirty).map((row) => row.version))
  const minApp = Math.max(0, ...rows.filter((row) => row.version > latest).map((row) => row.minApp))
  const state =
    minApp > latest ? 'too_new' : !known.every((v) => whole.has(v)) ? 'older' : version > latest ? 'newer' : 'equal'
  return { version, dirty: rows.some((row) => row.dirty), state, minApp }
}

interface Row {
  version: number
  dirty: boolean
  minApp: number
}

async function readRows(db: Queryable): Promise<Row[]> {
  try {
    const { rows } = await db.query(statement)
    return (rows as { version: string; dirty: boolean; min_app: string | null }[]).map((row) => ({
      version: Number(row.version),
      dirty: row.dirty,
      minApp: Number(row.min_app ?? 0),
    }))
  } catch (error) {
    const code = codeOf(error)
    if (code === '42P01') return []
    // Somebody else's table of this name.
    if (code === '42703')
      throw new MigrationError('drift', `public.schema_migrations is neither ours nor golang-migrate's`)
    throw error
  }
}

function versionOf(rows: readonly Row[]): number {
  return Math.max(0, ...rows.filter((row) => !row.dirty).map((row) => row.version))
}
