import { type ErrorCode, errorTable } from '@breakpilot/tenant-core'
import { OpenApiBuilder, type OperationObject, type ParameterObject, type SchemaObject } from 'openapi3-ts/oas31'
import { z } from 'zod'
import { Problem, statusOfCode } from './problem.ts'
import type { Route } from './route.ts'

/** Every code that a route can answer with: its own, and those that follow from its shape. */
export function declaredCodes(route: Route): readonly ErrorCode[] {
  const codes: ErrorCode[] = [...route.errors, 'auth.request_not_local', 'request.query_unknown']
  if (route.scope !== 'public') {
    codes.push(...authCodes, 'auth.permission_denied', 'database.busy', 'database.unavailable')
  }
  if (route.params) codes.push('request.invalid', 'request.path_malformed')
  if (route.query) codes.push('request.invalid')
  if (route.body) codes.push('request.invalid', ...bodyCodes)
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
  return {
    operationId: route.operation,
    tags: [route.tag],
    summary: route.summary,
    description: route.description,
    security: route.scope === 'public' ? [] : [{ oidc: [] }],
    ...((route.params || route.query) && {
      parameters: [...parameters(route.params, 'path', components), ...parameters(route.query, 'query', components)],
    }),
    ...(route.body && {
      requestBody: { required: true, content: { 'application/json': { schema: components.add(route.body) } } },
    }),
    responses: {
      [route.status]: {
        description: route.summary,
        headers: {
          'X-Request-Id': requestIdHeader,
          ...(route.location && {
            Location: { description: 'Where it is.', schema: { type: 'string' as const, format: 'uri-reference' } },
          }),
        },
        content: { 'application/json': { schema: components.add(route.response) } },
      },
      ...Object.fromEntries(failures),
      default: { $ref: '#/components/responses/Problem' },
    },
  }
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
