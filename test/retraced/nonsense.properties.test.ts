import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWire, type Wire } from './wire.ts'

let wire: Wire
let key: string
let session: string
let enterprise: string
beforeAll(async () => {
  wire = await startWire()
  key = await wire.publisherKey()
  const query = 'group_id=g&actor_id=a&is_admin=true'
  const { body } = await wire.ask('GET', `${project}/viewertoken?${query}`, key)
  session = (await wire.call('POST', '/audit/viewer/v1/viewersession', { json: { token: body.token } })).body.token
  const made = await wire.ask('POST', `${project}/group/g/enterprisetoken`, key, { json: { display_name: 'x' } })
  enterprise = made.body.token
})
afterAll(() => wire.stop())

const project = '/publisher/v1/project/certifai'
const viewer = '/viewer/v1/project/certifai'

const members =
  'action crud actor group target created source_ip fields metadata description external_id is_anonymous is_failure version'
const others =
  'id name href type events query variables last operationName before token exportBody searchQuery startTime displayName display_name'
const inherited = 'toString valueOf toJSON constructor hasOwnProperty length __proto__'
const member = fc.constantFrom(...members.split(' '))
const name = fc.oneof(
  member,
  fc.constantFrom(...`${others} ${inherited}`.split(' '), '', '7', '\0', '\ud800'),
  fc.string({ maxLength: 4 }),
)

const quoted = (text: string) => JSON.stringify(text)

/** What has been taken for something else before, as JSON: none of them has a blank in it. */
const odd =
  String.raw`null true 0 -0 1e308 -1 1.5 9007199254740993 1e-7 "" "true" "\n" "\u0000" "\ud800" "\ud83d\ude00" "\ufeff"
  "__proto__" "c" "2026-01-01" "0001-01-01T00:00:00Z" "::1%1" "%" "a,b" "NaN" [] {} [[],{}] {"a":[]} {"id":{}}
  {"toString":1,"valueOf":1} {"a":{"toString":1}} {"length":{"toString":1,"valueOf":1}}`.split(/\s+/)

/** JSON as a text, since some of it no object of JavaScript holds. */
const json = fc.letrec<{ value: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(...odd, `"${'x'.repeat(1_025)}"`),
    fc.string({ unit: 'binary', maxLength: 6 }).map((text) => JSON.stringify(text)),
    fc.array(tie('value'), { maxLength: 3 }).map((parts) => `[${parts.join()}]`),
    tie('object'),
  ),
  object: fc
    .uniqueArray(fc.tuple(name, tie('value')), { selector: ([each]) => each, maxLength: 6 })
    .map((members) => `{${members.map(([each, value]) => `${JSON.stringify(each)}:${value}`).join()}}`),
}))

/** An event that is right but for some of its members. */
const event = fc
  .uniqueArray(fc.tuple(fc.oneof({ arbitrary: member, weight: 4 }, name), json.value), {
    selector: ([each]) => each,
    maxLength: 3,
  })
  .map((members) => {
    const good = { action: '"a.b"', crud: '"c"', actor: '{"id":"a"}', group: '{"id":"g"}' }
    const all = new Map<string, string>([...Object.entries(good), ...members])
    return `{${[...all].map(([each, value]) => `${JSON.stringify(each)}:${value}`).join()}}`
  })

const search =
  'query Q($query: String, $last: Int, $before: String) { search(query: $query, last: $last, before: $before) { totalCount } }'

/** What a viewer saves of a search, in every combination, and with nonsense among it. */
const saved = fc
  .record(
    {
      version: fc.constant('1'),
      searchQuery: fc
        .oneof(fc.string({ maxLength: 9 }), fc.constantFrom('crud:c', '-crud:c', 'fields.a:b'))
        .map(quoted),
      showCreate: fc.constantFrom('true', 'false'),
      showRead: fc.constantFrom('true', 'false'),
      showUpdate: fc.constantFrom('true', 'false'),
      showDelete: fc.constantFrom('true', 'false'),
      startTime: fc.oneof(json.value, fc.integer().map(String)),
      endTime: fc.oneof(json.value, fc.integer().map(String)),
    },
    { requiredKeys: [] },
  )
  .map(
    (body) =>
      `{${Object.entries(body)
        .map(([each, value]) => `"${each}":${value}`)
        .join()}}`,
  )

test('whatever is sent to an operation is no fault of ours', async () => {
  const send = async (method: string, path: string, authorization: string, body: string) => {
    const headers = { authorization, 'content-type': 'application/json' }
    const { status, text } = await wire.call(method, `/audit${path}`, { headers, body })
    expect([status < 500, method, path, text]).toEqual([true, method, path, text])
    if (status >= 400 && text.startsWith('{"status"')) expect(JSON.parse(text)).toMatchObject({ status, type: 'Error' })
    return { status, text }
  }
  /** What could be saved can be had as a file. */
  const saveAndRender = async (body: string) => {
    const made = await send('POST', `${viewer}/export`, session, body)
    if (made.status !== 201) return
    const { id } = JSON.parse(made.text) as { id: string }
    const { status } = await wire.call('GET', `/audit${viewer}/export/${id}/rendered`, {
      headers: { authorization: session },
    })
    expect([status, body]).toEqual([200, body])
  }
  const token = () => `token=${key}`
  await fc.assert(
    fc.asyncProperty(json.object, json.value, event, saved, async (object, value, sent, body) => {
      const graphql = `{"query":${JSON.stringify(search)},"variables":${object}}`
      await Promise.all([
        ...[object, value, sent].map((body) => send('POST', `${project}/event`, token(), body)),
        ...[value, `{"events":[${sent},${object}]}`, `{"events":${value}}`].map((body) =>
          send('POST', `${project}/event/bulk`, token(), body),
        ),
        ...[object, graphql].flatMap((body) => [
          send('POST', '/publisher/v1/graphql', token(), body),
          send('POST', '/enterprise/v1/graphql', `token=${enterprise}`, body),
          send('POST', '/viewer/v1/graphql/paginated?skipViewLogEvent=true', session, body),
        ]),
        send('POST', '/viewer/v1/viewersession', '', object),
        send('POST', `${viewer}/export`, session, object),
        ...[value, body].map((each) => saveAndRender(`{"name":"x","exportBody":${each}}`)),
        send('PUT', `${viewer}/eitapi_token/x`, session, object),
        send('PUT', `${project}/group/g/enterprisetoken/${enterprise}`, token(), `{"display_name":${value}}`),
      ])
    }),
    { numRuns: 200 },
  )
}, 120_000)
