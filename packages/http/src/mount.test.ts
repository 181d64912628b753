import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Actor } from '@breakpilot/tenant-core'
import express from 'express'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Principal } from './auth/principal.ts'
import { mount } from './mount.ts'
import { route } from './route.ts'

const owner: Principal = { kind: 'operator', roles: ['platform-owner'], actor: { id: 'o', name: 'O' } }

/** Asks a route of our own who it thinks is calling, behind so many proxies. */
async function addressOf(trustProxy: number | string[] | false, forwarded: string): Promise<string | undefined> {
  let actor: Actor | undefined
  const whoAmI = route({
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
    handle: async (call) => {
      ;({ actor } = call)
      return {}
    },
  })
  const app = express()
  app.set('trust proxy', trustProxy)
  mount(app, [whoAmI], {
    services: {} as never,
    authenticate: () => owner,
    production: false,
    onAnswered: () => undefined,
    onMisfit: () => undefined,
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}/who`, { headers: { 'x-forwarded-for': forwarded } })
  expect(answer.status).toBe(200)
  server.close()
  return actor?.source_ip
}

describe("the caller's address", () => {
  it.each([
    [false, '192.0.2.1', '127.0.0.1'],
    [1, '192.0.2.1', '192.0.2.1'],
    [1, '198.51.100.9, 192.0.2.1', '192.0.2.1'],
    [['loopback'], '192.0.2.1', '192.0.2.1'],
    [['10.0.0.0/8'], '192.0.2.1', '127.0.0.1'],
    [1, '<script>', undefined],
  ] as const)('with %j trusted and %j forwarded is %j', async (trust, forwarded, address) => {
    expect(await addressOf(typeof trust === 'object' ? [...trust] : trust, forwarded)).toBe(address)
  })
})
