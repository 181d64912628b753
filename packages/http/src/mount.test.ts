import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type Actor, RegistryError } from '@breakpilot/tenant-core'
import express from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import type { Answered } from './answer.ts'
import { permissionsOf, type Role } from './auth/permissions.ts'
import type { Principal } from './auth/principal.ts'
import { asksForMore } from './authorize.ts'
import { type HostOptions, mount, mountRest } from './mount.ts'
import { createLimit } from './rate-limit.ts'
import { type Call, type Route, route } from './route.ts'
import { routes } from './routes/index.ts'

const owner: Principal = { kind: 'operator', roles: ['platform-owner'], actor: { id: 'o', name: 'O' } }

/** A route of our own, that answers `{}`. */
const aRoute = (handle: (call: Call<undefined, undefined, undefined>) => Promise<Record<string, never>>): Route =>
  route({
    method: 'get',
    path: '/who',
    operation: 'who',
    tag: 'test',
    summary: 'Who',
    description: 'Who.',
    scope: 'tenants:read',
    status: 200,
    response: z.object({}),
    errors: [],
    handle,
  })

/** Serves a route until the test is over. */
async function serve(
  only: Route,
  options: Partial<HostOptions> = {},
  { trustProxy = false, host = '127.0.0.1' }: { trustProxy?: number | string[] | false; host?: string } = {},
): Promise<{ url: string; answered: Answered[]; reported: Error[] }> {
  const [answered, reported]: [Answered[], Error[]] = [[], []]
  const app = express()
  app.set('trust proxy', trustProxy)
  const all: HostOptions = {
    services: {} as never,
    authenticate: () => owner,
    production: false,
    limitAddress: createLimit({ requests: 1_000, seconds: 60 }),
    onAnswered: (each) => answered.push(each),
    onMisfit: (error) => reported.push(error),
    ...options,
  }
  mount(app, [only], all)
  mountRest(app, all)
  const server = app.listen(0, host)
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, answered, reported }
}

describe("the caller's address", () => {
  async function addressOf(trustProxy: number | string[] | false, forwarded: string, host?: string) {
    let actor: Actor | undefined
    const whoAmI = aRoute(async (call) => {
      ;({ actor } = call)
      return {}
    })
    const { url } = await serve(whoAmI, {}, { trustProxy, ...(host !== undefined && { host }) })
    expect((await fetch(`${url}/who`, { headers: { 'x-forwarded-for': forwarded } })).status).toBe(200)
    return actor?.source_ip
  }

  it.each([
    [false, '192.0.2.1', '127.0.0.1'],
    [1, '192.0.2.1', '192.0.2.1'],
    [1, '198.51.100.9, 192.0.2.1', '192.0.2.1'],
    [['loopback'], '192.0.2.1', '192.0.2.1'],
    [['10.0.0.0/8'], '192.0.2.1', '127.0.0.1'],
    [1, '<script>', undefined],
    [1, '::ffff:192.0.2.1', '192.0.2.1'],
    [1, '::FFFF:192.0.2.1', '192.0.2.1'],
    [1, '2001:db8::1', '2001:db8::1'],
    [1, '::ffff:192.0.2', undefined],
  ] as const)('with %j trusted and %j forwarded is %j', async (trust, forwarded, address) => {
    expect(await addressOf(typeof trust === 'object' ? [...trust] : trust, forwarded)).toBe(address)
  })

  it('is in one spelling, also where IPv4 comes by an IPv6 socket', async () => {
    expect(await addressOf(false, '', '::')).toBe('127.0.0.1')
  })
})

