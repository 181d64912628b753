import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RegistryError } from './errors.ts'
import { decodeCursor, encodeCursor, PageQuery, type Position, toPage } from './page.ts'

const position = { key: '2026-01-02T03:04:05.678Z', id: '01890a5d-ac96-774b-bcce-b302099a8057' }
const invalid = (run: () => unknown) => {
  try {
    run()
  } catch (error) {
    return error instanceof RegistryError && error.code === 'page.cursor_invalid'
  }
  return false
}

describe('a cursor', () => {
  it('names the position it was made of', () => {
    const cursor = encodeCursor('tenants', { status: 'active' }, position)
    expect(decodeCursor('tenants', { status: 'active' }, cursor)).toEqual(position)
  })

  it('does not care in what order the filters are named, nor about absent ones', () => {
    const cursor = encodeCursor('tenants', { status: 'active', plan: 'x' }, position)
    expect(decodeCursor('tenants', { kind: undefined, plan: 'x', status: 'active' }, cursor)).toEqual(position)
  })

  it('is refused by another list and under another filter', () => {
    const cursor = encodeCursor('tenants', { status: 'active' }, position)
    expect(invalid(() => decodeCursor('projects', { status: 'active' }, cursor))).toBe(true)
    expect(invalid(() => decodeCursor('tenants', { status: 'trial' }, cursor))).toBe(true)
    expect(invalid(() => decodeCursor('tenants', {}, cursor))).toBe(true)
  })

  it('is refused when a single character differs', () => {
    const cursor = encodeCursor('tenants', {}, position)
    for (let at = 0; at < cursor.length; at += 1) {
      const other = cursor[at] === 'A' ? 'B' : 'A'
      const changed = cursor.slice(0, at) + other + cursor.slice(at + 1)
      // A changed position may still be one; it is never the same one.
      expect(
        invalid(() => decodeCursor('tenants', {}, changed)) || decodeCursor('tenants', {}, changed),
        changed,
      ).not.toEqual(position)
    }
  })

  it('never makes anything but a position or the one error out of whatever is handed in', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String(),
          fc.json().map((json) => Buffer.from(json).toString('base64url')),
        ),
        (cursor) => invalid(() => decodeCursor('tenants', {}, cursor)),
      ),
    )
  })
})

describe('limit', () => {
  it.each(['1', '50', '200'])('takes %s', (limit) => {
    expect(PageQuery.parse({ limit }).limit).toBe(Number(limit))
  })

  it.each(['0', '201', '-1', '1.5', '1e2', ' 5', '', '0x10', '٣', '999999999999'])('refuses %j', (limit) => {
    expect(PageQuery.safeParse({ limit }).success).toBe(false)
  })
})

const same = (position: Position) => position

describe('toPage', () => {
  it('has a next cursor exactly when one more row than asked for was read', () => {
    const rows = [position, { ...position, id: '01890a5d-ac96-774b-bcce-b302099a8058' }]
    expect(toPage(rows, 2, 'tenants', {}, same)).toEqual({ data: rows, has_more: false, next_cursor: null })
    expect(toPage(rows, 1, 'tenants', {}, same)).toEqual({
      data: [position],
      has_more: true,
      next_cursor: encodeCursor('tenants', {}, position),
    })
    expect(toPage([], 1, 'tenants', {}, same)).toEqual({ data: [], has_more: false, next_cursor: null })
  })
})
