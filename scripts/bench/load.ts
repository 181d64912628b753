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
  const connections: Connection[] = []
  while (connections.length < order.connections) {
    const making = Math.min(connectingMax, order.connections - connections.length)
    connections.push(...(await Promise.all(Array.from({ length: making }, async () => await connected(order)))))
  }
  const startedAt = performance.now()
  const until = startedAt + order.seconds * 1000
  let number = 0
  const { requestsMax = Number.POSITIVE_INFINITY } = order
  const next = () => (performance.now() < until && number < requestsMax ? requestText(order, (number += 1)) : undefined)
  const statuses: Record<number, number> = {}
  const times = await Promise.all(
    connections.map(async (connection, at) => {
      if (order.perSecond !== undefined) await sleep((1000 / order.perSecond) * (at / connections.length))
      return await keepBusy(order, connection, statuses, next)
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  const milliseconds = times.flat()
  return { requests: milliseconds.length, seconds, milliseconds, statuses }
}

/** A connection, and who hears what comes in on it: the bytes are there until that returns. */
interface Connection {
  readonly socket: Socket
  hears: (bytes: Buffer) => void
}

/** How much is read at a time. */
const readBytes = 65_536

async function connected({ port }: Order): Promise<Connection> {
  // Into the same memory each time. Node.js takes new memory for each read unless told, and a collector that runs here
  // would run beside what is measured.
  const callback = (length: number, memory: Uint8Array) => {
    connection.hears(Buffer.from(memory.buffer, memory.byteOffset, length))
    return true
  }
  const socket = connect({
    port,
    host: '127.0.0.1',
    noDelay: true,
    onread: { buffer: Buffer.allocUnsafe(readBytes), callback },
  })
  const connection: Connection = { socket, hears: () => undefined }
  await once(socket, 'connect')
  return connection
}

/** Sends what `next` gives, each after the answer to the one before, and says how long each took. */
function keepBusy(
  { status: expected, says = '', perSecond }: Order,
  connection: Connection,
  statuses: Record<number, number>,
  next: () => string | undefined,
): Promise<number[]> {
  const fits = new Set(Array.isArray(expected) ? (expected as readonly number[]) : [expected])
  const { socket } = connection
  return new Promise((resolve, reject) => {
    const times: number[] = []
    let sentAt = 0
    let answer = new Answer(says !== '')
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
    socket.once('error', reject)
    socket.once('end', () => reject(new Error('the server closed a connection')))
    connection.hears = (bytes) => {
      answer.add(bytes)
      if (!answer.isWhole) return
      const { status, start } = answer
      if (!fits.has(status) || (status === 200 && !start.includes(says))) {
        reject(new Error(`an answer was not as expected: ${start.slice(0, 1000)}`))
        return
      }
      statuses[status] = (statuses[status] ?? 0) + 1
      times.push(performance.now() - sentAt)
      answer = new Answer(says !== '')
      sendInTurn()
    }
    send()
  })
}

/** An answer as it comes in. Every answer here says its length. */
class Answer {
  /** Its head and what came with it, or all of it if that is asked for. */
  start = ''
  readonly #keepsAll: boolean
  #received = 0
  #length = Number.POSITIVE_INFINITY

  constructor(keepsAll: boolean) {
    this.#keepsAll = keepsAll
  }

  get isWhole(): boolean {
    return this.#received >= this.#length
  }

  /** Stands behind `HTTP/1.1 `. */
  get status(): number {
    return Number(this.start.slice(9, 12))
  }

  add(bytes: Buffer): void {
    this.#received += bytes.length
    const hasHead = this.#length < Number.POSITIVE_INFINITY
    if (hasHead && !this.#keepsAll) return
    this.start += bytes.toString('latin1', 0, hasHead || this.#keepsAll ? bytes.length : headBytesMax)
    if (hasHead) return
    const headEnd = this.start.indexOf('\r\n\r\n')
    const [, length] = /\r\ncontent-length: *(\d+)/i.exec(this.start.slice(0, Math.max(0, headEnd))) ?? []
    if (length !== undefined) this.#length = headEnd + 4 + Number(length)
  }
}

/** What is looked at of what comes first: a head, and enough of what follows to say what is wrong with it. */
const headBytesMax = 4_096

function requestText({ port, method, path, slugPrefix, token, body: given }: Order, number: number): string {
  const authorization = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`
  const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: bench\r\nAccept: application/json\r\n${authorization}`
  if (method === 'GET') return `${head}\r\n`
  const bodies = typeof given === 'string' ? [given] : given
  const body =
    bodies?.[number % bodies.length] ?? JSON.stringify({ slug: `${slugPrefix}-${number}`, name: `Tenant ${number}` })
  return `${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}
