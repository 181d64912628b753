import { expect, test } from 'vitest'
import { noDatabase } from '../../test/no-database.ts'
import { isCrud } from './crud-condition.ts'

test.each<[string[], string, string[]]>([
  [[], 'false', []],
  [['c'], '(crud = $1)', ['c']],
  [['c', 'c', 'r'], '(crud = $1 or crud = $2)', ['c', 'r']],
  [['c', 'r', 'u'], '(crud <> $1)', ['d']],
  [['c', 'r', 'u', 'd'], 'true', []],
])('of %j the condition is %s', (values, text, parameters) => {
  const compiled = isCrud(values).compile(noDatabase())
  expect([compiled.sql, compiled.parameters]).toEqual([text, parameters])
})