describe('an error that the route does not declare', () => {
  const fails = aRoute(async () => {
    throw new RegistryError('slug.in_use')
  })

  it('is a fault of ours outside of production', async () => {
    const { url, answered, reported } = await serve(fails)
    expect((await fetch(`${url}/who`)).status).toBe(500)
    expect(answered).toMatchObject([{ status: 500, error: { message: 'who does not declare slug.in_use' } }])
    expect(reported).toEqual([])
  })

  it('is answered in production, and reported', async () => {
    const { url, answered, reported } = await serve(fails, { production: true })
    expect((await fetch(`${url}/who`)).status).toBe(409)
    expect(answered).toMatchObject([{ status: 409, code: 'slug.in_use' }])
    expect(reported.map(({ message }) => message)).toEqual(['who does not declare slug.in_use'])
  })

  it('who left while it was asked who they are is told of to the handler at once', async () => {
    const asked = Promise.withResolvers<void>()
    const known = Promise.withResolvers<Principal>()
    const seen = Promise.withResolvers<boolean>()
    const looks = aRoute(async ({ signal }) => {
      seen.resolve(signal.aborted)
      return {}
    })
    const authenticate = () => {
      asked.resolve()
      return known.promise
    }
    const { url, answered } = await serve(looks, { authenticate })
    const impatience = new AbortController()
    const leaving = fetch(`${url}/who`, { signal: impatience.signal }).catch((error: unknown) => error)
    await asked.promise
    impatience.abort()
    await leaving
    // The server hears of it a moment later.
    await new Promise((done) => setTimeout(done, 200))
    known.resolve(owner)
    expect(await seen.promise).toBe(true)
    await expect.poll(() => answered[0]?.status).toBe(499)
  })

  it('who left while it was asked who they are is told of to who asks, and that is no fault', async () => {
    const asked = Promise.withResolvers<void>()
    const authenticate = async (_: unknown, left?: () => AbortSignal): Promise<Principal> => {
      const signal = left?.()
      if (!signal) throw new Error('no signal')
      asked.resolve()
      await once(signal, 'abort')
      throw signal.reason
    }
    const { url, answered } = await serve(
      aRoute(async () => ({})),
      { authenticate },
    )
    const impatience = new AbortController()
    const leaving = fetch(`${url}/who`, { signal: impatience.signal }).catch((error: unknown) => error)
    await asked.promise
    impatience.abort()
    await leaving
    await expect.poll(() => answered).toMatchObject([{ status: 499 }])
    expect(answered[0]).not.toHaveProperty('error')
  })

  it('and one that it declares is not reported', async () => {
    const { url, reported } = await serve({ ...fails, errors: ['slug.in_use'] }, { production: true })
    expect((await fetch(`${url}/who`)).status).toBe(409)
    expect(reported).toEqual([])
  })
})

describe('an answer that nobody waited for', () => {
  it.each([
    ['is logged as one that was not given', async () => ({}), 499],
    [
      'is logged so too when it was given up',
      async (signal: AbortSignal) => Promise.reject(signal.reason as Error),
      499,
    ],
    ['is logged so too when it was a refusal', async () => Promise.reject(new RegistryError('tenant.not_found')), 499],
    ['is logged as a fault of ours when it was one', async () => Promise.reject(new Error('ours')), 500],
  ] as const)('%s', async (_, outcome, status) => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    const waits = aRoute(async ({ signal }) => {
      begin()
      await once(signal, 'abort')
      return await outcome(signal)
    })
    const { url, answered } = await serve({ ...waits, errors: ['tenant.not_found'] })
    const impatience = new AbortController()
    const asked = fetch(`${url}/who`, { signal: impatience.signal })
    await begun
    impatience.abort()
    await expect(asked).rejects.toThrow(/abort/)
    await expect.poll(() => answered).toMatchObject([{ status }])
  })
})

it.each([
  [[], 'Authorization'],
  [['https://console.breakpilot.com'], 'Authorization, Origin'],
])('with the origins %j every answer to one caller varies by %s', async (corsOrigins, vary) => {
  const { url } = await serve(
    aRoute(async () => ({})),
    { corsOrigins },
  )
  const answers = [
    await fetch(`${url}/who`),
    await fetch(`${url}/who?x=1`),
    await fetch(`${url}/who`, { method: 'POST' }),
    await fetch(`${url}/nowhere`),
  ]
  expect(answers.map(({ status, headers }) => [status, headers.get('vary')])).toEqual(
    [200, 400, 405, 404].map((status) => [status, vary]),
  )
})

it('whoever is not of the platform has keys for requests about a tenant alone, which may be out of sight meanwhile', () => {
  const others = (Object.keys(permissionsOf) as Role[]).filter((role) => !role.startsWith('platform-'))
  const keyed = routes.filter(
    ({ idempotent, scope }) =>
      idempotent && others.some((role) => asksForMore(scope) && permissionsOf[role].has(scope)),
  )
  expect(keyed.length).toBeGreaterThan(0)
  for (const { path } of keyed) expect(path).toContain('{tenant_id}')
})
