import { expect, it } from 'vitest'
import { idempotencyKeyOf } from './idempotency.ts'

const keyOf = (header?: string) =>
  idempotencyKeyOf({ headers: { ...(header !== undefined && { 'idempotency-key': header }) } })

it.each([
  [undefined, undefined],
  ['order-77', 'order-77'],
  ['"order-77"', 'order-77'],
  ['"', '"'],
  ['a"b', 'a"b'],
  ['!~', '!~'],
  ['k'.repeat(255), 'k'.repeat(255)],
])('takes %j for the key %j', (header, key) => {
  expect(keyOf(header)).toBe(key)
})

// Several headers of this name arrive as one, with a comma and a space between them.
it.each(['', '""', 'a b', 'one, two', 'k'.repeat(256), 'schlüssel', 'tab\t'])('refuses %j', (header) => {
  expect(() => keyOf(header)).toThrow(expect.objectContaining({ code: 'request.header_invalid' }))
})
