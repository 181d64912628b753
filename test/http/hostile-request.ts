import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import {
  alternatives,
  heavyShapes,
  hostileBodies,
  hostilePieces,
  hostileTexts,
  hostileValues,
  type JsonText,
  mutations,
} from './hostile-input.ts'
import { type OpenApi, type Operation, resolved, sample, type Schema } from './hostile-schema.ts'

/** A request as it goes out: the path as it is written, the body as it is. */
export interface HostileRequest {
  /** What is hostile about it, for whoever reads a failure. */
  readonly label: string
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body?: string | Buffer
  /** Whether it is wrong in a way that nobody may forgive. */
  readonly unforgivable?: boolean
  /** Whether the body is sent in pieces, without saying how long it is. */
  readonly chunked?: boolean
}

/** Values of parameters that lead to something which is there; what is not among them is made of the schema. */
export type Fixture = Readonly<Record<string, string>>

let made = 0

/** Everything hostile that can be sent to an operation. What is there is asked for when a request is made. */
export function* hostileRequests(
  operation: Operation,
  document: OpenApi,
  fixture: () => Fixture,
): Generator<HostileRequest> {
  const { method, path, parameters, body } = operation
  const target = (replaced: Readonly<Record<string, string>> = {}, query = '') => {
    const known = fixture()
    const piece = (name: string) => {
      const schema = parameters.find((each) => each.in === 'path' && each.name === name)?.schema ?? {}
      return replaced[name] ?? encodeURIComponent(known[name] ?? String(sample(schema, document)))
    }
    return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => piece(name)) + query
  }
  const good = () => goodBody(operation, document)
  const headers: Record<string, string> = body ? { 'content-type': body.type } : {}
  const request = (label: string, more: Partial<HostileRequest> = {}): HostileRequest => ({
    label,
    method,
    path: target(),
    ...(body && { body: good() }),
    ...more,
    headers: { ...headers, ...more.headers },
  })

  yield request('as it should be')
  for (const { name, in: place } of parameters) {
    if (place === 'path') {
      for (const piece of hostilePieces) yield request(`path ${name} ${piece}`, { path: target({ [name]: piece }) })
    }
    if (place === 'query') {
      const schema = parameters.find((each) => each.name === name)?.schema ?? {}
      const values = hostileValues(schema).flatMap((text) => unquoted(text))
      for (const piece of new Set([...hostilePieces, ...values])) {
        yield request(`query ${name}=${piece}`, { path: target({}, `?${encodeURIComponent(name)}=${piece}`) })
      }
      yield request(`query ${name} twice`, { path: target({}, `?${name}=1&${name}=1`) })
      yield request(`query ${name}[]`, { path: target({}, `?${name}[]=1&${name}[a]=1`) })
    }
    if (place === 'header') {
      for (const value of hostileHeaderValues) {
        yield request(`header ${name}: ${value}`, { headers: { [name]: value } })
      }
    }
  }
  for (const query of hostileQueries) yield request(`query ${query}`, { path: target({}, query) })
  for (const [name, value] of hostileHeaders) {
    yield request(`header ${name}: ${String(value)}`, { headers: { [name]: value } })
  }
  yield request('a long path', { path: `${target()}/${'a/'.repeat(3_000)}` })
  if (!body) {
    yield request('a body that nobody asked for', { body: '{"a":1}', headers: { 'content-type': 'application/json' } })
    return
  }

  const keyed = parameters.some(({ name }) => name === 'Idempotency-Key')
  let index = 0
  const json = (label: string, sent: string | Buffer, more: Partial<HostileRequest> = {}) => {
    index += 1
    const key = keyed && index % 2 === 0 ? { 'Idempotency-Key': `hostile-${index}-${made}` } : {}
    return request(label, { body: sent, ...more, headers: { ...key, ...more.headers } })
  }
  for (const place of places(body.schema, document)) {
    for (const value of hostileValues(place.schema)) {
      const name = place.path.join('/')
      yield json(`body ${name} ${value}`, withValue(bodyValue(operation, document), place.path, value))
    }
    if (!isOpen(place.schema)) continue
    for (const value of heavyShapes) {
      const name = place.path.join('/')
      yield json(`body ${name} ${value}`, withValue(bodyValue(operation, document), place.path, value))
    }
    for (const name of hostileTexts) {
      const value = JSON.stringify({ [name]: sampleOf(place.schema, document) })
      yield json(
        `body ${place.path.join('/')} named ${name}`,
        withValue(bodyValue(operation, document), place.path, value),
      )
    }
  }
  for (const name of hostileTexts) {
    yield json(`body with ${name}`, `{${JSON.stringify(name)}:1,${good().slice(1)}`)
  }
  for (const sent of hostileBodies(good())) yield json(`body ${sent.toString('latin1')}`, sent)
  const repeated = /^\{("(?:[^"\\]|\\.)*":)/.exec(good())?.[1]
  // What is wrong with one of many lines is wrong with that line alone.
  const unforgivable = body.type === 'application/json'
  if (repeated !== undefined) {
    yield json('body with a name twice', `{${repeated}null,${good().slice(1)}`, { unforgivable })
  }
  yield json('body with __proto__', `{"__proto__":{"a":1},${good().slice(1)}`.replace(',}', '}'), { unforgivable })
  for (const place of places(body.schema, document)) {
    if (!isOpen(place.schema) || !unforgivable) continue
    const sent = withValue(bodyValue(operation, document), place.path, '{"__proto__":"x"}')
    yield json(`body ${place.path.join('/')} with __proto__`, sent, { unforgivable })
  }
  const noText = Buffer.from(`{"\u00ff":1,${good().slice(1)}`, 'latin1')
  yield json('body with bytes that are no text', noText, { unforgivable: true })
  for (const sent of mutations(good(), 24, 20_261_124)) yield json(`body ${sent.toString('latin1')}`, sent)
  for (const type of hostileTypes) {
    yield json(`content type ${type}`, good(), { headers: { 'content-type': type }, unforgivable: true })
  }
  for (const [encoding, pack] of packings) {
    yield json(`content encoding ${encoding}`, pack(Buffer.from(good())), { headers: { 'content-encoding': encoding } })
  }
  yield request('no body', { body: '', unforgivable: true })
  yield json('in pieces', good(), { chunked: true })
  const endless = 'x'.repeat(unforgivable ? 300_000 : 11_000_000)
  yield json('in pieces, without end', endless, { chunked: true, unforgivable: true })
  yield json('without end', endless, { unforgivable: true })
}

