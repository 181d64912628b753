import { type ErrorCode, errorTable } from '@breakpilot/tenant-core'
import {
  type ContentObject,
  type HeaderObject,
  OpenApiBuilder,
  type OperationObject,
  type ParameterObject,
  type ResponseObject,
  type SchemaObject,
} from 'openapi3-ts/oas31'
import { z } from 'zod'
import { scopeOfKey, scopesOfProductKey } from './auth/permissions.ts'
import { asksForMore } from './authorize.ts'
import { mediaTypesOf } from './body.ts'
import { isLines, isRows, ndjson, toLines } from './ndjson.ts'
import { Components } from './openapi-components.ts'
import { mayCreate } from './preconditions.ts'
import { Problem, statusOfCode } from './problem.ts'
import { previewOf, type Route } from './route.ts'
import { isStreamed, type Streamed } from './stream.ts'
import { isWritten } from './written.ts'

/** Every code that a route can answer with: its own, and those that follow from its shape. */
export function declaredCodes(route: Route): readonly ErrorCode[] {
  const codes: ErrorCode[] = [...route.errors, 'auth.request_not_local', 'request.query_unknown']
  if (route.scope !== 'public') codes.push(...authCodes, 'api_key.lane_full', 'database.busy', 'database.unavailable')
  if (asksForMore(route.scope)) codes.push('auth.permission_denied')
  if (isCounted(route)) codes.push('request.rate_limited')
  if (route.params) codes.push('request.invalid', 'request.path_malformed')
  if (route.params && 'tenant_id' in route.params.shape) codes.push('tenant.not_found')
  if (route.query) codes.push('request.invalid')
  if (route.body) codes.push(...bodyCodes)
  if (route.body && !isLines(route.body)) codes.push('request.invalid')
  if (route.idempotent === true) codes.push('idempotency.in_flight')
  // Without a body there is no other one either.
  if (route.idempotent && route.body) codes.push('idempotency.key_reused')
  if (route.preconditions) codes.push('resource.version_stale')
  // Where a condition is not honoured it is refused.
  if (route.method !== 'get') codes.push('request.header_invalid')
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

/** Callers are counted as soon as it is known who they are; their addresses where nobody asks. */
const isCounted = ({ scope, countedBy }: Route) =>
  countedBy === 'address' || (scope !== 'public' && countedBy !== 'nobody')

/** What the document says about the service as a whole. */
const info = {
  title: 'tenant-registry',
  version: '1',
  summary: 'Who is this tenant, what may it use, and who did what.',
  description:
    'The system of record of the Breakpilot control plane. Times are UTC, RFC 3339 with milliseconds. Errors are RFC 9457 problems whose `code` never changes its meaning. Lists are keyset pages. A condition (`If-Match`, `If-None-Match`) that a change does not honour is refused.',
  license: { name: 'Proprietary', url: 'https://tenant-registry.breakpilot.com/license' },
  contact: { name: 'tenant-registry on-call', email: 'oncall@breakpilot.com' },
}

const tags = [
  { name: 'tenants', description: 'The customers of the platform.' },
  { name: 'projects', description: 'What tenants divide their work into.' },
  { name: 'products', description: 'The products of the platform, and the terms on which tenants have them.' },
  { name: 'entitlements', description: 'What tenants may use, now.' },
  { name: 'api-keys', description: 'The keys that programs of tenants use, and whether they are good.' },
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
  builder.addSecurityScheme('apiKey', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'bpk',
    description: 'An API key for the audience `tenant-registry`, or of the platform for a product.',
  })
  for (const [name, header] of Object.entries(headers)) builder.addHeader(name, header)
  builder.addResponse('Problem', {
    description: 'Something went wrong on our side: `service.internal_error`.',
    headers: headerRefs('X-Request-Id'),
    content: { 'application/problem+json': { schema: components.add(Problem) } },
    'x-error-codes': ['service.internal_error' satisfies ErrorCode],
  })
  const paths = new Map<string, Record<string, OperationObject>>()
  for (const route of routes) {
    paths.set(route.path, { ...paths.get(route.path), [route.method]: operation(route, components) })
  }
  for (const [path, item] of paths) builder.addPath(path, item)
  for (const [name, schema] of components.schemas) builder.addSchema(name, schema)
  return builder.getSpec()
}

