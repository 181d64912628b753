/**
 * The generator of load, a process of its own: keeps every connection busy with one request after the other, over bare
 * sockets, so that it takes as little as possible of the machine that it shares with what is measured.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What is asked for, of whom, for how long. */
export interface Order {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  /** How many requests each connection sends in a second, if not one after the other; the connections take turns. */
  readonly perSecond?: number | undefined
  /** Ends earlier, after so many requests. */
  readonly requestsMax?: number | undefined
  /** The access token that is sent. */
  readonly token?: string | undefined
  readonly method: 'GET' | 'POST'
  readonly path: string
  /**
   * What is sent with POST, in turns if there are several; without it every request creates a tenant of its own, whose
   * slug begins with `slugPrefix`.
   */
  readonly body?: string | readonly string[] | undefined
  readonly slugPrefix: string
  /** How every answer has to be. */
  readonly status: number | readonly number[]
  /** What has to stand in every answer with 200. */
  readonly says?: string | undefined
}

/** What came of it. */
export interface Outcome {
  readonly requests: number
  readonly seconds: number
  /** How long each request took, from the first byte sent to the last one received. */
  readonly milliseconds: readonly number[]
  /** How many answers there were of each status. */
  readonly statuses: Readonly<Record<number, number>>
}

/** How many connections are made at once: no more than a server lets wait. */
const connectingMax = 256

process.on('message', (order: Order) => {
  run(order).then(
    (outcome) => process.send?.(outcome),
    (error: unknown) => {
      console.error(`bench: ${String(error)}`)
      process.exit(1)
    },
  )
})
process.on('disconnect', () => process.exit())

async function run(order: Order): Promise<Outcome> {
  // All of them before the first request: those that have to be sent at once are.
  const sockets: Socket[] = []
  while (sockets.length < order.connections) {
    const making = Math.min(connectingMax, order.connections - sockets.length)
    sockets.push(...(await Promise.all(Array.from({ length: making }, async () => await connected(order)))))
  }
  const startedAt = performance.now()
  const until = startedAt + order.seconds * 1000
  let number = 0
  const { requestsMax = Number.POSITIVE_INFINITY } = order
  const next = () => (performance.now() < until && number < requestsMax ? requestText(order, (number += 1)) : undefined)
  const statuses: Record<number, number> = {}
  const times = await Promise.all(
    sockets.map(async (socket, at) => {
      if (order.perSecond !== undefined) await sleep((1000 / order.perSecond) * (at / sockets.length))
      return await keepBusy(order, socket, statuses, next)
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  const milliseconds = times.flat()
  return { requests: milliseconds.length, seconds, milliseconds, statuses }
}

async function connected({ port }: Order): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return socket
}

/** Sends what `next` gives, each after the answer to the one before, and says how long each took. */
function keepBusy(
  { status: expected, says = '', perSecond }: Order,
  socket: Socket,
  statuses: Record<number, number>,
  next: () => string | undefined,
): Promise<number[]> {
  const fits = new Set(Array.isArray(expected) ? (expected as readonly number[]) : [expected])
  return new Promise((resolve, reject) => {
    const times: number[] = []
    let sentAt = 0
    let received = ''
    let turn = performance.now()
    const sendInTurn = () => {
      if (perSecond === undefined) {
        send()
        return
      }
      turn += 1000 / perSecond
      setTimeout(send, Math.max(0, turn - performance.now()))
    }
    const send = () => {
      const text = next()
      if (text !== undefined) {
        sentAt = performance.now()
        socket.write(text)
        return
      }
      socket.destroy()
      resolve(times)
    }
    socket.setEncoding('latin1')
    socket.once('error', reject)
    socket.once('end', () => reject(new Error('the server closed a connection')))
    socket.on('data', (chunk: string) => {
      received += chunk
      const length = answerLength(received)
      if (length === undefined || received.length < length) return
      // Behind `HTTP/1.1 `.
      const status = Number(received.slice(9, 12))
      if (!fits.has(status) || (status === 200 && !received.includes(says))) {
        reject(new Error(`an answer was not as expected: ${received.slice(0, 1000)}`))
        return
      }
      statuses[status] = (statuses[status] ?? 0) + 1
      times.push(performance.now() - sentAt)
      received = ''
      sendInTurn()
    })
    send()
  })
}

/** How long an answer is, once its head is there. Every answer here says its length. */
function answerLength(received: string): number | undefined {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(received.slice(0, headEnd)) ?? []
  return length === undefined ? undefined : headEnd + 4 + Number(length)
}

function requestText({ port, method, path, slugPrefix, token, body: given }: Order, number: number): string {
  const authorization = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`
  const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: bench\r\nAccept: application/json\r\n${authorization}`
  if (method === 'GET') return `${head}\r\n`
  const bodies = typeof given === 'string' ? [given] : given
  const body =
    bodies?.[number % bodies.length] ?? JSON.stringify({ slug: `${slugPrefix}-${number}`, name: `Tenant ${number}` })
  return `${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}
