/**
 * The generator of load, a process of its own: keeps every connection busy with one request after the other, over bare
 * sockets, so that it takes as little as possible of the machine that it shares with what is measured.
 */
import { connect } from 'node:net'

/** What is asked for, of whom, for how long. */
export interface Order {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  /** How many requests each connection sends in a second, if not one after the other. */
  readonly perSecond?: number | undefined
  /** Ends earlier, after so many requests. */
  readonly requestsMax?: number | undefined
  /** The access token that is sent. */
  readonly token?: string | undefined
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** What is sent with POST; without it every request creates a tenant of its own, whose slug begins with `slugPrefix`. */
  readonly body?: string | undefined
  readonly slugPrefix: string
  readonly status: number
}

/** What came of it. */
export interface Outcome {
  readonly requests: number
  readonly seconds: number
  /** How long each request took, from the first byte sent to the last one received. */
  readonly milliseconds: readonly number[]
}

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
  const startedAt = performance.now()
  const until = startedAt + order.seconds * 1000
  let number = 0
  const { requestsMax = Number.POSITIVE_INFINITY } = order
  const next = () => (performance.now() < until && number < requestsMax ? requestText(order, (number += 1)) : undefined)
  const times = await Promise.all(Array.from({ length: order.connections }, () => keepBusy(order, next)))
  const milliseconds = times.flat()
  return { requests: milliseconds.length, seconds: (performance.now() - startedAt) / 1000, milliseconds }
}

/** Sends what `next` gives, each after the answer to the one before, and says how long each took. */
function keepBusy({ port, status, perSecond }: Order, next: () => string | undefined): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
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
    socket.once('connect', send)
    socket.once('error', reject)
    socket.once('end', () => reject(new Error('the server closed a connection')))
    socket.on('data', (chunk: string) => {
      received += chunk
      const length = answerLength(received)
      if (length === undefined || received.length < length) return
      if (!received.startsWith(`HTTP/1.1 ${status} `)) {
        reject(new Error(`an answer was not ${status}: ${received.slice(0, 1000)}`))
        return
      }
      times.push(performance.now() - sentAt)
      received = ''
      sendInTurn()
    })
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
  const body = given ?? JSON.stringify({ slug: `${slugPrefix}-${number}`, name: `Tenant ${number}` })
  return `${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}
