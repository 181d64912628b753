import fc from 'fast-check'
import papa from 'papaparse'
import { expect, it } from 'vitest'
import { csvColumns, csvHead, toCsv, toNdjson } from './event-text.ts'
import type { EventRow } from './recorded-event.repository.ts'

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
