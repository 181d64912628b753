import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { errorTable } from '@breakpilot/tenant-core'
import { describe, expect, it } from 'vitest'
import { breakConnection, breakInTheMiddle, deadUrl, json, problem, startPeer, text } from '../test/scripted-peer.ts'
import { aTenant, rejectionOf } from '../test/tenant.ts'
import {
  type CodeOf,
  ConflictError,
  ConnectionError,
  ForbiddenError,
  GoneError,
  InternalError,
  InvalidError,
  MethodNotAllowedError,
  NotFoundError,
  ProblemError,
  RateLimitedError,
  StaleError,
  TenantClient,
  TenantClientError,
  TooLargeError,
  UnauthenticatedError,
  UnavailableError,
  UnprocessableError,
  UnexpectedAnswerError,
  UnsupportedMediaTypeError,
} from './index.ts'

/** The class that each status becomes. */
const classes: [status: number, Class: typeof ProblemError][] = [
  [400, InvalidError],
  [401, UnauthenticatedError],
  [403, ForbiddenError],
  [404, NotFoundError],
  [405, MethodNotAllowedError],
  [409, ConflictError],
  [410, GoneError],
  [412, StaleError],
  [413, TooLargeError],
  [415, UnsupportedMediaTypeError],
  [418, ProblemError],
  [422, UnprocessableError],
  [429, RateLimitedError],
  [500, InternalError],
  [502, UnavailableError],
  [503, UnavailableError],
  [504, UnavailableError],
]

describe('a problem', () => {
  it.each(classes)('of status %i has its class', async (status, Class) => {
    await using peer = await startPeer(problem(status, 'some.code'))
    const client = new TenantClient({ baseUrl: peer.url, retries: 0 })
    const error = await rejectionOf(client.tenants.getBySlug('acme'))
    expect(error).toBeInstanceOf(Class)
    expect(error).toBeInstanceOf(ProblemError)
    expect(error).toBeInstanceOf(TenantClientError)
    expect(error).toMatchObject({
      name: Class.name,
      status,
      code: 'some.code',
      requestId: 'req-of-problem',
      attempts: 1,
    })
  })

  it('of every status that the API declares has a class of its own', () => {
    const document = readFileSync(new URL('../../http/openapi.json', import.meta.url), 'utf8')
    const declared = new Set([...document.matchAll(/^ {10}"([45]\d\d)": \{/gm)].map(([, status]) => Number(status)))
    const known = classes.filter(([, Class]) => Class !== ProblemError).map(([status]) => status)
    expect(declared.size).toBeGreaterThan(5)
    expect([...declared].filter((status) => !known.includes(status))).toEqual([])
  })

  it('is all there, and its message says what matters', async () => {
    const body = {
      type: 'urn:x',
      title: 'The request is not valid',
      status: 400,
      detail: 'Two things are wrong.',
      instance: '/v1/tenants',
      code: 'request.invalid',
      request_id: 'req-12345678',
      errors: [{ pointer: '/slug', code: 'too_small', message: 'is too short' }],
    }
    await using peer = await startPeer(json(body, { status: 400 }))
    const creation = new TenantClient({ baseUrl: peer.url }).tenants.create({ slug: 'a', name: 'A' })
    const error = await rejectionOf(creation)
    expect(error).toMatchObject({ problem: body, code: 'request.invalid', requestId: 'req-12345678' })
    expect(String(error)).toBe(
      'InvalidError: createTenant: 400 request.invalid: Two things are wrong. (/slug: is too short)',
    )
  })

  it('narrows its code: a misspelt one does not compile', async () => {
    await using peer = await startPeer(problem(409, 'tenant.slug_taken'))
    const error = await rejectionOf(new TenantClient({ baseUrl: peer.url }).tenants.create({ slug: 'acme', name: 'A' }))
    if (!(error instanceof ConflictError)) throw error
    const known: Exclude<typeof error.code, undefined> = 'tenant.slug_taken'
    expect(error.code).toBe(known)
    // Codes of other kinds are no known codes of this one, but every string may be one that a later release adds.
    const ofThisKind: CodeOf<'conflict'>[] = ['tenant.slug_taken']
    // @ts-expect-error -- a code of another kind
    ofThisKind.push('tenant.not_found')
    expect(ofThisKind).toHaveLength(2)
  })
})

describe('the error codes', () => {
  it('are those of the table, each under its kind', () => {
    const source = readFileSync(new URL('generated/error-codes.gen.ts', import.meta.url), 'utf8')
    for (const [code, [kind]] of Object.entries(errorTable)) {
      const member = source.split(new RegExp(`^  ${kind}: \\{$`, 'm'))[1]?.split(/^ {2}\}$/m)[0]
      expect(member, kind).toContain(`'${code}': true`)
    }
  })
})

