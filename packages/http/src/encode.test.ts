import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { encode } from './encode.ts'

const Inner = z.object({ a: z.string() })
const Outer = z.object({
  at: z.codec(z.string(), z.date(), { decode: (text) => new Date(text), encode: (date) => date.toISOString() }),
  plain: z.string(),
  inner: Inner,
  nullable: Inner.nullable(),
  optional: Inner.optional(),
  list: z.array(Inner),
  record: z.record(z.string(), Inner),
})
const inner = { a: 'a', secret: 's' }
const result = {
  at: new Date(0),
  plain: 'x',
  inner,
  nullable: inner,
  optional: inner,
  list: [inner],
  record: { r: inner },
  secret: 's',
}
const stripped = { a: 'a' }
const expected = {
  at: new Date(0).toISOString(),
  plain: 'x',
  inner: stripped,
  nullable: stripped,
  optional: stripped,
  list: [stripped],
  record: { r: stripped },
}

describe('encode', () => {
  it('gives what the schema knows, on every level, and nothing else', () => {
    expect(encode(Outer, result, 'throw')).toEqual(expected)
  })

  it('throws at a misfit, or reports it and still lets nothing out that the schema does not know', () => {
    const misfit = { ...result, plain: 7, extra: { secret: 's' } }
    expect(() => encode(Outer, misfit, 'throw')).toThrow()
    const reported: unknown[] = []
    const sent = encode(Outer, misfit, (error) => reported.push(error))
    expect(reported).toHaveLength(1)
    expect(JSON.parse(JSON.stringify(sent))).toEqual({ ...expected, plain: 7 })
  })

  it('lets nothing out where the schema has no fields and the result has', () => {
    const Text = z.object({ text: z.string() })
    expect(encode(Text, { text: { secret: 's' } }, () => undefined)).toEqual({ text: undefined })
  })

  it('keeps what may hold anything, and strips one of several shapes by that one', () => {
    const Loose = z.object({
      map: z.record(z.string(), z.unknown()),
      either: z.union([z.object({ b: z.string() }), Inner]),
      number: z.number(),
    })
    const sent = encode(
      Loose,
      { map: { deep: { er: [1] } }, either: inner, number: 'a misfit', extra: 1 },
      () => undefined,
    )
    expect(sent).toEqual({ map: { deep: { er: [1] } }, either: stripped, number: 'a misfit' })
  })
})
