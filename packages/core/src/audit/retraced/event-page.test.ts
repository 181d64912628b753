import { expect, test } from 'vitest'
import { noDatabase } from '../../../test/no-database.ts'
import { StreamId, TenantId } from '../../id.ts'
import { parseSearch } from '../search-language.ts'
import { streamOf } from '../stream.ts'
import { readEventPage, readNextEvents } from './event-page.repository.ts'
import type { LogScope } from './scope.ts'

const tenant_id = TenantId.parse('00000000-0000-0000-0000-000000000001')
const ofProduct = { product: 'certifai', environment: 'live' } as const
const text = streamOf({ ...ofProduct, tenant_id: null, group_id: 'acme' })

test.each<[string, LogScope, string[]]>([
  ["a tenant's", { ...ofProduct, group: { id: 'acme', tenant_id } }, [`'${tenant_id}'`]],
  ["a text's", { ...ofProduct, group: { id: 'acme', tenant_id: null } }, [`'${text}'`]],
  [
    "a tenant's and a text's",
    { ...ofProduct, group: { id: 'acme', tenant_id, text_log: text } },
    [`'${tenant_id}' | '${text}'`],
  ],
  ['a whole stream', { stream_id: StreamId.parse(tenant_id) }, [`'${tenant_id}'`]],
  ['a whole product', ofProduct, []],
])('words are looked for in the index in one log alone, where it is one: %s', async (_what, scope, expected) => {
  const asked: (readonly unknown[])[] = []
  const db = noDatabase(({ query }) => asked.push(query.parameters))
  const search = parseSearch('frequent "and phrases" actor.name:jane')
  await readEventPage(db, { scope, search, order: 'desc', limit: 20 })
  await readNextEvents(db, { scope, search, limit: 20 })
  const lexemes = asked.map((parameters) => new Set(parameters.filter((each) => /^'[0-9a-f-]{36}'/.test(String(each)))))
  expect(lexemes).toEqual([new Set(expected), new Set(expected)])
})
