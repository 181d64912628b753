import { type ErrorCode, errorTable } from '@breakpilot/tenant-core'
import { OpenApiBuilder, type OperationObject, type ParameterObject, type SchemaObject } from 'openapi3-ts/oas31'
import { z } from 'zod'
import { isLines, isRows, ndjson } from './ndjson.ts'
import { Problem, statusOfCode } from './problem.ts'
import type { Route } from './route.ts'

/** Every code that a route can answer with: its own, and those that follow from its shape. */
export function declaredCodes(route: Route): readonly ErrorCode[] {
  const codes: ErrorCode[] = [...route.errors, 'auth.request_not_local', 'request.query_unknown']
  if (route.scope !== 'public') {
    codes.push(...authCodes, 'auth.permission_denied', 'database.busy', 'database.unavailable', 'request.rate_limited')
  }
  if (route.params) codes.push('request.invalid', 'request.path_malformed')
  if (route.params && 'tenant_id' in route.params.shape) codes.push('tenant.not_found')
  if (route.query) codes.push('request.invalid')
  if (route.body) codes.push(...bodyCodes)
  if (route.body && !isLines(route.body)) codes.push('request.invalid')
  if (route.idempotent) codes.push('idempotency.in_flight', 'request.header_invalid')
  // Without a body there is no other one either.
  if (route.idempotent && route.body) codes.push('idempotency.key_reused')
  if (route.preconditions) codes.push('request.header_invalid', 'resource.version_stale')
  return [...new Set(codes)].sort()
}

const authCodes = (Object.keys(errorTable) as ErrorCode[]).filter(
  (code) => code.startsWith('auth.') && code !== 'auth.permission_denied' && code !== 'auth.request_not_local',
)

const bodyCodes = [
  'request.body_missing',
  'request.body_too_large',
  'request.content_encoding_unsupported',
  'request.content_type_unsupported',
  'request.json_malformed',
] as const satisfies readonly ErrorCode[]

/** What the document says about the service as a whole. */
const info = {
  title: 'tenant-registry',
  version: '1',
  summary: 'Who is this tenant, what may it use, and who did what.',
  description:
    'The system of record of the Breakpilot control plane. Times are UTC, RFC 3339 with milliseconds. Errors are RFC 9457 problems whose `code` never changes its meaning. Lists are keyset pages.',
  license: { name: 'Proprietary', url: 'https://tenant-registry.breakpilot.com/license' },
  contact: { name: 'tenant-registry on-call', email: 'oncall@breakpilot.com' },
}

const tags = [
  { name: 'tenants', description: 'The customers of the platform.' },
  { name: 'projects', description: 'What tenants divide their work into.' },
  { name: 'products', description: 'The products of the platform, and the terms on which tenants have them.' },
  { name: 'entitlements', description: 'What tenants may use, now.' },
  { name: 'audit', description: 'Who did what.' },
  { name: 'changes', description: 'What changed, in order, for those who keep copies.' },
  { name: 'service', description: 'The service itself.' },
]

/** The OpenAPI 3.1 document of the routes. The same routes give the same document, byte for byte. */
export function openApiDocument(routes: readonly Route[]): object {
  const components = new Components()
  const builder = OpenApiBuilder.create().addOpenApiVersion('3.1.1').addInfo(info)
  for (const tag of tags) builder.addTag(tag)
  builder.addServer({ url: '/', description: 'The server that answers this' })
  builder.addServer({ url: 'https://tenant-registry.breakpilot.com', description: 'Production' })
  builder.addServer({ url: 'https://tenant-registry.stage.breakpilot.com', description: 'Stage' })
  builder.addSecurityScheme('oidc', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'An access token of the identity provider, for the audience `tenant-registry`.',
  })
  builder.addResponse('Problem', {
    description: 'Something went wrong on our side: `service.internal_error`.',
    headers: { 'X-Request-Id': requestIdHeader },
    content: { 'application/problem+json': { schema: components.add(Problem) } },
  })
  const paths = new Map<string, Record<string, OperationObject>>()
  for (const route of routes) {
    paths.set(route.path, { ...paths.get(route.path), [route.method]: operation(route, components) })
  }
  for (const [path, item] of paths) builder.addPath(path, item)
  for (const [name, schema] of components.schemas) builder.addSchema(name, schema)
  return builder.getSpec()
}

const requestIdHeader = {
  description: 'The id of the request: the one that was sent, where it could be taken, else a new one.',
  schema: { type: 'string' as const },
}

function operation(route: Route, components: Components): OperationObject {
  const codes = Map.groupBy(declaredCodes(route), statusOfCode)
  const failures = [...codes.entries()]
    .sort(([a], [b]) => a - b)
    .map(([status, list]) => [
      String(status),
      {
        description: `One of: ${list.map((code) => `\`${code}\` (${errorTable[code][1]})`).join(', ')}.`,
        headers: {
          'X-Request-Id': requestIdHeader,
          ...(status === 401 && {
            'WWW-Authenticate': { description: 'RFC 6750.', schema: { type: 'string' as const } },
          }),
          ...((status === 503 || status === 429) && {
            'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' as const } },
          }),
        },
        content: { 'application/problem+json': { schema: components.add(Problem) } },
      },
    ])
  const given = [
    ...parameters(route.params, 'path', components),
    ...parameters(route.query, 'query', components),
    ...headerParameters(route),
  ]
  const success = { description: route.summary, headers: successHeaders(route), ...content(route, components) }
  return {
    operationId: route.operation,
    tags: [route.tag],
    summary: route.summary,
    description: route.description,
    security: route.scope === 'public' ? [] : [{ oidc: [] }],
    ...(given.length > 0 && { parameters: given }),
    ...(route.body && { requestBody: { required: true, content: bodyContent(route.body, components) } }),
    responses: {
      [route.status]: success,
      ...(route.preview &&
        route.status !== 200 && {
          200: {
            description: `What would follow, with \`dry_run=true\`.`,
            headers: { 'X-Request-Id': requestIdHeader },
            ...content(
              { ...route, response: route.preview.response, reduced: undefined, preview: undefined, status: 200 },
              components,
            ),
          },
        }),
      ...(route.etag &&
        route.method === 'get' && {
          304: { description: 'It is what `If-None-Match` says you have.', headers: { ETag: etagHeader } },
        }),
      ...Object.fromEntries(failures),
      default: { $ref: '#/components/responses/Problem' },
    },
  }
}