/** Whether there is any key that may do this. */
const isOpenToKeys = ({ scope }: Route) =>
  scope === 'self' || (asksForMore(scope) && (scope in scopeOfKey || scope in scopesOfProductKey))

const text = { type: 'string' } as const
const uri = { type: 'string', format: 'uri-reference' } as const

/** The headers of answers. */
const headers = {
  'X-Request-Id': {
    description: 'The id of the request: the one that was sent, where it could be taken, else a new one.',
    schema: text,
  },
  ETag: {
    description: 'The version and a digest of the answer: hand it back as `If-None-Match` or `If-Match`.',
    schema: text,
  },
  Location: { description: 'Where it is.', schema: uri },
  'Content-Location': { description: 'Where it is at home, when that is elsewhere.', schema: uri },
  'Content-Disposition': { description: 'The name to save it under.', schema: text },
  'Idempotency-Replayed': {
    description: '`true` when this is the answer to an earlier request with the same `Idempotency-Key`.',
    schema: { type: 'string', enum: ['true'] },
  },
  'WWW-Authenticate': { description: 'RFC 6750.', schema: text },
  'Retry-After': { description: 'Seconds to wait, where waiting helps.', schema: { type: 'integer' } },
  RateLimit: {
    description: 'What is left to the caller of this process, and for how long: `"principal";r=5999;t=60`.',
    schema: text,
  },
  'RateLimit-Policy': {
    description: 'How much each caller may ask for: `"principal";q=6000;w=60`. Absent where there is no limit.',
    schema: text,
  },
} as const satisfies Record<string, HeaderObject>

const headerRefs = (...names: (keyof typeof headers | false | undefined)[]) =>
  Object.fromEntries(names.filter((name) => typeof name === 'string').map((name) => [name, headerRef(name)]))
const headerRef = (name: string) => ({ $ref: `#/components/headers/${name}` })

const limits = (route: Route) => (isCounted(route) ? (['RateLimit', 'RateLimit-Policy'] as const) : [])

function operation(route: Route, components: Components): OperationObject {
  const given = [
    ...parameters(route.params, 'path', components),
    ...parameters(route.query, 'query', components),
    ...headerParameters(route),
  ]
  const dryRun = previewOf(route)
  const success = {
    description: route.summary,
    headers: successHeaders(route),
    ...content(route, dryRun?.status === route.status ? dryRun : undefined, components),
  }
  return {
    operationId: route.operation,
    tags: [route.tag],
    summary: route.summary,
    description: route.description,
    security: route.scope === 'public' ? [] : [{ oidc: [] }, ...(isOpenToKeys(route) ? [{ apiKey: [] }] : [])],
    ...(given.length > 0 && { parameters: given }),
    ...(route.body && { requestBody: { required: true, content: bodyContent(route, components) } }),
    responses: {
      [route.status]: success,
      ...(dryRun &&
        dryRun.status !== route.status && {
          [dryRun.status]: {
            description: `What would follow, with \`dry_run=true\`.`,
            headers: successHeaders({ ...dryRun, idempotent: false }),
            ...content(dryRun, undefined, components),
          },
        }),
      ...(route.etag &&
        route.method === 'get' && {
          304: {
            description: 'It is what `If-None-Match` says you have.',
            headers: headerRefs('X-Request-Id', 'ETag', ...limits(route)),
          },
        }),
      ...Object.fromEntries(failures(route, components)),
      default: { $ref: '#/components/responses/Problem' },
    },
  }
}

