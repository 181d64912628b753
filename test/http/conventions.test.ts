import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aTenant } from '../builders.ts'
import { type Answer, type ServerUnderTest, startTestServer } from '../server.ts'

interface Described {
  readonly operationId?: string
  readonly summary?: string
  readonly description?: string
  readonly properties?: Record<string, Described>
}

let server: ServerUnderTest
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(async () => {
  await server.stop()
})

describe("the seed's promises", () => {
  it('answers the health check with exactly this', async () => {
    const { status, text } = await server.call('GET', '/healthz')
    expect({ status, text }).toEqual({ status: 200, text: '{"status":"ok"}' })
  })
})

describe('creating a tenant', () => {
  it('answers it whole, says where it is, and records who did it from where', async () => {
    const created = await server.call('POST', '/v1/tenants', {
      json: { slug: 'located', name: ' Located ', trial_ends_at: '2027-01-01T01:00:00+01:00' },
      headers: { 'user-agent': 'a test', 'x-request-id': 'request-of-the-test' },
    })
    expect(created.status).toBe(201)
    expect(created.body).toMatchObject({ slug: 'located', name: 'Located', trial_ends_at: '2027-01-01T00:00:00.000Z' })
    const location = created.headers.get('location') ?? ''
    expect(location).toBe(`/v1/tenants/${created.body.id}`)
    expect((await server.call('GET', location)).body).toEqual(created.body)

    const event = await server.db
      .selectFrom('audit_log')
      .select(['action', 'actor_id', 'actor_name', 'actor_fields', 'source_ip', 'metadata'])
      .where('tenant_id', '=', created.body.id)
      .executeTakeFirstOrThrow()
    expect(event).toEqual({
      action: 'tenant.created',
      actor_id: 'dev',
      actor_name: 'dev',
      actor_fields: '{"role":"platform-owner"}',
      source_ip: '127.0.0.1',
      metadata: '{"request_id":"request-of-the-test","user_agent":"a test"}',
    })
  })

  it('reads a compressed body, and refuses one that is too large once it is not', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    const body = new Uint8Array(gzipSync(JSON.stringify({ slug: 'zipped', name: 'Zipped' })))
    expect((await server.call('POST', '/v1/tenants', { body, headers })).status).toBe(201)
    const bomb = new Uint8Array(gzipSync(JSON.stringify({ name: '0'.repeat(20_000_000) })))
    expect((await server.call('POST', '/v1/tenants', { body: bomb, headers })).status).toBe(413)
  })

  it('names everything that is wrong, each with a pointer', async () => {
    const { body } = await server.call('POST', '/v1/tenants', {
      json: { slug: 'A', name: '', status: 'frozen', trial_ends_at: 'tomorrow', 'a/b~c': 1, erp_id: 7 },
    })
    expect(body.errors.map((error: { pointer: string }) => error.pointer).sort()).toEqual([
      '/a~1b~0c',
      '/erp_id',
      '/name',
      '/slug',
      '/status',
      '/trial_ends_at',
    ])
  })

  it.each([
    ['a slug that is a number', '{"slug":1,"name":"x"}'],
    ['a name with U+0000', '{"slug":"abc","name":"a\\u0000b"}'],
    ['half a surrogate pair', '{"slug":"abc","name":"\\ud800"}'],
    ['__proto__', '{"slug":"abc","name":"x","__proto__":{"status":"active"}}'],
    ['constructor', '{"slug":"abc","name":"x","constructor":{}}'],
    ['a year that is none', '{"slug":"abc","name":"x","trial_ends_at":"2026-13-01T00:00:00Z"}'],
    ['a date without a time', '{"slug":"abc","name":"x","trial_ends_at":"2026-01-01"}'],
    [
      'a contract that ends before it begins',
      '{"slug":"abc","name":"x","contract_starts_at":"2026-02-01T00:00:00Z","contract_ends_at":"2026-01-01T00:00:00Z"}',
    ],
    ['a customer that is a demo', '{"slug":"abc","name":"x","status":"demo","kind":"customer"}'],
    ['null for a name', '{"slug":"abc","name":null}'],
    ['a string', '"abc"'],
    ['null', 'null'],
    ['a nest of arrays', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ])('refuses %s', async (_, body) => {
    const answer = await server.call('POST', '/v1/tenants', { body, headers: { 'content-type': 'application/json' } })
    expect({ status: answer.status, code: answer.body.code }).toEqual({ status: 400, code: 'request.invalid' })
  })
})

describe('a name', () => {
  it.each([
    ['of more than one line', 'Acme\nInc.'],
    ['with a control character', 'Acme\u001b[2J'],
    ['that nobody can see', '\u200b\u3164'],
  ])('%s is refused, at its place', async (_, name) => {
    const { status, body } = await server.call('POST', '/v1/tenants', { json: { slug: 'unseen', name } })
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'request.invalid' })
    expect(body.errors).toMatchObject([{ pointer: '/name', message: expect.stringMatching(/^must /) as string }])
  })
})

