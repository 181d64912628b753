import { buildClientSchema, getIntrospectionQuery, type IntrospectionQuery, printSchema } from 'graphql'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWire, type Wire } from './wire.ts'

let wire: Wire
let key: string
let ids: string[]
beforeAll(async () => {
  wire = await startWire()
  key = await wire.publisherKey()
  const events = Array.from({ length: 7 }, (_, at) => ({
    action: 'page.turned',
    crud: at % 2 === 0 ? 'c' : 'r',
    actor: { id: `u${at}` },
    // Two at the same moment: their ids tell them apart.
    created: new Date(Date.UTC(2026, 0, 1, 0, 0, Math.floor(at / 2))).toISOString(),
    is_failure: at === 0,
    fields: { shelf: `s${at},all` },
  }))
  const { body } = await wire.ask('POST', '/publisher/v1/project/certifai/event/bulk', key, { json: { events } })
  ids = body.map(({ id }: { id: string }) => id)
})
afterAll(() => wire.stop())

const ask = async (query: string, variables?: object, path = '/publisher/v1/project/certifai/graphql', by = key) =>
  await wire.ask('POST', path, by, { json: { query, variables } })

const paging = `query Q($query: String, $first: Int, $after: String, $last: Int, $before: String) {
  search(query: $query, first: $first, after: $after, last: $last, before: $before) {
    totalCount pageInfo { hasNextPage hasPreviousPage } edges { cursor node { id } }
  }
}`

async function page(variables: object, by = key) {
  const { status, body } = await ask(paging, variables, undefined, by)
  expect(status).toBe(200)
  const { edges, pageInfo, totalCount } = body.data.search
  return {
    ids: edges.map(({ node }: { node: { id: string } }) => node.id) as string[],
    cursors: edges.map(({ cursor }: { cursor: string }) => cursor) as string[],
    next: pageInfo.hasNextPage as boolean,
    previous: pageInfo.hasPreviousPage as boolean,
    total: totalCount as number,
  }
}

const cursorOf = (text: string) => Buffer.from(text).toString('base64')

