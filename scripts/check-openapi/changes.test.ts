import { describe, expect, it } from 'vitest'
import { breakingChanges } from './changes.ts'
import type { Operation, Schema } from './document.ts'

const json = (schema: Schema) => ({ 'application/json': { schema } })
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })
const object = (properties: Record<string, Schema>, ...required: string[]): Schema => ({
  type: 'object',
  properties,
  required,
})
const text: Schema = { type: 'string' }
const number: Schema = { type: 'integer' }

const document = (operation: Operation, schemas: Record<string, Schema> = {}) => ({
  paths: { '/things': { post: operation } },
  components: { schemas },
})
const answering = (schema: Schema): Operation => ({ responses: { 200: { content: json(schema) } } })
const taking = (schema: Schema): Operation => ({ requestBody: { required: true, content: json(schema) } })
const failing = (...codes: string[]): Operation => ({
  responses: { 404: codes.length > 0 ? { 'x-error-codes': codes } : {} },
})
const lines = (row: Schema): Schema => ({ ...text, contentMediaType: 'application/x-ndjson', contentSchema: row })
const asking = (schema: Schema, required = false): Operation => ({
  parameters: [{ name: 'limit', in: 'query', required, schema }],
})

const changes = (before: Operation, after: Operation, schemas: Record<string, Schema> = {}) =>
  breakingChanges(document(before, schemas), document(after, schemas))
const answered = (before: Schema, after: Schema, schemas = {}) => changes(answering(before), answering(after), schemas)
const taken = (before: Schema, after: Schema, schemas = {}) => changes(taking(before), taking(after), schemas)

const summary = object({ id: text }, 'id')
const thing = object({ id: text, size: number }, 'id', 'size')

describe('an operation breaks its callers when it', () => {
  const at = 'POST /things'
  it.each<[string, Operation, Operation, string]>([
    ['is called otherwise', { operationId: 'a' }, { operationId: 'b' }, `${at} is now called b, no longer a`],
    ['asks for credentials', { security: [] }, { security: [{ oidc: [] }] }, `${at} asks for other credentials`],
    ['no longer has a parameter', asking(text), {}, `${at} query limit was removed`],
    ['requires a parameter', asking(text), asking(text, true), `${at} query limit is now required`],
    ['requires a new parameter', {}, asking(text, true), `${at} query limit is now required`],
    ['narrows a parameter', asking(text), asking(number), `${at} query limit no longer takes string`],
    ['requires a body', {}, taking(text), `${at} body is now required`],
    ['takes another type of body', taking(text), {}, `${at} body may no longer be application/json`],
    [
      'answers another code',
      failing('tenant.not_found'),
      failing('project.not_found'),
      `${at} 404 is no longer tenant.not_found`,
    ],
    ['names its codes no longer', failing('tenant.not_found'), failing(), `${at} 404 is no longer tenant.not_found`],
    [
      'answers a code with another status',
      failing('a.b', 'c.d'),
      { responses: { 404: { 'x-error-codes': ['a.b'] }, 409: { 'x-error-codes': ['c.d'] } } },
      `${at} 404 is no longer c.d`,
    ],
    ['loses a status', { responses: { 404: {} } }, { responses: {} }, `${at} 404 was removed`],
    ['answers without content', answering(text), { responses: { 200: {} } }, `${at} 200 is no longer application/json`],
    [
      'loses a header',
      { responses: { 200: { headers: { ETag: {} } } } },
      { responses: { 200: {} } },
      `${at} 200 no longer has the header ETag`,
    ],
  ])('%s', (_, before, after, change) => {
    expect(changes(before, after)).toEqual([change])
  })

  it.each<[string, Operation, Operation]>([
    ['answers one more code', failing('tenant.not_found'), failing('project.not_found', 'tenant.not_found')],
    ['names codes that nothing was said of', { responses: { 404: {} } }, failing('tenant.not_found')],
  ])('and not when it %s', (_, before, after) => {
    expect(changes(before, after)).toEqual([])
  })

  it('is not there any more', () => {
    expect(breakingChanges(document({}), { paths: {}, components: {} })).toEqual(['POST /things was removed'])
  })
})

