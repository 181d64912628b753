import { CompiledQuery, type RawBuilder, sql } from 'kysely'
import type { QueryResultRow } from 'pg'
import { directPool, statementNames } from './database.ts'
import { type Reader, unwrap } from './handles.ts'

/** A place in a prepared query that each call fills: usable wherever a query takes a value of type `T`. */
export type Param<T> = RawBuilder<T>

class Placeholder {
  readonly index: number
  constructor(index: number) {
    this.index = index
  }
}

/**
 * A hot read, built once: `build` runs at first use with one placeholder for each argument, and every call sends the
 * same text as a named statement, which PostgreSQL parses and plans once for each connection. Building the query anew
 * for each call costs more than the rest of the request.
 * @param name unique among all prepared queries; at most 63 bytes
 * @example
 *   const tenantBySlug = prepared('tenant_by_slug', (db, slug: Param<Slug>) =>
 *     db.selectFrom('tenants').select(['id', 'name']).where('slug', '=', slug))
 *   const [tenant] = await tenantBySlug(db, slug)
 */
export function prepared<const Params extends readonly Param<unknown>[], Row>(
  name: string,
  build: (db: Reader, ...params: Params) => { compile(): CompiledQuery<Row> },
): (db: Reader, ...args: Arguments<Params>) => Promise<Row[]> {
  let statement: { name: string; text: string; values: readonly unknown[] } | undefined

  return async (db, ...args) => {
    statement ??= compile(db)
    const values = statement.values.map((value) => (value instanceof Placeholder ? args[value.index] : value))
    const pool = directPool(db)
    if (pool) {
      // pg's type wants an index signature, which the row of a SELECT has no use for.
      const { rows } = await pool.query<QueryResultRow>({ ...pool.named(statement), values })
      return rows as Row[]
    }
    const { rows } = await unwrap(db).executeQuery<Row>(CompiledQuery.raw(statement.text, values))
    return rows
  }

  function compile(db: Reader) {
    const count = build.length - 1
    const params = Array.from({ length: count }, (_, index) => sql`${new Placeholder(index)}`)
    const { sql: text, parameters } = build(db, ...(params as unknown as Params)).compile()
    statementNames.set(text, name)
    return { name, text, values: parameters }
  }
}

/**
 * How many statements of a kind have names: each connection keeps the text and the plan of every one that it met, and a
 * plan over dozens of partitions has half a megabyte.
 */
const shapesMax = 24

/**
 * Sends a statement that is built anew for each call and whose text is one of a few: as a named statement, so that it is
 * planned once for each connection. Texts beyond the first so many are planned for each call.
 * @param kind what its names begin with; at most 40 bytes
 */
export async function executeShape<Row>(db: Reader, kind: string, statement: Compilable<Row>): Promise<Row[]> {
  return (await unwrap(db).executeQuery(compileShape(db, kind, statement))).rows
}

/** Such a statement, to be sent later. */
export function compileShape<Row>(db: Reader, kind: string, statement: Compilable<Row>): CompiledQuery<Row> {
  const compiled = statement.compile(unwrap(db))
  const known = shapes.get(kind) ?? 0
  if (!statementNames.has(compiled.sql) && known < shapesMax) {
    shapes.set(kind, known + 1)
    statementNames.set(compiled.sql, `${kind}_${known + 1}`)
  }
  return compiled
}

/** What a text is made of: a template, or a builder. */
interface Compilable<Row> {
  compile(executor: ReturnType<typeof unwrap>): CompiledQuery<Row>
}

/** How many there are of each kind. */
const shapes = new Map<string, number>()

type Arguments<Params extends readonly Param<unknown>[]> = {
  -readonly [Index in keyof Params]: Params[Index] extends Param<infer T> ? T : never
}
