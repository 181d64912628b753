import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { aKey, refused, says, verified } from '../../test/api-key.ts'
import { problem, type Step, startPeer } from '../../test/scripted-peer.ts'
import { TenantClient } from '../index.ts'
import { createKeyVerifier, type KeyVerifier } from '../key-verifier/index.ts'
import { type ApiKeyRequirements, type GuardedRequest, requireApiKey } from './index.ts'

const key = aKey()
const projectId = '0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f'

type Guarded = IncomingMessage & GuardedRequest

/**
 * A product behind a guard, without Express, of which nothing is needed: it says with which key it was asked. Behind it a
 * registry that answers as it is told.
 */
async function aProduct(step: Step, requirements: Partial<ApiKeyRequirements<Guarded>> = {}) {
  const peer = await startPeer(step)
  const verifier = createKeyVerifier({ client: new TenantClient({ baseUrl: peer.url, retries: 0 }), follow: false })
  const guard = requireApiKey<Guarded>({ verifier, scopes: ['reports:read'], ...requirements })
  const server = createServer((request, response) => {
    guard(Object.assign(request, { ip: '203.0.113.7' }) as Guarded, response, (error) => {
      response.end(JSON.stringify(error instanceof Error ? { error: error.message } : (request as Guarded).apiKey))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    peer,
    async ask(headers: Record<string, string> = { authorization: `Bearer ${key}` }, path = '/') {
      const response = await fetch(url + path, { headers })
      const { status, headers: given } = response
      return {
        status,
        type: given.get('content-type'),
        challenge: given.get('www-authenticate'),
        retryAfter: given.get('retry-after'),
        body: (await response.json()) as Record<string, unknown>,
      }
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await peer[Symbol.asyncDispose]()
    },
  }
}

describe('a request with a key that is good for it', () => {
  it('is let through with what is known of the key, and the registry hears what it is for', async () => {
    await using product = await aProduct(says(verified()), { environment: 'live', projectId: () => projectId })
    const { status, body } = await product.ask()
    expect(status).toBe(200)
    expect(body).toMatchObject({ valid: true, tenant_id: '00000000-0000-7000-8000-000000000001', stale: false })
    expect(JSON.parse(product.peer.arrivals[0]?.body ?? '')).toEqual({
      key,
      scopes: ['reports:read'],
      project_id: projectId,
      environment: 'live',
      client_ip: '203.0.113.7',
    })
  })

  it('may bring it in a header of its own', async () => {
    await using product = await aProduct(says(verified()))
    expect(await product.ask({ 'x-api-key': key })).toMatchObject({ status: 200 })
  })
})

describe('a request without one', () => {
  it('is told that it needs one, also when there is one in its address', async () => {
    await using product = await aProduct(says(verified()))
    expect(await product.ask({}, `/?key=${key}&api_key=${key}`)).toEqual({
      status: 401,
      type: 'application/problem+json; charset=utf-8',
      challenge: 'Bearer',
      retryAfter: null,
      body: {
        type: 'urn:tenant-registry:problem:auth.credentials_missing',
        title: 'Credentials are required',
        status: 401,
        code: 'auth.credentials_missing',
        detail: 'Send "Authorization: Bearer <API key>".',
      },
    })
  })

  it('is told the same, whatever it is that was not proven', async () => {
    await using product = await aProduct(says(refused('NOT_FOUND')))
    const answers = [await product.ask(), await product.ask({ authorization: 'Bearer x.y.z' })]
    answers.push(await product.ask({ 'x-api-key': 'bpk_live_oops' }))
    for (const answer of answers) {
      expect(answer).toEqual({
        status: 401,
        type: 'application/problem+json; charset=utf-8',
        challenge: 'Bearer error="invalid_token"',
        retryAfter: null,
        body: {
          type: 'urn:tenant-registry:problem:auth.api_key_invalid',
          title: 'The API key is not valid',
          status: 401,
          code: 'auth.api_key_invalid',
        },
      })
    }
  })

  it.each(['REVOKED', 'EXPIRED', 'DISABLED'])('is told that its key is %s', async (code) => {
    await using product = await aProduct(says(refused(code)))
    expect(await product.ask()).toMatchObject({
      status: 401,
      challenge: 'Bearer error="invalid_token"',
      body: { code: 'auth.api_key_refused', reason: code },
    })
  })

  it.each([
    'IP_NOT_ALLOWED',
    'PROJECT_MISMATCH',
    'PROJECT_INACTIVE',
    'ENVIRONMENT_MISMATCH',
    'TENANT_INACTIVE',
    'PRODUCT_NOT_ASSIGNED',
    'ON_STRIKE',
  ])('is told that it may not do this: %s', async (code) => {
    await using product = await aProduct(says(refused(code)))
    expect(await product.ask()).toMatchObject({
      status: 403,
      challenge: null,
      body: { code: 'auth.permission_denied', reason: code },
    })
  })

  it('is told which scopes it takes', async () => {
    const scopes = { all: ['reports:read'], any: ['reports:write', 'reports:*'] }
    await using product = await aProduct(says(refused('INSUFFICIENT_SCOPE')), { scopes })
    expect(await product.ask()).toMatchObject({
      status: 403,
      challenge: 'Bearer error="insufficient_scope", scope="reports:read reports:write reports:*"',
      body: { code: 'auth.permission_denied', reason: 'INSUFFICIENT_SCOPE' },
    })
  })
})

describe('when it cannot be said whether a key is good', () => {
  it.each<[string, Step, status: number, retryAfter: string, code: string]>([
    ['unavailable', problem(503, 'api_key.lane_full', { 'retry-after': '2' }), 503, '2', 'auth.provider_unavailable'],
    ['broken', problem(500, 'service.internal_error'), 503, '1', 'auth.provider_unavailable'],
    ['not for the product', problem(401, 'auth.token_expired'), 503, '1', 'auth.provider_unavailable'],
    ['asking for less', problem(429, 'request.rate_limited', { 'retry-after': '7' }), 429, '7', 'request.rate_limited'],
  ])('because the registry is %s, a request is told to come later', async (_, step, status, retryAfter, code) => {
    await using product = await aProduct(step)
    expect(await product.ask()).toMatchObject({ status, retryAfter, challenge: null, body: { status, code } })
  })

  it('what the product itself throws is its own affair', async () => {
    const projectId = () => {
      throw new Error('no such route')
    }
    await using product = await aProduct(says(verified()), { projectId })
    expect(await product.ask()).toMatchObject({ body: { error: 'no such route' } })
  })
})

describe('the project that a request is for', () => {
  it.each([undefined, null, '', '../x', 7])('is one that nobody has when it is %j', async (id) => {
    await using product = await aProduct(says(refused('PROJECT_MISMATCH')), { projectId: () => id })
    expect(await product.ask()).toMatchObject({ status: 403 })
    expect(JSON.parse(product.peer.arrivals[0]?.body ?? '')).toMatchObject({
      project_id: '00000000-0000-0000-0000-000000000000',
    })
  })
})

describe('a guard', () => {
  it('shares a verifier with all who are given the same client', async () => {
    const [one, other] = [new TenantClient({ baseUrl: 'http://x' }), new TenantClient({ baseUrl: 'http://x' })]
    const verifierOf = (client: TenantClient): KeyVerifier => requireApiKey({ client, scopes: [] }).verifier
    expect(verifierOf(one)).toBe(verifierOf(one))
    expect(verifierOf(one)).not.toBe(verifierOf(other))
  })

  it('is not made of what makes no sense', () => {
    const client = new TenantClient({ baseUrl: 'http://x' })
    for (const scopes of [['reports'], ['Reports:read'], { any: ['reports:'] }, ['*']])
      expect(() => requireApiKey({ client, scopes })).toThrow(TypeError)
    expect(() => requireApiKey({ scopes: ['reports:read'] })).toThrow(TypeError)
  })
})