describe('a request breaks its callers when it', () => {
  it.each<[string, Schema, Schema, string]>([
    ['requires what was optional', object({ a: text }), object({ a: text }, 'a'), '.a is now required'],
    ['requires something new', object({}), object({ a: text }, 'a'), '.a is now required'],
    ['loses a property', object({ a: text }), object({}), '.a was removed'],
    ['no longer takes null', { type: ['string', 'null'] }, text, ' no longer takes null'],
    ['no longer takes one of several', { anyOf: [text, number] }, text, ' no longer takes integer'],
    ['no longer takes fractions', { type: 'number' }, number, ' no longer takes number'],
    ['loses a word', { ...text, enum: ['a', 'b'] }, { ...text, enum: ['a'] }, ' no longer has "b"'],
    ['takes words only', text, { ...text, enum: ['a'] }, ' now takes only some values'],
    ['takes less', { ...text, maxLength: 9 }, { ...text, maxLength: 8 }, ' has a tighter maxLength: 8'],
    ['takes no more than', text, { ...text, maxLength: 8 }, ' has a tighter maxLength: 8'],
    ['takes no less than', number, { ...number, minimum: 1 }, ' has a tighter minimum: 1'],
    ['has another kind of lines', lines(object({ a: text })), lines(object({})), ' line.a was removed'],
    ['requires more of a line', lines(object({})), lines(object({ a: text }, 'a')), ' line.a is now required'],
    [
      'has documents of another kind',
      { ...text, contentMediaType: 'application/json' },
      { ...text, contentMediaType: 'application/x-ndjson' },
      ' has another contentMediaType: application/x-ndjson',
    ],
    ['has another pattern', text, { ...text, pattern: '^a$' }, ' has another pattern'],
    ['has another format', text, { ...text, format: 'uuid' }, ' has another format: uuid'],
    [
      'has lists of something else',
      { type: 'array', items: text },
      { type: 'array', items: number },
      '[] no longer takes string',
    ],
    [
      'takes no other properties',
      object({}),
      { ...object({}), additionalProperties: false },
      '.* other properties changed',
    ],
  ])('%s', (_, before, after, change) => {
    expect(taken(before, after)).toEqual([`POST /things body${change}`])
  })

  it.each<[string, Schema, Schema]>([
    ['takes one more property', { ...object({}), additionalProperties: false }, object({ a: text })],
    ['takes null too', text, { type: ['string', 'null'] }],
    ['takes fractions too', number, { type: 'number' }],
    ['takes one more word', { ...text, enum: ['a'] }, { ...text, enum: ['b', 'a'] }],
    ['takes any word', { ...text, enum: ['a'] }, text],
    ['takes more', { ...text, minLength: 2, maxLength: 8 }, { ...text, minLength: 1, maxLength: 9 }],
    ['requires less', object({ a: text }, 'a'), object({ a: text })],
    ['is described otherwise', { ...text, description: 'a' }, { ...text, description: 'b', examples: ['c'] }],
    ['says what a line is', text, lines(object({ a: text }, 'a'))],
    ['takes more in a line', lines(object({ a: text }, 'a')), lines(object({ a: text, b: text }))],
    ['has no pattern any more', { ...text, pattern: 'a' }, text],
  ])('and not when it %s', (_, before, after) => {
    expect(taken(before, after)).toEqual([])
  })
})