function failures(route: Route, components: Components): [status: string, response: ResponseObject][] {
  const codes = Map.groupBy(declaredCodes(route), statusOfCode)
  return [...codes]
    .sort(([a], [b]) => a - b)
    .map(([status, list]) => {
      const waits = status === 503 || status === 429 || list.includes('idempotency.in_flight')
      return [
        String(status),
        {
          description: `One of: ${list.map((code) => `\`${code}\` (${errorTable[code][1]})`).join(', ')}.`,
          headers: headerRefs(
            'X-Request-Id',
            status === 401 && 'WWW-Authenticate',
            waits && 'Retry-After',
            ...(status === 401 ? [] : limits(route)),
          ),
          content: { 'application/problem+json': { schema: components.add(Problem) } },
          'x-error-codes': list,
        },
      ]
    })
}

function bodyContent(route: Route, components: Components): ContentObject {
  const { body, examples } = route
  if (!body) return {}
  if (isLines(body)) return linesOf(body.row, examples?.body, components)
  const schema = components.add(body)
  const media = { schema, example: examples?.body ?? components.example(schema) }
  return Object.fromEntries(mediaTypesOf(route).map((type) => [type, media]))
}

/** JSON documents, one in each line. What each of them is, JSON Schema says of the content of a string. */
function linesOf(row: z.ZodType, examples: unknown, components: Components): ContentObject {
  const contentSchema = components.add(row)
  const shown = Array.isArray(examples) ? examples : [components.example(contentSchema)]
  return {
    [ndjson]: {
      schema: {
        type: 'string',
        description: 'JSON documents, one in each line: `contentSchema` is the schema of a line.',
        contentMediaType: ndjson,
        contentSchema,
      } as SchemaObject,
      example: toLines(shown),
    },
  }
}

/** What a good answer holds: one of several shapes, where it depends on who asks or what for. */
function content(route: Route, dryRun: Route | undefined, components: Components): { content?: ContentObject } {
  if (route.status === 204) return {}
  const { response, reduced, examples } = route
  if (isRows(response)) return { content: linesOf(response.row, undefined, components) }
  if (isStreamed(response)) return { content: streamedContent(response, components) }
  const shapes = [response, reduced, dryRun?.response].flatMap((shape) =>
    shape === undefined || isRows(shape) || isStreamed(shape)
      ? []
      : [components.add(isWritten(shape) ? shape.schema : shape)],
  )
  const told = Object.entries(examples?.response ?? {})
  const shown = shapes.map((shape) => {
    const example = components.example(shape) as object
    return { ...example, ...Object.fromEntries(told.filter(([field]) => field in example)) }
  })
  const [only] = shapes
  if (shapes.length === 1 && only) return { content: { 'application/json': { schema: only, example: shown[0] } } }
  const named = shapes.map((shape, index) => [nameOf(shape), { value: shown[index] }] as const)
  return { content: { 'application/json': { schema: { anyOf: shapes }, examples: Object.fromEntries(named) } } }
}

/** What is sent while it is made, in each of its forms. */
const streamedContent = ({ forms }: Streamed, components: Components): ContentObject =>
  Object.assign(
    {},
    ...forms.map(({ mediaType, description, example, row }) =>
      row
        ? linesOf(row, undefined, components)
        : { [mediaType]: { schema: { type: 'string', description, contentMediaType: mediaType }, example } },
    ),
  ) as ContentObject

const nameOf = (schema: { readonly $ref?: string }) => schema.$ref?.split('/').at(-1) ?? 'Other'

function successHeaders(route: Route) {
  return headerRefs(
    'X-Request-Id',
    route.etag && 'ETag',
    route.location && 'Location',
    route.contentLocation && 'Content-Location',
    isStreamed(route.response) && 'Content-Disposition',
    route.idempotent && 'Idempotency-Replayed',
    ...limits(route),
  )
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
      ? [
          header('If-Match', 'The `ETag` that your change is based on, its version alone, or `*` for any.', {
            examples: ['"7"'],
          }),
        ]
      : []),
    ...(mayCreate(route)
      ? [header('If-None-Match', '`*`, where nothing may be there yet.', { enum: ['*'], examples: ['*'] })]
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
      required: place === 'path' || !(field instanceof z.ZodOptional),
      ...(typeof description === 'string' && { description }),
      schema,
    }
  })
}