describe('search', () => {
  test('without anything answers the oldest first; with last the newest first', async () => {
    expect(await page({})).toMatchObject({ ids, next: false, previous: false, total: 7 })
    expect(await page({ last: 100, before: '' })).toMatchObject({ ids: ids.toReversed(), next: false, previous: false })
  })

  test.each([
    ['newest first', (size: number, cursor: string) => ({ last: size, before: cursor }), 'previous', 'next'],
    ['oldest first', (size: number, cursor: string) => ({ first: size, after: cursor }), 'next', 'previous'],
  ] as const)('pages %s to the end, and says truly what comes before and after', async (_order, at, ahead, behind) => {
    const seen: string[] = []
    let cursor = ''
    for (let turn = 0; turn < 3; turn += 1) {
      const found = await page(at(3, cursor))
      expect([found[ahead], found[behind], found.total]).toEqual([turn < 2, turn > 0, 7])
      seen.push(...found.ids)
      cursor = found.cursors.at(-1) ?? ''
    }
    expect(seen).toEqual(ahead === 'next' ? ids : ids.toReversed())
    expect(await page(at(3, cursor))).toMatchObject({ ids: [], [ahead]: false, [behind]: true, total: 7 })
  })

  test('a cursor is the moment, the event and how many were seen, and lets nobody see more', async () => {
    const textOf = (cursor = '') => Buffer.from(cursor, 'base64').toString()
    const { cursors } = await page({ first: 2 })
    expect(cursors.map(textOf)).toEqual([
      `${Date.UTC(2026, 0, 1)},${ids[0]},+1`,
      `${Date.UTC(2026, 0, 1)},${ids[1]},+2`,
    ])
    const last = await page({ last: 1 })
    expect(textOf(last.cursors[0])).toBe(`${Date.UTC(2026, 0, 1, 0, 0, 3)},${ids[6]},-1`)
    expect(textOf((await page({ last: 1, before: last.cursors[0] })).cursors[0])).toMatch(/,-2$/)
    const { ids: found } = await page({ last: 100, before: cursorOf(`253402300799999,${'f'.repeat(32)}`) })
    expect(found).toEqual(ids.toReversed())
  })

  const newestFirst = (cursor: string) => ({ last: 3, before: cursor })
  const oldestFirst = (cursor: string) => ({ first: 3, after: cursor })
  test.each([
    ['newest first', newestFirst, oldestFirst],
    ['oldest first', oldestFirst, newestFirst],
  ] as const)('%s: who goes on is told what they saw and what is left', async (order, onward, otherwise) => {
    // What comes in meanwhile is in nobody else's way.
    const by = await wire.publisherKey({ environment: 'test' })
    const action = `walk.${order === 'newest first' ? 'down' : 'up'}`
    const at = async (variables: object) => await page({ query: `action:${action}`, ...variables }, by)
    const publish = async (...seconds: number[]) => {
      const events = seconds.map((second) => ({
        action,
        crud: 'c',
        is_anonymous: true,
        created: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(),
      }))
      await wire.ask('POST', '/publisher/v1/project/certifai/event/bulk', by, { json: { events } })
    }
    await publish(20, 21, 22, 23)
    const first = await at(onward(''))
    const [, , cursor = ''] = first.cursors
    expect([first.total, first.ids.length]).toEqual([4, 3])
    const [behind, ahead] = order === 'newest first' ? [59, 1] : [1, 59]
    await publish(behind, behind, ahead)
    expect(await at(onward(cursor))).toMatchObject({ ids: [expect.any(String), expect.any(String)], total: 5 })
    expect((await at(onward(''))).total).toBe(7)
    // Without what was seen on this very way, all are counted.
    const [moment, event] = Buffer.from(cursor, 'base64').toString().split(',')
    expect((await at(onward(cursorOf(`${moment},${event}`)))).total).toBe(7)
    expect((await at(otherwise(cursor))).total).toBe(7)
  })

  test('what somebody says they saw is no more than a number', async () => {
    const at = `253402300799999,${'f'.repeat(32)}`
    expect(await page({ last: 1, before: cursorOf(`${at},-2147483647`) })).toMatchObject({
      ids: [ids[6]],
      total: 2_147_483_647,
    })
  })

  test.each<[string, object]>([
    ['first and last', { first: 1, last: 1 }],
    ['before and after', { last: 1, before: cursorOf(`0,${'0'.repeat(32)}`), after: cursorOf(`0,${'0'.repeat(32)}`) }],
    ['none of a page', { last: 0 }],
    ['less than none', { first: -1 }],
    ['too many', { last: 1_001 }],
    ['a cursor that is none', { last: 1, before: 'x' }],
    ['a cursor of another spelling', { last: 1, before: `${cursorOf(`0,${'0'.repeat(32)}`)}\n` }],
    ['a cursor with SQL', { last: 1, before: cursorOf("0,' or true --") }],
    ['a cursor with a total', { last: 1, before: cursorOf(`0,${'0'.repeat(32)},7`) }],
    ['a cursor with more than any Int', { last: 1, before: cursorOf(`0,${'0'.repeat(32)},-2147483648`) }],
    ['a cursor beyond all time', { last: 1, before: cursorOf(`9999999999999999,${'0'.repeat(32)}`) }],
    ['a time that is none', { query: 'received:yesterday,', last: 1 }],
    ['one end of a time', { query: 'received:2026-01-01', last: 1 }],
    ['a letter that is none', { query: 'crud:x', last: 1 }],
    ['a query that is too long', { query: 'x '.repeat(1_001), last: 1 }],
    ['U+0000', { query: 'a\0b', last: 1 }],
  ])('%s: 400, with what is wrong', async (_what, variables) => {
    const { status, body } = await ask(paging, variables)
    expect(status).toBe(400)
    expect(body).toEqual({
      errors: [
        { message: expect.stringMatching(/^The (search|cursor)/), locations: expect.any(Array), path: ['search'] },
      ],
      data: { search: null },
    })
  })

  test.each<[string, number[]]>([
    ['crud:c,u,d', [0, 2, 4, 6]],
    ['-crud:r', [0, 2, 4, 6]],
    ['actor.id:u1,u3', [1, 3]],
    ['action:page.*', [0, 1, 2, 3, 4, 5, 6]],
    ['action:"page.turned"', [0, 1, 2, 3, 4, 5, 6]],
    ['action:Page.turned', []],
    ['page', []],
    ['fields.shelf:s4', [4]],
    ['fields.shelf:all crud:r', [1, 3, 5]],
    ['created:2026-01-01T00:00:02Z,2026-01-01T00:00:03Z', [4, 5]],
    ['created:2026-01-01T00:00:03Z,', [6]],
    ['is_failure:true', [0]],
    ['"page.turned" OR nothing', [0, 1, 2, 3, 4, 5, 6]],
    ['product:compliance', []],
    ["actor.id:u1'; drop table audit_log --", []],
  ])('%s', async (query, found) => {
    expect((await page({ query })).ids).toEqual(found.map((at) => ids[at]))
  })
})

