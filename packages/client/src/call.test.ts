import { expect, it } from 'vitest'
import { json, problem, startPeer } from '../test/scripted-peer.ts'
import { aTenant, rejectionOf } from '../test/tenant.ts'
import { NotFoundError, TenantClient } from './index.ts'

const ok = json(aTenant(), { 'x-request-id': 'req-11112222', 'x-other': 'yes' })

it('a call is a promise of what it gives', async () => {
  await using peer = await startPeer(ok)
  const { tenants } = new TenantClient({ baseUrl: peer.url })
  const [first, second] = await Promise.all([tenants.getBySlug('acme'), tenants.getBySlug('acme')])
  expect([first, second]).toEqual([aTenant(), aTenant()])
  let ended = false
  expect(await tenants.getBySlug('acme').finally(() => void (ended = true))).toEqual(aTenant())
  expect(ended).toBe(true)
})

it('a call that fails can be caught as any promise', async () => {
  await using peer = await startPeer(problem(404, 'tenant.not_found'))
  const { tenants } = new TenantClient({ baseUrl: peer.url })
  const absent = await tenants.getBySlug('acme').catch((error: unknown) => {
    if (error instanceof NotFoundError) return undefined
    throw error
  })
  expect(absent).toBeUndefined()
  expect(await rejectionOf(tenants.getBySlug('acme').finally(() => {}))).toBeInstanceOf(NotFoundError)
})

it('a call tells what its answer came in; it is one request, whichever way it is awaited', async () => {
  await using peer = await startPeer(ok)
  const call = new TenantClient({ baseUrl: peer.url }).tenants.getBySlug('acme')
  const { data, response, requestId, attempts } = await call.withResponse()
  expect(data).toEqual(await call)
  expect([response.status, response.headers.get('x-other')]).toEqual([200, 'yes'])
  expect([requestId, attempts]).toEqual(['req-11112222', 1])
  expect(peer.arrivals).toHaveLength(1)
})

it('a call that fails does so once: withResponse alone leaves no rejection unhandled', async () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  try {
    await using peer = await startPeer(problem(404, 'tenant.not_found'))
    const call = new TenantClient({ baseUrl: peer.url }).tenants.getBySlug('acme')
    expect(await rejectionOf(call.withResponse())).toBeInstanceOf(NotFoundError)
    await new Promise((resolve) => setImmediate(resolve))
    expect(unhandled).toEqual([])
  } finally {
    process.off('unhandledRejection', note)
  }
})
