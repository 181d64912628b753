import { expect, it } from 'vitest'
import { hasScopes, type ScopeQuery } from './scopes.ts'

it.each<[granted: string[], query: ScopeQuery, boolean]>([
  [['a:read'], ['a:read'], true],
  [['a:read'], ['a:read', 'a:write'], false],
  [['a:read', 'a:write'], ['a:read', 'a:write'], true],
  [['a:*'], ['a:read', 'a:b:read'], true],
  [['a:*'], ['ab:read'], false],
  [['a:read'], ['a:*'], false],
  [['a:*'], ['a:*'], true],
  [[], [], true],
  [['a:read'], { any: ['a:write', 'a:read'] }, true],
  [['a:read'], { any: ['a:write'] }, false],
  [['a:read'], { any: [] }, false],
  [['a:read', 'b:read'], { all: ['a:read'], any: ['b:read', 'c:read'] }, true],
  [['b:read'], { all: ['a:read'], any: ['b:read'] }, false],
  [['a:read'], {}, true],
])('%j give %j: %j', (granted, query, expected) => {
  expect(hasScopes(granted, query)).toBe(expected)
})