/** A place in a body. */
interface Place {
  readonly path: readonly string[]
  readonly schema: Schema
}

/** Every place of a body that its schema knows, and one in each map and list. */
function* places(given: Schema, document: OpenApi, path: readonly string[] = []): Generator<Place> {
  if (path.length > 5) return
  if (path.length > 0) yield { path, schema: flattened(given, document) }
  for (const schema of flattened(given, document).anyOf ?? []) {
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      yield* places(property, document, [...path, name])
    }
    if (typeof schema.additionalProperties === 'object') {
      yield* places(schema.additionalProperties, document, [...path, 'a'])
    }
    if (schema.items) yield* places(schema.items, document, [...path, '0'])
  }
}

/** A schema as the list of what it allows, references followed. */
function flattened(given: Schema, document: OpenApi): Schema {
  const follow = (schema: Schema): readonly Schema[] =>
    alternatives(resolved(schema, document)).flatMap((each) => (each.$ref === undefined ? [each] : follow(each)))
  return { anyOf: follow(given) }
}

const isOpen = (schema: Schema) =>
  (schema.anyOf ?? [schema]).some(
    ({ type, additionalProperties, properties }) =>
      typeof additionalProperties === 'object' || (type === 'object' && !properties && additionalProperties !== false),
  )

const sampleOf = (schema: Schema, document: OpenApi) =>
  (schema.anyOf ?? [])
    .map(({ additionalProperties }) => additionalProperties)
    .map((each) => (typeof each === 'object' ? sample(each, document) : 1))[0]

/** A good body, with a name of its own where one is made. */
function bodyValue({ body, statuses }: Operation, document: OpenApi): unknown {
  const value = sample(body?.schema ?? {}, document)
  if (!statuses.has(201) || typeof value !== 'object' || value === null) return value
  made += 1
  const properties = resolved(body?.schema ?? {}, document).properties ?? {}
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => {
      const { pattern, format, enum: words } = resolved(properties[name] ?? {}, document)
      const own = `${each}-${made}`
      const fits = typeof each === 'string' && !format && !words && new RegExp(pattern ?? '', 'u').test(own)
      return [name, fits ? own : each]
    }),
  )
}

/** A good body as text; one with a field in it, where none is required. */
function goodBody(operation: Operation, document: OpenApi): JsonText {
  const value = JSON.stringify(bodyValue(operation, document))
  const [name, schema] = Object.entries(resolved(operation.body?.schema ?? {}, document).properties ?? {})[0] ?? []
  return value === '{}' && name !== undefined ? JSON.stringify({ [name]: sample(schema ?? {}, document) }) : value
}

const hole = 'here-goes-the-value'

