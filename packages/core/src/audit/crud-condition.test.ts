import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, sql } from 'kysely'
import { expect, test } from 'vitest'
import { isCrud } from './crud-condition.ts'

const db = new Kysely<object>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (of) => new PostgresIntrospector(of),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

test.each<[string[], string, string[]]>([
  [[], 'false', []],
  [['c'], '(crud = $1)', ['c']],
  [['c', 'c', 'r'], '(crud = $1 or crud = $2)', ['c', 'r']],
  [['c', 'r', 'u'], '(crud <> $1)', ['d']],
  [['c', 'r', 'u', 'd'], 'true', []],
])('of %j the condition is %s', (values, text, parameters) => {
  const compiled = sql`${isCrud(values)}`.compile(db)
  expect([compiled.sql, compiled.parameters]).toEqual([text, parameters])
})