it('says what a time looks like', async () => {
  for (const trial_ends_at of ['tomorrow', '9999-12-31T23:59:59-23:59', 7]) {
    const { body } = await server.call('POST', '/v1/tenants', { json: { slug: 'timed', name: 'x', trial_ends_at } })
    expect(body.errors).toMatchObject([
      { pointer: '/trial_ends_at', message: expect.stringMatching(/RFC 3339/) as string },
    ])
  }
})

describe('lists', () => {
  it('are paged by a cursor that fits no other filter', async () => {
    for (let n = 0; n < 3; n += 1) await aTenant(server.db, { plan: 'starter' })
    const first = await server.call('GET', '/v1/tenants?plan=starter&limit=2')
    expect(first.body).toMatchObject({ has_more: true, data: [{ plan: 'starter' }, { plan: 'starter' }] })
    const cursor = encodeURIComponent(first.body.next_cursor)
    const second = await server.call('GET', `/v1/tenants?limit=2&plan=starter&cursor=${cursor}`)
    expect(second.body).toMatchObject({ has_more: false, next_cursor: null, data: [{ plan: 'starter' }] })
    const other = await server.call('GET', `/v1/tenants?limit=2&cursor=${cursor}`)
    expect(other.body).toMatchObject({ status: 400, code: 'page.cursor_invalid' })
  })
})

describe('request ids', () => {
  it("are the caller's own where they can be", async () => {
    const given = 'abc.DEF-1_2'
    expect(
      (await server.call('GET', '/healthz', { headers: { 'x-request-id': given } })).headers.get('x-request-id'),
    ).toBe(given)
  })

  it.each(['short', 'x'.repeat(65), 'has space', 'quote"quote', '<script>'])(
    'are ours instead of %j',
    async (given) => {
      const { headers } = await server.call('GET', '/v1/tenants/by-slug/nobody', { headers: { 'x-request-id': given } })
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    },
  )

  it('stand in the log beside the code of what went wrong', async () => {
    await server.call('GET', '/v1/tenants/by-slug/nobody', { headers: { 'x-request-id': 'find-the-code' } })
    expect(server.log.find((line) => line['request_id'] === 'find-the-code')).toMatchObject({
      status: 404,
      code: 'tenant.not_found',
    })
  })

  it('stand in the log, with the route and without the query', async () => {
    await server.call('GET', '/v1/tenants?plan=hidden', { headers: { 'x-request-id': 'find-me-in-the-log' } })
    expect(server.log.find((line) => line['request_id'] === 'find-me-in-the-log')).toMatchObject({
      level: 'info',
      method: 'GET',
      route: '/v1/tenants',
      path: '/v1/tenants',
      status: 200,
      principal: 'dev',
    })
    expect(JSON.stringify(server.log)).not.toContain('hidden')
  })
})

describe('what no route answers', () => {
  it.each([
    ['GET', '/', 404, 'route.not_found'],
    ['GET', '/v1', 404, 'route.not_found'],
    ['GET', '/v1/tenants/', 404, 'route.not_found'],
    ['GET', '/V1/tenants', 404, 'route.not_found'],
    ['GET', '/v1/tenants/by-slug/acme/more', 404, 'route.not_found'],
    ['DELETE', '/v1/tenants', 405, 'route.method_not_allowed', 'POST, GET, HEAD'],
    ['PATCH', '/v1/tenants/by-slug/acme', 405, 'route.method_not_allowed', 'GET, HEAD'],
    ['POST', '/healthz', 405, 'route.method_not_allowed', 'GET, HEAD'],
    ['GET', '/v1/tenants/import', 405, 'route.method_not_allowed', 'POST'],
    ['PATCH', '/v1/tenants/import', 405, 'route.method_not_allowed', 'POST'],
    ['GET', '/v1/tenants/import/projects', 404, 'route.not_found'],
    ['GET', '/v1/tenants/by-slug', 404, 'route.not_found'],
    ['DELETE', '/v1/tenants/by-erp-id', 404, 'route.not_found'],
    ['POST', '/v1/tenants/by%2Dstripe-id/transitions', 404, 'route.not_found'],
    ['POST', '/openapi.json', 405, 'route.method_not_allowed', 'GET, HEAD'],
    ['DELETE', '/docs', 405, 'route.method_not_allowed', 'GET, HEAD'],
    ['PUT', '/docs/swagger-ui.css', 405, 'route.method_not_allowed', 'GET, HEAD'],
  ])('%s %s is %i', async (method, path, status, code, allow?: string) => {
    const answer = await server.call(method, path)
    expect(answer.body).toMatchObject({ status, code, instance: path })
    expect(answer.headers.get('x-frame-options')).toBe('DENY')
    expect(answer.headers.get('allow')).toBe(allow ?? null)
  })

  it.each(['/', '/docs', '/openapi.json', '/healthz', '/v1/tenants', '/v1/nowhere'])(
    'refuses everything to who is not on this machine, also %s',
    async (path) => {
      const { status, body } = await server.call('GET', path, { headers: { forwarded: 'for=192.0.2.1' } })
      expect({ status, code: body.code }).toEqual({ status: 403, code: 'auth.request_not_local' })
    },
  )

  it('answers HEAD as GET without a body', async () => {
    const head = await server.call('HEAD', '/v1/tenants/by-slug/nobody')
    expect({ status: head.status, text: head.text }).toEqual({ status: 404, text: '' })
  })

  it('answers HEAD 304 where GET is, with the same headers', async () => {
    await aTenant(server.db, { slug: 'has-a-head' })
    const path = '/v1/tenants/by-slug/has-a-head'
    const etag = (await server.call('HEAD', path)).headers.get('etag') ?? ''
    const headers = { 'if-none-match': etag, 'x-request-id': 'the-same-for-both' }
    const [get, head] = [await server.call('GET', path, { headers }), await server.call('HEAD', path, { headers })]
    expect(get).toMatchObject({ status: 304, text: '' })
    expect(head).toMatchObject({ status: 304, text: '' })
    const own = ['date', 'connection', 'keep-alive']
    const said = ({ headers }: Answer) => [...headers].filter(([name]) => !own.includes(name))
    expect(said(head)).toEqual(said(get))
  })
})