describe('searchPaginated', () => {
  const paginated = `query Q($query: String, $pageOffset: Int!, $pageLimit: Int!, $startCursor: String, $sortOrder: sortOrder) {
    searchPaginated(query: $query, pageOffset: $pageOffset, pageLimit: $pageLimit, startCursor: $startCursor, sortOrder: $sortOrder) {
      totalCount edges { cursor node { id } }
    }
  }`
  const at = async (variables: object) => {
    const { status, body } = await ask(paginated, { query: 'page.turned', ...variables })
    expect(status).toBe(200)
    const { edges, totalCount } = body.data.searchPaginated
    return {
      ids: edges.map(({ node }: { node: { id: string } }) => node.id),
      cursor: edges[0]?.cursor as string,
      total: totalCount,
    }
  }

  test.each(['asc', 'desc'] as const)('%s: later events do not shift pages that began before', async (sortOrder) => {
    const query = `shift.${sortOrder}`
    const publish = async (count: number) => {
      const events = Array.from({ length: count }, () => ({ action: query, crud: 'c', is_anonymous: true }))
      await wire.ask('POST', '/publisher/v1/project/certifai/event/bulk', key, { json: { events } })
    }
    await publish(5)
    const before = await at({ query, pageOffset: 0, pageLimit: 100, sortOrder })
    const first = await at({ query, pageOffset: 0, pageLimit: 3, sortOrder })
    expect([first.ids, first.total]).toEqual([before.ids.slice(0, 3), 5])
    await publish(4)
    const second = await at({ query, pageOffset: 3, pageLimit: 3, startCursor: first.cursor, sortOrder })
    expect([second.ids, second.total]).toEqual([before.ids.slice(3), 5])
    expect((await at({ query, pageOffset: 6, pageLimit: 3, startCursor: first.cursor, sortOrder })).ids).toEqual([])
    expect((await at({ query, pageOffset: 0, pageLimit: 3, sortOrder })).total).toBe(9)
  })

  test('a cursor begins with its own event, and holds what it was told', async () => {
    const start = cursorOf(`${Date.UTC(2026, 0, 1, 0, 0, 1)},${ids[3]},1`)
    expect(await at({ pageOffset: 0, pageLimit: 10, startCursor: start })).toMatchObject({ ids: [ids[3]], total: 1 })
  })

  test('newest first unless told', async () => {
    expect((await at({ pageOffset: 0, pageLimit: 2 })).ids).toEqual([ids[6], ids[5]])
  })

  test.each<[string, object]>([
    ['an offset below none', { pageOffset: -1, pageLimit: 1 }],
    ['an offset beyond all', { pageOffset: 1_000_001, pageLimit: 1 }],
    ['a page of none', { pageOffset: 0, pageLimit: 0 }],
    ['a cursor without a total', { pageOffset: 0, pageLimit: 1, startCursor: cursorOf(`0,${'0'.repeat(32)}`) }],
    [
      'a total that no Int holds',
      { pageOffset: 0, pageLimit: 1, startCursor: cursorOf(`0,${'0'.repeat(32)},9999999999`) },
    ],
  ])('%s: 400', async (_what, variables) => {
    expect((await ask(paginated, variables)).status).toBe(400)
  })
})

test('a page has twenty events unless told', async () => {
  const events = Array.from({ length: 25 }, () => ({ action: 'default.page', crud: 'c', is_anonymous: true }))
  await wire.ask('POST', '/publisher/v1/project/certifai/event/bulk', key, { json: { events } })
  const { body } = await ask(`{
    search(query: "action:default.page") { totalCount pageInfo { hasNextPage } edges { cursor } }
    searchPaginated(query: "action:default.page") { totalCount edges { cursor } }
  }`)
  const { search, searchPaginated } = body.data
  expect([search.edges.length, search.totalCount, search.pageInfo.hasNextPage]).toEqual([20, 25, true])
  expect([searchPaginated.edges.length, searchPaginated.totalCount]).toEqual([20, 25])
})

