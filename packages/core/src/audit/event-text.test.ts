import fc from 'fast-check'
import papa from 'papaparse'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { csvColumns, csvHead, toCsv, toJson, toNdjson } from './event-text.ts'
import type { EventRow } from './recorded-event.repository.ts'
import { eventOf } from './recorded-event.service.ts'
import { RecordedEvent } from './recorded-event.ts'
import { columns } from './shown-columns.ts'

const row = {
  id: '0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f',
  canonical_at: new Date('2026-01-01T00:00:00.001Z'),
  is_failure: false,
} as unknown as EventRow
const cursor = 'abcdefghijk.1.0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f'
const names = ['actor_name', 'description', 'target_id', 'external_id'] as const

/** Texts with what is dangerous or has a meaning in CSV at all places. */
const text = fc
  .array(
    fc.oneof(fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', '"', ',', ';', '\uFF1D', '1', ' '), fc.string()),
  )
  .map((parts) => parts.join(''))

it('CSV is read as it was written, and no cell begins a formula', () => {
  fc.assert(
    fc.property(fc.record({ actor_name: text, description: text, target_id: text, external_id: text }), (texts) => {
      const csv = csvHead() + toCsv([{ row: { ...row, ...texts }, cursor }])
      const { data, errors } = papa.parse<string[]>(csv, { newline: '\r\n', delimiter: ',' })
      expect(errors).toEqual([])
      expect(data).toHaveLength(3)
      const [head, cells = [], end] = data
      expect(head).toEqual([...csvColumns])
      expect(end).toEqual([''])
      for (const cell of cells) expect(cell).not.toMatch(/^[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/)
      for (const name of names) {
        const cell = cells[csvColumns.indexOf(name)]
        expect(cell === texts[name] || cell === `'${texts[name]}`).toBe(true)
      }
    }),
    { numRuns: 500 },
  )
})

it('a line of NDJSON is one line, and says what was written whatever that is', () => {
  fc.assert(
    fc.property(text, text, (description, value) => {
      const fields = `{"10":${JSON.stringify(value)},"2":"x"}`
      const line = toNdjson([{ row: { ...row, description, fields }, cursor }])
      expect(line.indexOf('\n')).toBe(line.length - 1)
      expect(line).toContain(`"fields":${fields}`)
      const parsed = JSON.parse(line) as Record<string, unknown>
      expect(parsed).toMatchObject({ description, cursor, is_failure: false, canonical_at: '2026-01-01T00:00:00.001Z' })
    }),
  )
})

it('the JSON of an event is what its object would be encoded as, of every column', () => {
  const time = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T00:00:00Z'),
    noInvalidDate: true,
  })
  const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of)
  const map = fc.dictionary(text, text).map((entries) => JSON.stringify(entries))
  const some = Object.fromEntries(
    columns.map((name) => [name, name.endsWith('fields') || name === 'metadata' ? maybe(map) : maybe(text)]),
  )
  const rows = fc.record({
    ...some,
    id: fc.constant(row.id),
    tenant_id: maybe(fc.uuid()),
    product: text,
    environment: fc.constantFrom('live', 'test'),
    action: text,
    crud: fc.constantFrom('c', 'r', 'u', 'd'),
    canonical_at: time,
    created_at: maybe(time),
    received_at: time,
    is_anonymous: maybe(fc.boolean()),
    is_failure: maybe(fc.boolean()),
  })
  fc.assert(
    fc.property(rows, (each) => {
      const event = each as unknown as EventRow
      expect(JSON.parse(toJson(event))).toEqual(z.encode(RecordedEvent, eventOf(event)))
    }),
  )
})