describe('what is hardly HTTP', () => {
  const raw = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const { hostname, port } = new URL(server.url)
      let answer = ''
      const socket = connect(Number(port), hostname, () => socket.write(text))
      socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk))
      socket.on('close', () => resolve(answer)).on('error', reject)
    })

  it('is answered with a problem and a closed connection', async () => {
    expect(await raw('NONSENSE\r\n\r\n')).toMatch(
      /^HTTP\/1.1 400 [\s\S]*problem\+json[\s\S]*"code":"request.header_invalid"/,
    )
    const long = `GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`
    expect(await raw(long)).toMatch(/^HTTP\/1.1 431 [\s\S]*problem\+json[\s\S]*"code":"request.headers_too_large"/)
    expect(await raw('GET /healthz HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1.1 400 [\s\S]*"detail":"Host is missing."/)
    const expecting = 'POST /v1/tenants HTTP/1.1\r\nHost: localhost\r\nExpect: miracles\r\nContent-Length: 2\r\n\r\n{}'
    expect(await raw(expecting)).toMatch(/^HTTP\/1.1 400 [\s\S]*"code":"request.header_invalid"/)
    expect(server.log.filter((line) => line['code'] === 'request.headers_too_large')).toHaveLength(1)
  })

  it('never answers one request with the fault of the next', async () => {
    const body = '{"slug":"pipelined","name":"Pipelined"}'
    const good = `POST /v1/tenants HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    // Either the answer that belongs to it, or a connection that says nothing: never a 400 for what was done.
    expect(await raw(`${good}NONSENSE\r\n\r\n`)).not.toMatch(/^HTTP\/1.1 400/)
  })

  it('does not take a body that is both chunked and counted', async () => {
    const smuggled =
      'POST /v1/tenants HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
    expect(await raw(smuggled)).toMatch(/^HTTP\/1.1 400 /)
  })

  it('survives a caller who goes away in the middle of a body', async () => {
    const { hostname, port } = new URL(server.url)
    await new Promise<void>((resolve) => {
      const headers = { 'content-type': 'application/json', 'content-length': '1000' }
      const request = httpRequest({ hostname, port, path: '/v1/tenants', method: 'POST', headers })
      request.on('error', () => resolve())
      request.write('{"slug":', () => request.destroy())
    })
    expect((await server.call('GET', '/healthz')).status).toBe(200)
  })
})

describe('the description of the API', () => {
  it('is served as it is committed', async () => {
    const { default: committed } = await import('../../packages/http/openapi.json', { with: { type: 'json' } })
    expect((await server.call('GET', '/openapi.json')).body).toEqual(committed)
  })

  it('is rendered by a page whose every file is ours', async () => {
    const page = await server.call('GET', '/docs')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'")
    const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file ?? '')
    expect(files).toHaveLength(3)
    for (const file of files) {
      expect(file).toMatch(/^\/docs\//)
      expect((await server.call('GET', file)).status).toBe(200)
    }
  })

  it.each([
    ['range', 'bytes=99999999-'],
    ['if-match', '"x"'],
    ['if-unmodified-since', 'Thu, 01 Jan 1970 00:00:00 GMT'],
  ])('survives %s: %s', async (name, value) => {
    const { status, headers } = await server.call('GET', '/docs/swagger-ui.css', { headers: { [name]: value } })
    expect(status).toBe(200)
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('describes every operation, parameter and property', async () => {
    const { body } = await server.call('GET', '/openapi.json')
    const document = body as {
      paths: Record<string, Record<string, Described & { parameters?: (Described & { name: string })[] }>>
      components: { schemas: Record<string, Described> }
    }
    const undescribed: string[] = []
    for (const [path, item] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(item)) {
        if (!operation.operationId || !operation.summary || !operation.description)
          undescribed.push(`${method} ${path}`)
        for (const { name, description } of operation.parameters ?? []) {
          if (!description) undescribed.push(`${method} ${path} ${name}`)
        }
      }
    }
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      if (!schema.description) undescribed.push(name)
      for (const [property, field] of Object.entries(schema.properties ?? {})) {
        if (!field.description) undescribed.push(`${name}.${property}`)
      }
    }
    expect(undescribed).toEqual([])
  })
})
