import { type CRUD, computeHash, type Event } from '@retracedhq/retraced'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hashOfEvent } from '../../packages/core/src/audit/audit.repository.ts'
import { newEventId } from '../../packages/core/src/id.ts'
import { parseJson } from '../../packages/http/src/json.ts'
import { readSingle } from '../../packages/http/src/retraced/publication.ts'
import { clientOf, startWire, type Wire } from './wire.ts'

/** Texts that can be stored: no half of a surrogate pair, and no U+0000. Those that the hash escapes come often. */
const text = fc.oneof(
  fc.constantFrom('%', ':', '=', ';', '%3A', 'a:b=c;d%', 'ü', '😀', '10', '__proto__', 'constructor', ' '),
  fc.string({ unit: 'binary', maxLength: 12 }).filter((value) => value.isWellFormed() && !value.includes('\0')),
)
const term = text.filter((value) => value !== '')
const map = fc.array(fc.tuple(term, text), { maxLength: 6 }).map((entries) => Object.fromEntries(entries))

/** What the client's own types allow, but for what it cannot hash or send. */
/** Programs without types send texts. */
const flag = fc.constantFrom<unknown>(true, false, 'true', 'false')

const event: fc.Arbitrary<Event> = fc
  .record(
    {
      action: term,
      crud: fc.constantFrom<CRUD>('c', 'r', 'u', 'd'),
      group: fc.oneof(fc.constant({} as { id: string }), fc.record({ id: term, name: text }, { requiredKeys: ['id'] })),
      target: fc.record({ id: term, name: text, href: text, type: text, fields: map }, { requiredKeys: ['id'] }),
      actor: fc.record({ id: term, name: text, href: text, fields: map }, { requiredKeys: ['id'] }),
      created: fc.date({ min: new Date('1970-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
      source_ip: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('')),
      description: text,
      is_failure: flag,
      is_anonymous: flag,
      fields: map,
      external_id: text,
      metadata: map,
    },
    { requiredKeys: ['action', 'crud', 'actor'] },
  )
  .map((each) => each as Event)

test('the hash of every event that the client can send is the one that the client computes', () => {
  fc.assert(
    fc.property(event, (sent) => {
      const id = newEventId()
      const { event: read, hashedFlags } = readSingle(parseJson(JSON.stringify(sent), new Set(['fields', 'metadata'])))
      const { hashResult, hashTarget } = computeHash(sent, id.replaceAll('-', ''))
      expect([hashOfEvent(id, { ...read, ...hashedFlags }).toString('hex'), hashTarget]).toEqual([
        hashResult,
        hashTarget,
      ])
    }),
    { numRuns: 2_000 },
  )
})

let wire: Wire
beforeAll(async () => {
  wire = await startWire()
})
afterAll(() => wire.stop())

test('the client accepts what the server answers for any of them, sent together', async () => {
  const client = clientOf(wire, await wire.publisherKey())
  const events = fc.sample(event, { numRuns: 150, seed: 7 })
  for (let at = 0; at < events.length; at += 50) {
    const batch = events.slice(at, at + 50)
    expect(await client.reportEvents(batch)).toHaveLength(batch.length)
  }
})
