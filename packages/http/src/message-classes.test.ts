import { once } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import { expect, it, onTestFinished } from 'vitest'
import { createServer } from './server.ts'

/** Serves an app until the test is over, and notes of what comes in what it is before the app sees it. */
async function serve(app: Express): Promise<{ url: string; prototypes: unknown[] }> {
  const server = createServer(app)
  const prototypes: unknown[] = []
  server.prependListener('request', (...both: object[]) => prototypes.push(...both.map(Object.getPrototypeOf)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, prototypes }
}

const anApp = (): Express =>
  express().get('/', (request, response) => {
    const isOurs =
      request.app === response.app && request instanceof IncomingMessage && response instanceof ServerResponse
    response.json({ isOurs, ip: request.ip, greeting: request.app.get('greeting') })
  })

it('requests and responses are born as what Express makes of them, on every server of an app', async () => {
  const app = anApp().set('greeting', 'hello')
  for (const { url, prototypes } of [await serve(app), await serve(app)]) {
    const answer = await fetch(url)
    expect(await answer.json()).toEqual({ isOurs: true, ip: '127.0.0.1', greeting: 'hello' })
    expect(prototypes).toHaveLength(2)
    expect(prototypes[0]).toBe(app.request)
    expect(prototypes[1]).toBe(app.response)
  }
})

it('an app that is a part of another one has its own while it is asked', async () => {
  const inner = anApp().set('greeting', 'from within')
  await serve(inner)
  const outer = express().use('/inner', inner)
  // What the inner one does not answer comes back to the outer one.
  outer.get('/inner/elsewhere', (request, response) => {
    const isOuter =
      Object.getPrototypeOf(request) === outer.request && Object.getPrototypeOf(response) === outer.response
    response.json({ isOuter: isOuter && request.app === outer })
  })
  const { url } = await serve(outer)
  expect(await (await fetch(`${url}/inner`)).json()).toMatchObject({ isOurs: true, greeting: 'from within' })
  expect(await (await fetch(`${url}/inner/elsewhere`)).json()).toEqual({ isOuter: true })
})
