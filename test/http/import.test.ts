import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServerUnderTest, startTestServer } from '../server.ts'

let server: ServerUnderTest
let made = 0
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(async () => {
  await server.stop()
})

interface Result {
  readonly line: number
  readonly outcome: string
  readonly code: string | null
  readonly errors: readonly { readonly pointer: string }[]
}

async function importLines(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  const answer = await server.call('POST', '/v1/tenants/import', {
    body,
    headers: { 'content-type': 'application/x-ndjson', ...headers },
  })
  const lines = answer.status === 200 ? answer.text.trimEnd().split('\n') : []
  return { ...answer, results: lines.map((line) => JSON.parse(line) as Result) }
}

describe('a line of an import', () => {
  it.each([
    ['names a field twice', '{"slug":"twice","slug":"thrice","name":"x"}', 'request.json_malformed', []],
    [
      'names a field twice, deep inside',
      '{"slug":"deep","name":"x","metadata":{"a":"1","\\u0061":"2"}}',
      'request.json_malformed',
      [],
    ],
    ['has a number that is none', '{"slug":"huge","name":1e400}', 'request.json_malformed', []],
    [
      'has the name __proto__',
      '{"slug":"proto","name":"x","metadata":{"__proto__":"y"}}',
      'request.invalid',
      ['/metadata/__proto__'],
    ],
    ['is no JSON', '{"slug":', 'request.json_malformed', []],
    [
      'has the id of the platform',
      '{"id":"00000000-0000-0000-0000-0000000000FF","slug":"ours","name":"x"}',
      'request.invalid',
      ['/id'],
    ],
    [
      'has the id of nobody',
      '{"id":"00000000-0000-0000-0000-000000000000","slug":"nil","name":"x"}',
      'request.invalid',
      ['/id'],
    ],
  ])('that %s is refused as a request of its own would be, and no other with it', async (_, line, code, pointers) => {
    const { results } = await importLines(`${line}\n{"slug":"good-${(made += 1)}","name":"Good"}\n`)
    expect(results).toMatchObject([
      { line: 1, outcome: 'refused', id: null, slug: null, code },
      { line: 2, outcome: 'created' },
    ])
    expect(results[0]?.errors.map(({ pointer }) => pointer)).toEqual(pointers)
  })
})

describe('the body of an import', () => {
  it('may be compressed, as every other', async () => {
    const body = new Uint8Array(gzipSync('{"slug":"zipped","name":"Zipped"}\n'))
    const { results } = await importLines(body, { 'content-encoding': 'gzip' })
    expect(results).toMatchObject([{ outcome: 'created', slug: 'zipped' }])
  })

  it('is refused in another charset, and where it is too large once it is not compressed', async () => {
    const latin = await importLines('{"slug":"latin","name":"x"}', {
      'content-type': 'application/x-ndjson;charset=latin1',
    })
    expect(latin).toMatchObject({
      status: 415,
      body: { code: 'request.content_type_unsupported', detail: 'Send UTF-8.' },
    })
    const bomb = new Uint8Array(gzipSync('\n'.repeat(20_000_000)))
    const { status, body } = await importLines(bomb, { 'content-encoding': 'gzip' })
    expect({ status, code: body.code }).toEqual({ status: 413, code: 'request.body_too_large' })
  })
})