describe('a response breaks its callers when it', () => {
  it.each<[string, Schema, Schema, string]>([
    ['loses a property', thing, summary, '.size was removed'],
    ['loses an optional property', object({ a: text }), object({}), '.a was removed'],
    ['need not have a property', thing, { ...thing, required: ['id'] }, '.size may now be missing'],
    ['may be null', text, { type: ['string', 'null'] }, ' may now be null'],
    ['may be of another type', text, { anyOf: [text, number] }, ' may now be integer'],
    ['may be a fraction', number, { type: 'number' }, ' may now be number'],
    ['may be another object', thing, { anyOf: [thing, summary] }, ' may now be { id }'],
    ['has one more word', { ...text, enum: ['a'] }, { ...text, enum: ['a', 'b'] }, ' now has "b"'],
    ['loses a word', { ...text, enum: ['a', 'b'] }, { ...text, enum: ['a'] }, ' no longer has "b"'],
    ['may be any word', { ...text, enum: ['a'] }, text, ' may now have any value'],
    ['loses a word of an open list', { ...text, 'x-extensible-enum': ['a'] }, text, ' no longer has "a"'],
    ['has another format', { ...text, format: 'date-time' }, text, ' has another format: none'],
    ['loses a property of a line', lines(thing), lines(summary), ' line.size was removed'],
    [
      'no longer says what a line is',
      lines(thing),
      { ...text, contentMediaType: 'application/x-ndjson' },
      ' line may now be anything',
    ],
    [
      'has other entries in a map',
      { ...object({}), additionalProperties: text },
      { ...object({}), additionalProperties: number },
      '.* may now be integer',
    ],
  ])('%s', (_, before, after, change) => {
    expect(answered(before, after)).toEqual([`POST /things 200${change}`])
  })

  it.each<[string, Schema, Schema]>([
    ['has one more property', summary, thing],
    ['is never null', { type: ['string', 'null'] }, text],
    ['always has a property', { ...thing, required: ['id'] }, thing],
    [
      'has one more word in an open list',
      { ...text, 'x-extensible-enum': ['a'] },
      { ...text, 'x-extensible-enum': ['a', 'b'] },
    ],
    ['has one more property in a line', lines(summary), lines(thing)],
    ['says what a line is', text, lines(thing)],
    ['may be longer', { ...text, maxLength: 1 }, { ...text, maxLength: 9 }],
    ['is one of those it was', { anyOf: [thing, summary] }, thing],
  ])('and not when it %s', (_, before, after) => {
    expect(answered(before, after)).toEqual([])
  })
})

describe('credentials break callers when they', () => {
  const bearer = { type: 'http', scheme: 'bearer', description: 'A token.' }
  const secured = (schemes: Record<string, object>) => ({
    paths: {},
    components: { securitySchemes: schemes as Record<string, Record<string, unknown>> },
  })
  it.each<[string, Record<string, object>, string[]]>([
    ['are proved otherwise', { oidc: { ...bearer, scheme: 'basic' } }, ['credentials oidc are no longer the same']],
    ['are no longer taken', { other: bearer }, ['credentials oidc were removed']],
    ['and not when they are described otherwise', { oidc: { ...bearer, description: 'Another.' }, more: bearer }, []],
  ])('%s', (_, after, expected) => {
    expect(breakingChanges(secured({ oidc: bearer }), secured(after))).toEqual(expected)
  })
})

describe('components', () => {
  const before = { Thing: thing, Page: object({ data: { type: 'array', items: ref('Thing') } }, 'data') }

  it('are named once, wherever they are used, and apart for requests and responses', () => {
    const after = { ...before, Thing: object({ id: text, size: text, owner: text }, 'id', 'size', 'owner') }
    const operation = (schema: Schema): Operation => ({ ...answering(schema), ...taking(ref('Thing')) })
    expect(breakingChanges(document(operation(ref('Page')), before), document(operation(ref('Page')), after))).toEqual([
      'Thing (request).owner is now required',
      'Thing (request).size no longer takes integer',
      'Thing (response).size may now be string',
    ])
  })

  it('are known again among others', () => {
    const schemas = { ...before, Summary: summary }
    expect(answered(ref('Thing'), { anyOf: [ref('Thing'), ref('Summary')] }, schemas)).toEqual([
      'POST /things 200 may now be Summary',
    ])
  })

  it('may hold themselves', () => {
    const schemas = {
      Tree: object({ leaf: text, left: ref('Tree') }),
      Json: { anyOf: [text, { type: 'null' }, { type: 'array', items: ref('Json') }] },
    }
    expect(answered(ref('Tree'), ref('Tree'), schemas)).toEqual([])
    expect(answered(ref('Json'), ref('Json'), schemas)).toEqual([])
  })
})