/** A body with a text in place of one value, and the objects around it where there were none. */
function withValue(body: unknown, path: readonly string[], value: JsonText): JsonText {
  const put = (around: unknown, [name, ...rest]: readonly string[]): unknown => {
    if (name === undefined) return hole
    if (name === '0') return [put(Array.isArray(around) ? around[0] : undefined, rest)]
    const object: Record<string, unknown> = typeof around === 'object' && around !== null ? { ...around } : {}
    return { ...object, [name]: put(object[name], rest) }
  }
  return JSON.stringify(put(body, path)).replace(`"${hole}"`, () => value)
}

/** What a JSON value is in a query; nothing for what is too long for a URL. */
function unquoted(text: JsonText): string[] {
  if (text.length > 4_000) return []
  const value = text.startsWith('"') ? (JSON.parse(text) as string) : text
  return value.isWellFormed() ? [encodeURIComponent(value)] : []
}

const hostileQueries = [
  '?',
  '?&&&==&',
  '?%',
  '?%zz=%zz',
  '?%00',
  '?__proto__=1&constructor=2&toString=3',
  '?%5f%5fproto%5f%5f[a]=1',
  '?a.b=1;c=2',
  `?${'a&'.repeat(3_000)}`,
  `?${'x'.repeat(7_000)}`,
  '?x=%ff%fe',
  '?dry_run=maybe',
  '??x',
  '?x=1#y',
]

const hostileHeaderValues = [
  '',
  ' ',
  '"',
  '""',
  '"1',
  '"-1"',
  '"1e400"',
  '"9007199254740993"',
  `"${'9'.repeat(300)}"`,
  '*',
  '*, *',
  'W/"1"',
  '"1", "2"',
  '\u00ff\u00fe',
  'a\tb',
  "'; drop table tenants; --",
  'x'.repeat(255),
  'x'.repeat(256),
  'x'.repeat(9_000),
]

const hostileHeaders: readonly (readonly [name: string, value: string | string[]])[] = [
  ['x-request-id', '\u00ff'.repeat(70)],
  ['x-request-id', "'; --aaaaaa"],
  ['x-request-id', ['request-one', 'request-two']],
  ['traceparent', 'x'.repeat(500)],
  ['traceparent', '00-00000000000000000000000000000000-0000000000000000-00'],
  ['traceparent', 'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what'],
  ['authorization', 'Bearer'],
  ['authorization', 'Bearer a.b.c'],
  ['authorization', `Bearer ${'.'.repeat(8_000)}`],
  ['authorization', 'Basic \u00ff'],
  ['accept', 'image/png'],
  ['accept', 'application/*;q=\u00ff'],
  ['accept-encoding', 'x'.repeat(3_000)],
  ['user-agent', '\u00ff'.repeat(4_000)],
  ['user-agent', '\'"<script>${7*7}{{7*7}}%s\\'],
  ['if-none-match', 'x'],
  ['if-none-match', `${'"x",'.repeat(2_000)}"y"`],
  ['if-modified-since', 'never'],
  ['range', 'bytes=5-1'],
  ['host', 'other.example, <script>'],
  ['x-forwarded-proto', 'javascript'],
  ['cookie', 'a=b;'.repeat(2_000)],
  ['x-http-method-override', 'DELETE'],
  ['__proto__', 'polluted'],
]

const hostileTypes = [
  '',
  'application',
  '/',
  'text/plain',
  'application/json, application/json',
  'application/json; charset=utf-16',
  'application/json; charset=utf-7',
  'application/json; charset="',
  'application/json;charset=utf-8;charset=latin1',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=a',
  'application/jsonp',
  'application/json\u00ff',
]

const bomb = Buffer.alloc(20_000_000, '0')
const packings: readonly (readonly [encoding: string, pack: (bytes: Buffer) => Buffer])[] = [
  ['gzip', (bytes) => gzipSync(bytes)],
  ['gzip', (bytes) => bytes],
  ['gzip', (bytes) => gzipSync(bytes).subarray(0, -9)],
  ['gzip', (bytes) => Buffer.concat([gzipSync(bytes), Buffer.from('more')])],
  ['deflate', (bytes) => deflateSync(bytes)],
  ['deflate', (bytes) => gzipSync(bytes)],
  ['br', (bytes) => brotliCompressSync(bytes)],
  ['br', (bytes) => bytes],
  ['gzip, gzip', (bytes) => gzipSync(gzipSync(bytes))],
  ['zstd', (bytes) => bytes],
  ['identity', (bytes) => bytes],
  ['', (bytes) => bytes],
  ['\u00ff', (bytes) => bytes],
  ['gzip', () => gzipSync(bomb)],
  ['br', () => brotliBomb],
  ['deflate', () => deflateSync(bomb)],
]
const brotliBomb = brotliCompressSync(bomb)
