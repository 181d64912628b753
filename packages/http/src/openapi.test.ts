import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { isLines, ndjson, parseLines } from './ndjson.ts'
import { declaredCodes, openApiDocument } from './openapi.ts'
import { statusOfCode } from './problem.ts'
import { routes } from './routes/index.ts'
import { isStreamed } from './stream.ts'

interface Schema {
  readonly $ref?: string
  readonly type?: unknown
  readonly examples?: readonly unknown[]
  readonly contentMediaType?: string
  readonly contentSchema?: Schema
}

interface Media {
  readonly schema: Schema
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}

interface Answer {
  readonly $ref?: string
  readonly headers?: Readonly<Record<string, { readonly $ref: string }>>
  readonly content?: Readonly<Record<string, Media>>
  readonly 'x-error-codes'?: readonly string[]
}

interface Operation {
  readonly operationId: string
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<Record<string, Answer>>
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly headers: Readonly<Record<string, object>>
  }
}

const document = JSON.parse(JSON.stringify(openApiDocument(routes))) as OpenApi
const operations = Object.values(document.paths).flatMap((item) => Object.values(item))

const isTime = (text: string) =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) && !Number.isNaN(Date.parse(text))
const ajv = new Ajv2020({
  strict: false,
  allErrors: true,
  formats: { 'date-time': isTime, uuid: true, uri: (text: string) => URL.canParse(text), 'uri-reference': true },
})
ajv.addSchema(document, 'document')

/** What is wrong with a value, by a schema of the document. */
function faults(schema: Schema, value: unknown): string[] {
  const here = JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/')) as Schema
  const validate: ValidateFunction = ajv.compile(here)
  if (validate(value)) return []
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}

/** What is wrong with the examples of a content, or that it has none. */
function faultsOfExamples(content: Readonly<Record<string, Media>>): string[] {
  return Object.entries(content).flatMap(([type, { schema, example, examples = {} }]) => {
    const shown = [...(example === undefined ? [] : [example]), ...Object.values(examples).map(({ value }) => value)]
    if (shown.length === 0) return [`${type} has no example`]
    if (type !== ndjson) return shown.flatMap((each) => faults(schema, each))
    return shown.flatMap((each) => {
      const lines = String(each).split('\n')
      expect(lines.pop()).toBe('')
      return lines.flatMap((line) => faults(schema.contentSchema ?? { type: 'never' }, JSON.parse(line)))
    })
  })
}

describe.each(operations.map((operation) => [operation.operationId, operation] as const))('%s', (id, operation) => {
  const { requestBody, responses } = operation
  const route = routes.find((each) => each.operation === id)

  it('shows by an example what it takes and what it answers, and both are valid', () => {
    if (requestBody) expect(faultsOfExamples(requestBody.content)).toEqual([])
    const good = Object.entries(responses).filter(([status]) => status.startsWith('2') && status !== '204')
    for (const [, { content = {} }] of good) {
      expect(Object.keys(content)).toHaveLength(route && isStreamed(route.response) ? route.response.forms.length : 1)
      expect(faultsOfExamples(content)).toEqual([])
    }
  })

  it('takes what it shows', () => {
    const { body } = route ?? {}
    if (!body || !requestBody) return
    const [shown] = Object.values(requestBody.content).map(({ example }) => example)
    const taken = isLines(body)
      ? parseLines(String(shown), body).map((line) => ('row' in line ? [] : line.error.violations))
      : [body.safeParse(shown).error?.issues ?? []]
    expect(taken.flat()).toEqual([])
  })

  it('names the codes of every failure, each under its status', () => {
    const named = Object.entries(responses).flatMap(([status, answer]) =>
      (answer['x-error-codes'] ?? []).map((code) => `${status} ${code}`),
    )
    const declared = route ? declaredCodes(route).map((code) => `${statusOfCode(code)} ${code}`) : []
    expect(named.toSorted()).toEqual(declared.toSorted())
  })

  it('declares the headers of limits where callers are counted, and where it makes sense to wait', () => {
    const has = (status: string, name: string) => responses[status]?.headers?.[name] !== undefined
    for (const status of Object.keys(responses).filter((each) => each !== 'default')) {
      const isCounted = route?.countedBy === undefined ? route?.scope !== 'public' : route.countedBy === 'address'
      const counted = isCounted && status !== '401'
      expect({ status, counted: has(status, 'RateLimit') }).toEqual({ status, counted })
      expect({ status, counted: has(status, 'RateLimit-Policy') }).toEqual({ status, counted })
    }
    for (const status of ['429', '503'].filter((each) => each in responses))
      expect(has(status, 'Retry-After')).toBe(true)
    expect(has('409', 'Retry-After')).toBe(route?.idempotent === true)
  })

  it('refers to nothing that is not there', () => {
    for (const [, ref = ''] of JSON.stringify(operation).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const found = ref.split('/').reduce<unknown>((at, name) => Object(at)[name], document)
      expect(found, ref).toBeDefined()
    }
  })
})

it('every example of every component, property and parameter is valid', () => {
  const wrong: string[] = []
  const visit = (value: unknown, at: string): void => {
    if (typeof value !== 'object' || value === null) return
    const { examples, ...schema } = value as Schema
    // A property may have that name too, and media types have a map of that name.
    if (Array.isArray(examples)) {
      for (const each of examples)
        wrong.push(...faults(schema, each).map((fault) => `${at} ${JSON.stringify(each)}: ${fault}`))
    }
    for (const [name, part] of Object.entries(value)) {
      if (name !== 'examples' && name !== 'example') visit(part, `${at}/${name}`)
    }
  }
  visit(document, '')
  expect(wrong).toEqual([])
})

describe('lines', () => {
  it('say in the schema what each of them holds', () => {
    const content = document.paths['/v1/tenants/import']?.['post']
    expect(content?.requestBody?.content[ndjson]?.schema).toMatchObject({
      type: 'string',
      contentMediaType: ndjson,
      contentSchema: { $ref: '#/components/schemas/ImportedTenant' },
    })
    expect(content?.responses['200']?.content?.[ndjson]?.schema).toMatchObject({
      contentSchema: { $ref: '#/components/schemas/ImportResult' },
    })
  })
})

it('a merge patch may come under its own name, and nothing else may', () => {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, { requestBody }] of Object.entries(item)) {
      const types = Object.keys(requestBody?.content ?? {})
      const named = types.includes('application/merge-patch+json')
      expect({ path, method, named }).toEqual({ path, method, named: method === 'patch' })
      if (named) expect(types[0]).toBe('application/json')
    }
  }
})