describe('the schema', () => {
  test('can be asked for by everybody who searches, and is the same for all', async () => {
    const json = { query: getIntrospectionQuery() }
    const group = '/publisher/v1/project/certifai/group/g/enterprisetoken'
    const { body: made } = await wire.ask('POST', group, key, { json: { display_name: 'x' } })
    const { body: viewer } = await wire.ask('GET', '/publisher/v1/project/certifai/viewertoken?group_id=g', key)
    const session = await wire.call('POST', '/audit/viewer/v1/viewersession', { json: { token: viewer.token } })
    const headers = { authorization: session.body.token as string }
    for (const { status, body } of [
      await wire.ask('POST', '/publisher/v1/graphql', key, { json }),
      await wire.ask('POST', '/publisher/v1/project/certifai/graphql', key, { json }),
      await wire.ask('POST', '/enterprise/v1/graphql', made.token as string, { json }),
      await wire.call('POST', '/audit/viewer/v1/graphql', { headers, json }),
      await wire.call('POST', '/audit/viewer/v1/graphql/paginated', { headers, json }),
    ]) {
      expect(status).toBe(200)
      const schema = printSchema(buildClientSchema(body.data as IntrospectionQuery))
      await expect(`${schema}\n`).toMatchFileSnapshot('schema.graphql')
    }
  })

  test('is asked by GET as well', async () => {
    const query = new URLSearchParams({ query: paging, variables: '{"last":1}', operationName: 'Q' })
    for (const path of ['/publisher/v1/graphql', '/publisher/v1/project/certifai/graphql']) {
      const { status, body } = await wire.ask('GET', `${path}?${query.toString()}`, key)
      expect([status, body.data.search.edges.length]).toEqual([200, 1])
    }
    expect((await wire.ask('GET', '/publisher/v1/graphql', key)).status).toBe(400)
    expect((await wire.ask('GET', '/publisher/v1/graphql?query={search{totalCount}}&variables=x', key)).status).toBe(
      400,
    )
  })

  test.each<[string, string]>([
    ['what is no query', 'search'],
    ['an unknown field', '{ search { nothing } }'],
    ['an unknown argument', '{ search(nothing: 1) { totalCount } }'],
    ['a variable of another type', 'query Q($last: String) { search(last: $last) { totalCount } }'],
    ['a mutation', 'mutation { search { totalCount } }'],
    ['a subscription', 'subscription { search { totalCount } }'],
    ['a field twice', '{ search { totalCount totalCount } }'],
    ['a field twice, by an alias', '{ search { a: totalCount b: totalCount } }'],
    ['a search twice', '{ a: search { totalCount } b: search { totalCount } }'],
    ['a field twice, by a fragment', '{ search { totalCount ...F } } fragment F on SearchQueryResult { totalCount }'],
    ['what counts', '{ counts(type: "action") { totalCount } }'],
  ])('%s: 400, and a list alone where Retraced answers one', async (_what, query) => {
    const { status, body } = await ask(query)
    expect([status, body.data]).toEqual([400, undefined])
    expect(body.errors[0].message).toBeTruthy()
    const bare = await ask(query, undefined, '/publisher/v1/graphql')
    expect(bare.status).toBe(400)
    expect(bare.body[0].message).toBe(body.errors[0].message)
  })

  const deep = `{ search { ${'edges { node { '.repeat(50)} id ${'} }'.repeat(50)} } }`
  const spreads = `{ search { ...F0 } } ${Array.from(
    { length: 30 },
    (_, at) => `fragment F${at} on SearchQueryResult { ...F${at + 1} ...F${at + 1} }`,
  ).join(' ')} fragment F30 on SearchQueryResult { totalCount }`
  test.each<[string, string]>([
    [
      'ten thousand aliases',
      `{ ${Array.from({ length: 10_000 }, (_, at) => `a${at}: search { totalCount }`).join(' ')} }`,
    ],
    ['ten thousand type names', `{ ${'__typename '.repeat(10_000)} }`],
    ['fields a hundred deep', deep],
    ['fragments that double themselves thirty times', spreads],
    [
      'fragments in a circle',
      '{ search { ...A } } fragment A on SearchQueryResult { ...B } fragment B on SearchQueryResult { ...A }',
    ],
    [
      'the types of the fields of the types',
      `{ __schema { types { ${'fields { type { '.repeat(8)} name ${'} }'.repeat(8)} } } }`,
    ],
    ['a megabyte of blanks', `{ search { totalCount } }${' '.repeat(1_000_000)}`],
    ['brackets without end', '{'.repeat(50_000)],
    ['a list without end', `{ search(query: ${'['.repeat(20_000)}`],
  ])('%s: refused in no time', async (_what, query) => {
    const startedAt = performance.now()
    const { status, body } = await ask(query)
    expect([status, body.data]).toEqual([400, undefined])
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  })

  test.each<[string, unknown]>([
    ['a list', [{ query: '{ search { totalCount } }' }]],
    ['no query', {}],
    ['a query that is no text', { query: {} }],
    ['variables that are no object', { query: '{ search { totalCount } }', variables: 'x' }],
    ['an operation that is not there', { query: 'query A { search { totalCount } }', operationName: 'B' }],
  ])('a body with %s: 400', async (_what, json) => {
    expect((await wire.ask('POST', '/publisher/v1/graphql', key, { json })).status).toBe(400)
  })
})

test('a search that takes too long is 503, and says when to come back', async () => {
  const owner = new Client({ connectionString: wire.database.ownerUrl })
  await owner.connect()
  try {
    await owner.query('begin; lock table audit_log in access exclusive mode')
    const { status, headers, body } = await ask('{ search { totalCount } }')
    expect([status, headers.get('retry-after')]).toEqual([503, '1'])
    expect(body).toMatchObject({ errors: [{ path: ['search'] }], data: { search: null } })
  } finally {
    await owner.end()
  }
})
