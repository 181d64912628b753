import { expect, it } from 'vitest'
import { traceId } from './trace.ts'

const id = '0af7651916cd43dd8448eb211c80319c'
const parent = 'b7ad6b7169203331'

it.each([`00-${id}-${parent}-01`, `cc-${id}-${parent}-01`, `cc-${id}-${parent}-01-what-the-future-will-be-like`])(
  'reads the trace of %s',
  (header) => {
    expect(traceId(header)).toBe(id)
  },
)

it.each([
  undefined,
  '',
  `00-${id}-${parent}-01-tail`,
  `00-${id}-${parent}-01-`,
  `00-${id}-${parent}-1`,
  `cc-${id}-${parent}-01.tail`,
  `ff-${id}-${parent}-01`,
  `00-${'0'.repeat(32)}-${parent}-01`,
  `00-${id}-${'0'.repeat(16)}-01`,
  `00-${id.toUpperCase()}-${parent}-01`,
])('takes %j for no trace', (header) => {
  expect(traceId(header)).toBeUndefined()
})
