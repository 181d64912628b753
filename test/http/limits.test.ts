import { once } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answered, createServer } from '@breakpilot/tenant-http'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { aTenant } from '../builders.ts'
import { type ServerUnderTest, startTestServer } from '../server.ts'

let server: ServerUnderTest
beforeAll(async () => {
  server = await startTestServer()
  await aTenant(server.db, { slug: 'acme' })
})
afterAll(async () => {
  await server.stop()
})

/** A connection, and everything that came over it. */
function aConnection(url = server.url): { socket: Socket; heard: () => string; closed: Promise<unknown> } {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let heard = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (heard += chunk))
  socket.on('error', () => undefined)
  onTestFinished(() => {
    socket.destroy()
  })
  // `once` would fail where the other side cuts off what is being written.
  const closed = new Promise((resolve) => socket.once('close', resolve))
  return { socket, heard: () => heard, closed }
}

const get = (path: string, ...headers: string[]) =>
  `GET ${path} HTTP/1.1\r\n${['Host: localhost', ...headers].join('\r\n')}\r\n\r\n`
const post = (body: string, length = body.length) =>
  `POST /v1/tenants HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`
const answersIn = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))

describe('a caller who takes his time', () => {
  /** A server with less patience than the real one: the test is impatient too. */
  async function anImpatientServer(): Promise<{ url: string; told: Answered[] }> {
    const told: Answered[] = []
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      request.on('end', () => response.end()).resume()
    }
    const messages = {
      request: Object.create(IncomingMessage.prototype) as IncomingMessage,
      response: Object.create(ServerResponse.prototype) as ServerResponse,
    }
    const app = Object.assign(answer, messages) as unknown as Parameters<typeof createServer>[0]
    const options = { requestTimeoutMs: 600, headersTimeoutMs: 300 }
    const inner = createServer(app, { ...options, onAnswered: (answered) => told.push(answered) })
    inner.listen(0, '127.0.0.1')
    await once(inner, 'listening')
    onTestFinished(() => {
      inner.closeAllConnections()
      inner.close()
    })
    return { url: `http://127.0.0.1:${(inner.address() as AddressInfo).port}`, told }
  }

  it('with the headers is cut off with a problem, and the log hears of it', async () => {
    const { url, told } = await anImpatientServer()
    const { socket, heard, closed } = aConnection(url)
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n')
    const drip = setInterval(() => socket.write('X-A: a\r\n'), 50)
    await closed
    clearInterval(drip)
    expect(heard()).toMatch(/^HTTP\/1.1 408 [\s\S]*problem\+json[\s\S]*"code":"request.timeout"/)
    expect(heard()).toMatch(/\r\nConnection: close\r\n/)
    expect(told).toMatchObject([{ status: 408, code: 'request.timeout' }])
  })

  it('with the body is cut off too', async () => {
    const { url } = await anImpatientServer()
    const { socket, heard, closed } = aConnection(url)
    socket.write(post('{', 10_000))
    const drip = setInterval(() => socket.write(' '), 50)
    await closed
    clearInterval(drip)
    // Node answers a body that does not end only where nothing of an answer is under way.
    expect(answersIn(heard())).not.toContain(200)
  })

  it('holds up nobody else', async () => {
    const slow = Array.from({ length: 50 }, () => aConnection())
    for (const { socket } of slow) socket.write(post('{', 200_000))
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => server.call('GET', '/v1/tenants/by-slug/acme')),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  })

  it('over an answer gets the whole of it', async () => {
    const { socket, heard } = aConnection()
    socket.pause()
    socket.write(Array.from({ length: 30 }, () => get('/openapi.json')).join(''))
    await sleep(100)
    expect((await server.call('GET', '/healthz')).status).toBe(200)
    socket.resume()
    await expect.poll(() => answersIn(heard()).length, { timeout: 20_000 }).toBe(30)
  })
})

describe('one connection', () => {
  it('carries request after request, and answers in their order', async () => {
    const { socket, heard } = aConnection()
    socket.write(
      get('/healthz') +
        get('/v1/tenants/by-slug/nobody') +
        get('/v1/tenants/by-slug/acme') +
        post('{"slug":"A"}') +
        get('/nowhere'),
    )
    await expect.poll(() => answersIn(heard())).toEqual([200, 404, 200, 400, 404])
  })

  it('is as good as new after a body that was refused unread', async () => {
    const { socket, heard } = aConnection()
    const body = 'x'.repeat(10_000)
    socket.write(
      `POST /v1/tenants HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}${get('/healthz')}`,
    )
    await expect.poll(() => answersIn(heard())).toEqual([415, 200])
    expect(heard()).toMatch(/\{"status":"ok"\}$/)
  })

  it('is closed behind a body that is too large, before all of it was sent', async () => {
    const { socket, heard, closed } = aConnection()
    socket.write(post('{', 1_000_000_000).replace('\r\n', '\r\nX-Request-Id: a-flood-of-a-body\r\n'))
    const flood = setInterval(() => socket.write('x'.repeat(64 * 1024)), 5)
    await closed
    clearInterval(flood)
    // Who goes on sending may find the connection closed before the answer is read.
    expect([[413], []]).toContainEqual(answersIn(heard()))
    expect(server.log.find((line) => line['request_id'] === 'a-flood-of-a-body')).toMatchObject({ status: 413 })
  })

  it('is closed behind a chunk that is none', async () => {
    const { socket, heard, closed } = aConnection()
    socket.write(
      'POST /v1/tenants HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n',
    )
    await closed
    expect(answersIn(heard())).not.toContain(201)
  })
})

describe('headers', () => {
  it.each([
    ['that are many', Array.from({ length: 1_500 }, (_, n) => `X-${n}: a`)],
    ['one of which is long', [`X-Long: ${'a'.repeat(17_000)}`]],
    ['with a long name', [`${'X'.repeat(17_000)}: a`]],
    ['with a long cookie', [`Cookie: ${'a=b; '.repeat(4_000)}`]],
  ])('%s are refused with 431, and the connection is closed', async (_, headers) => {
    const { socket, heard, closed } = aConnection()
    socket.write(get('/healthz', ...headers))
    await closed
    expect(heard()).toMatch(/^HTTP\/1.1 431 [\s\S]*problem\+json[\s\S]*"code":"request.headers_too_large"/)
  })

  it.each([
    ['a line of its own that is none', 'nonsense'],
    ['a name with a space', 'X A: b'],
    ['a NUL', 'X-A: a\u0000b'],
    ['a bare carriage return', 'X-A: a\rb: c'],
    ['two lengths', 'Content-Length: 1\r\nContent-Length: 2'],
    ['a length that is none', 'Content-Length: -1'],
  ])('with %s are refused with 400', async (_, header) => {
    const { socket, heard, closed } = aConnection()
    socket.write(get('/healthz', header))
    await closed
    expect(heard()).toMatch(/^HTTP\/1.1 400 [\s\S]*problem\+json[\s\S]*"code":"request.header_invalid"/)
  })

  it('with a coding that nobody knows get no answer, and the connection is closed', async () => {
    const { socket, heard, closed } = aConnection()
    socket.write(get('/healthz', 'Transfer-Encoding: brotli'))
    await closed
    expect(heard()).toBe('')
  })

  it('just below the limit are taken', async () => {
    const { socket, heard } = aConnection()
    socket.write(get('/healthz', `X-Long: ${'a'.repeat(15_000)}`))
    await expect.poll(() => answersIn(heard())).toEqual([200])
  })
})
