import { expect, it } from 'vitest'
import { z } from 'zod'
import { safeParse } from './parse.ts'

const odd = JSON.parse('{"length":{"toString":1,"valueOf":1}}') as unknown

it.each([
  ['a text', z.string().min(1).max(3)],
  ['an array', z.array(z.string()).max(3)],
  ['a text of some form', z.string().length(2).regex(/a/)],
])('an object in the place of %s is refused, whatever its members are', (_, schema) => {
  const parsed = safeParse(z.strictObject({ id: schema, list: z.array(schema) }), { id: odd, list: [odd] })
  const wrong = parsed.error?.issues.filter(({ code }) => code === 'invalid_type').map(({ path }) => path)
  expect(wrong).toEqual([['id'], ['list', 0]])
})

it('an object in the place of an array or of another object is neither', () => {
  const schema = z.union([z.array(z.string()).max(3), z.strictObject({ all: z.array(z.string()).max(3).optional() })])
  expect(safeParse(schema, odd).success).toBe(false)
})

it('what stands beside it may be as deep as a text can say', () => {
  const deep = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000)) as unknown
  expect(safeParse(z.object({ id: z.string().max(3), labels: z.unknown() }), { id: odd, labels: deep }).success).toBe(
    false,
  )
})

it('what may be anything keeps such a member', () => {
  const parsed = safeParse(z.object({ any: z.unknown(), id: z.string().max(3) }), { any: odd, id: 'a' })
  expect(parsed.data).toEqual({ any: odd, id: 'a' })
})

it('what goes wrong by itself is thrown as it is', () => {
  const wrong = new TypeError('wrong')
  const throwing = z.string().transform(() => {
    throw wrong
  })
  expect(() => safeParse(throwing, 'a')).toThrow(wrong)
})