function bodyContent(body: NonNullable<Route['body']>, components: Components) {
  if (!isLines(body)) return { 'application/json': { schema: components.add(body) } }
  const { description: _, ...row } = { description: '', ...components.add(body.row) }
  return { [ndjson]: { schema: { type: 'string' as const, description: linesOf(row) } } }
}

const linesOf = (row: SchemaObject | { $ref?: string }) =>
  `JSON documents, one in each line${'$ref' in row && row.$ref !== undefined ? `, each a \`${row.$ref.split('/').at(-1)}\`` : ''}.`

/** What a good answer holds: one of several shapes, where it depends on who asks or what for. */
function content(route: Route, components: Components): { content?: Record<string, { schema: SchemaObject }> } {
  if (route.status === 204) return {}
  if (isRows(route.response)) {
    const row = components.add(route.response.row)
    return { content: { [ndjson]: { schema: { type: 'string' as const, description: linesOf(row) } } } }
  }
  const shapes = [
    components.add(route.response),
    ...(route.reduced ? [components.add(route.reduced)] : []),
    ...(route.preview && route.status === 200 && !isRows(route.preview.response)
      ? [components.add(route.preview.response)]
      : []),
  ]
  const [only] = shapes
  return { content: { 'application/json': { schema: shapes.length === 1 && only ? only : { anyOf: shapes } } } }
}

const etagHeader = {
  description: 'The version and a digest of the answer: hand it back as `If-None-Match` or `If-Match`.',
  schema: { type: 'string' as const },
}

const uriHeader = (description: string) => ({
  description,
  schema: { type: 'string' as const, format: 'uri-reference' },
})

function successHeaders(route: Route) {
  return {
    'X-Request-Id': requestIdHeader,
    ...(route.etag && { ETag: etagHeader }),
    ...(route.location && { Location: uriHeader('Where it is.') }),
    ...(route.contentLocation && { 'Content-Location': uriHeader('Where it is at home, when that is elsewhere.') }),
    ...(route.idempotent && {
      'Idempotency-Replayed': {
        description: '`true` when this is the answer to an earlier request with the same `Idempotency-Key`.',
        schema: { type: 'string' as const, enum: ['true'] },
      },
    }),
  }
}

function headerParameters(route: Route): ParameterObject[] {
  const header = (name: string, description: string, schema: SchemaObject): ParameterObject => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string', ...schema },
  })
  return [
    ...(route.idempotent
      ? [
          header(
            'Idempotency-Key',
            'A key of your choice. A request with a key that was answered in the last 24 hours is not carried out again.',
            { minLength: 1, maxLength: 255, examples: ['6f1e9a52-1f0c-4b0e-8a53-0f6d3c3c2c11'] },
          ),
        ]
      : []),
    ...(route.preconditions
      ? [header('If-Match', 'The `ETag` that your change is based on, or its version alone.', { examples: ['"7"'] })]
      : []),
    ...(route.etag && route.method === 'get'
      ? [header('If-None-Match', 'The `ETag` of the answer that you have.', { examples: ['"7-k3f9qaXb"'] })]
      : []),
  ]
}

function parameters(
  shape: z.ZodObject | undefined,
  place: 'path' | 'query',
  components: Components,
): ParameterObject[] {
  return Object.entries(shape?.shape ?? {}).map(([name, field]) => {
    const { description, ...schema } = components.add(field as z.ZodType)
    return {
      name,
      in: place,
      required: place === 'path',
      ...(typeof description === 'string' && { description }),
      schema,
    }
  })
}

/** Schemas with an id become components, each once; the others stay where they are. */
class Components {
  readonly schemas = new Map<string, SchemaObject>()

  add(schema: z.ZodType): SchemaObject {
    // What is on the wire is a codec's input, in both directions.
    const { $schema: _, $defs, ...root } = z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12' })
    for (const [id, definition] of Object.entries($defs ?? {})) this.#register(id, definition)
    const { id } = z.globalRegistry.get(schema) ?? {}
    if (id === undefined) return relocate(root) as SchemaObject
    // A wrapped schema is its own definition already.
    if (!(id in ($defs ?? {}))) this.#register(id, root)
    return { $ref: `#/components/schemas/${id}` }
  }

  #register(id: string, schema: object): void {
    const { id: _, ...rest } = relocate(schema) as { id?: string }
    this.schemas.set(id, rest)
  }
}

/** JSON Schema keeps its definitions in `$defs`, OpenAPI in `components`. */
function relocate(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as object
}