describe('an answer that is not the registry’s', () => {
  it('but a proxy’s page of an error, has a status and no code', async () => {
    await using peer = await startPeer(
      text('<h1>Bad Gateway</h1>', { status: 502, 'content-type': 'text/html', 'x-request-id': 'req-of-header' }),
    )
    const client = new TenantClient({ baseUrl: peer.url, retries: 0 })
    const error = await rejectionOf(client.tenants.getBySlug('acme'))
    expect(error).toMatchObject({
      name: 'UnavailableError',
      status: 502,
      code: undefined,
      problem: undefined,
      requestId: 'req-of-header',
    })
  })

  it.each(['null', '"a"', '[]', '{}', '{"code":7}'])('but the JSON %s, has no code', async (body) => {
    await using peer = await startPeer(text(body, { status: 404, 'content-type': 'application/json' }))
    const error = await rejectionOf(new TenantClient({ baseUrl: peer.url }).tenants.getBySlug('acme'))
    expect(error).toMatchObject({ name: 'NotFoundError', code: undefined, problem: undefined })
  })

  const known = { title: 'A title', code: 'some.code', request_id: 'req-of-body' }
  const violation = { pointer: '/slug', code: 'too_small', message: 'is too short' }
  it.each<[what: string, body: Record<string, unknown>]>([
    ['no title', { ...known, title: undefined }],
    ['a title that is no text', { ...known, title: 7 }],
    ['a detail that is no text', { ...known, detail: {} }],
    ['a request id that is no text', { ...known, request_id: {} }],
    ['errors that are a text', { ...known, errors: 'abc' }],
    ['errors that are an object', { ...known, errors: {} }],
    ['errors that are null', { ...known, errors: null }],
    ['an error that is null', { ...known, errors: [null] }],
    ['an error that is a text', { ...known, errors: ['abc'] }],
    ['an error without a pointer', { ...known, errors: [violation, { ...violation, pointer: undefined }] }],
    ['an error without a code', { ...known, errors: [{ ...violation, code: undefined }] }],
    ['an error whose message is no text', { ...known, errors: [{ ...violation, message: {} }] }],
  ])('but has %s, is an error like any page of a proxy', async (_, body) => {
    await using peer = await startPeer(
      json(body, { status: 400, 'x-request-id': 'req-of-header' }),
      json(body, { status: 503, 'x-request-id': 'req-of-header' }),
      json(aTenant()),
    )
    const { tenants } = new TenantClient({ baseUrl: peer.url })
    const error = await rejectionOf(tenants.getBySlug('acme'))
    expect(error).toBeInstanceOf(InvalidError)
    expect(error).toMatchObject({
      message: 'getTenantBySlug: 400',
      status: 400,
      code: undefined,
      problem: undefined,
      requestId: 'req-of-header',
    })
    // As a page of a proxy, it does not keep what only reads from being sent again.
    expect(await tenants.getBySlug('acme').withResponse()).toMatchObject({ data: aTenant(), attempts: 2 })
  })

  it.each(['<h1>Welcome</h1>', '', '{"slug":', 'null', '"hi"', '7', 'true', '[]'])(
    'but %j with status 200, is unexpected',
    async (body) => {
      await using peer = await startPeer(text(body))
      const error = await rejectionOf(new TenantClient({ baseUrl: peer.url }).tenants.getBySlug('acme'))
      expect(error).toBeInstanceOf(UnexpectedAnswerError)
      expect(error).toMatchObject({ status: 200, attempts: 1 })
    },
  )

  it('but a redirect, is not followed: the token stays here', async () => {
    await using elsewhere = await startPeer(json(aTenant()))
    await using peer = await startPeer(text('{}', { status: 307, location: elsewhere.url }))
    const error = await rejectionOf(new TenantClient({ baseUrl: peer.url, token: 't' }).tenants.getBySlug('acme'))
    expect(error).toBeInstanceOf(UnexpectedAnswerError)
    expect(error).toMatchObject({ status: 307 })
    expect(elsewhere.arrivals).toEqual([])
  })
})

describe('no answer', () => {
  it('because nobody listens: it is certain that nothing was done', async () => {
    const client = new TenantClient({ baseUrl: await deadUrl(), retries: 0 })
    const error = await rejectionOf(client.tenants.getBySlug('acme'))
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({ unsent: true, status: undefined, attempts: 1, cause: expect.any(Error) as Error })
  })

  it.each([
    ['broke', breakConnection],
    ['broke in the middle of the answer', breakInTheMiddle],
  ])('because the connection %s: nothing is certain', async (_, step) => {
    await using peer = await startPeer(step)
    const client = new TenantClient({ baseUrl: peer.url, retries: 0 })
    const error = await rejectionOf(client.tenants.getBySlug('acme'))
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({ unsent: false })
  })
})

it('no error has the token in it', async () => {
  await using refusing = await startPeer(problem(401, 'auth.token_invalid'))
  await using breaking = await startPeer(breakConnection)
  const token = 'very-secret-token'
  for (const baseUrl of [refusing.url, breaking.url, await deadUrl()]) {
    const error = await rejectionOf(new TenantClient({ baseUrl, token, retries: 0 }).tenants.getBySlug('acme'))
    expect(error).toBeInstanceOf(TenantClientError)
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain(token)
  }
  expect(refusing.arrivals[0]?.headers.authorization).toBe(`Bearer ${token}`)
})
