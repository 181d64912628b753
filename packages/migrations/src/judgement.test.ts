import { describe, expect, it } from 'vitest'
import type { HistoryRow } from './history.ts'
import { judge } from './judgement.ts'
import { checked } from './migration.ts'

const migrations = checked(
  [1, 2, 3].map((version) => ({
    version,
    name: `000${version}_x`,
    checksum: `sum ${version}`,
    up: version === 3 ? '-- migrate: each-partition audit_log\ncreate index x_idx on audit_log (id)' : 'select 1',
    down: 'select 1',
  })),
)

const row = (version: number, more: Partial<HistoryRow> = {}): HistoryRow => ({
  version,
  name: `000${version}_x`,
  checksum: `sum ${version}`,
  applied_at: new Date(0),
  duration_ms: 1,
  app_version: null,
  min_app: null,
  dirty: false,
  ...more,
})

const versions = (list: readonly { version: number }[]): number[] => list.map(({ version }) => version)

/** A judgement as numbers, without what is empty. */
function judged(rows: HistoryRow[]): Record<string, unknown> {
  const { version, minApp, ...lists } = judge(migrations, rows)
  const found = Object.entries(lists).map(([name, list]) => [name, versions(list)] as const)
  return {
    version,
    ...(minApp > 0 ? { minApp } : {}),
    ...Object.fromEntries(found.filter(([, list]) => list.length > 0)),
  }
}

describe('judge', () => {
  it.each<[string, HistoryRow[], Record<string, unknown>]>([
    ['nothing applied', [], { version: 0, pending: [1, 2, 3] }],
    ['some applied', [row(1)], { version: 1, pending: [2, 3], revertible: [1] }],
    ['all applied', [row(1), row(2), row(3)], { version: 3, revertible: [3, 2, 1] }],
    ['a gap', [row(1), row(3)], { version: 3, pending: [2], late: [2], revertible: [3, 1] }],
    ['an edited file', [row(1, { checksum: 'other' })], { version: 1, pending: [2, 3], drifted: [1], revertible: [1] }],
    ['a dirty step', [row(1), row(2, { dirty: true })], { version: 1, pending: [3], dirty: [2], revertible: [2, 1] }],
    [
      'a dirty step that can be resumed',
      [row(1), row(2), row(3, { dirty: true })],
      { version: 2, pending: [3], revertible: [3, 2, 1] },
    ],
    [
      'one that could be, of another text',
      [row(1), row(2), row(3, { dirty: true, checksum: 'other' })],
      { version: 2, dirty: [3], revertible: [3, 2, 1] },
    ],
    ['a newer database', [row(1), row(2), row(3), row(4)], { version: 4, ahead: [4], revertible: [3, 2, 1] }],
    [
      'a newer database that asks for more',
      [row(1), row(2), row(3), row(4, { min_app: 4 }), row(5, { dirty: true })],
      { version: 4, minApp: 4, ahead: [4, 5], revertible: [3, 2, 1] },
    ],
    ['a min-app that we have', [row(1), row(2, { min_app: 2 })], { version: 2, pending: [3], revertible: [2, 1] }],
    [
      'a newer database without one of ours',
      [row(1), row(2), row(4)],
      { version: 4, pending: [3], late: [3], ahead: [4], revertible: [2, 1] },
    ],
  ])('%s', (_, rows, expected) => {
    expect(judged(rows)).toEqual(expected)
  })
})
