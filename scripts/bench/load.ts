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
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** With POST: every request creates a tenant of its own, whose slug begins like this. */
  readonly slugPrefix: string
  readonly status: number
}

/** What came of it. */
export interface Outcome {
  readonly requests: number
  readonly seconds: number
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
  const next = () => (performance.now() < until ? requestText(order, (number += 1)) : undefined)
  const counts = await Promise.all(Array.from({ length: order.connections }, () => keepBusy(order, next)))
  return {
    requests: counts.reduce((sum, count) => sum + count, 0),
    seconds: (performance.now() - startedAt) / 1000,
  }
}

/** Sends what `next` gives, each after the answer to the one before, and counts. */
function keepBusy({ port, status }: Order, next: () => string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let answers = 0
    let received = ''
    const send = () => {
      const text = next()
      if (text !== undefined) {
        socket.write(text)
        return
      }
      socket.destroy()
      resolve(answers)
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
      answers += 1
      received = ''
      send()
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

function requestText({ port, method, path, slugPrefix }: Order, number: number): string {
  const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: bench\r\nAccept: application/json\r\n`
  if (method === 'GET') return `${head}\r\n`
  const body = JSON.stringify({ slug: `${slugPrefix}-${number}`, name: `Tenant ${number}` })
  return `${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}
