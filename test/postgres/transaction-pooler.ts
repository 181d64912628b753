import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { Client } from 'pg'

/** A server's session behind the pooler, without the client library that logged it in. */
interface Session {
  readonly socket: Socket
  client: Socket | undefined
}

/** Somebody who waits for a session, and the one that they had last. */
interface Waiter {
  readonly last: Session | undefined
  readonly take: (session: Session) => void
}

export interface TransactionPooler {
  readonly url: string
  close(): Promise<void>
}

const readyForQuery = 0x5a
const terminate = 0x58

/**
 * The worst that a pooler in transaction mode may do, on a real PostgreSQL: every transaction runs on another session
 * than the one before it, so that whatever a session was told or holds is gone, or meets a stranger. Who is left with the
 * same one waits for another.
 * @param sessions two or more
 * @param options.refused settings that nobody may open a connection with, as PgBouncer refuses what it does not keep
 * @param options.staysFor so many transactions of a client run on the same session first, if nobody has that
 */
export async function aTransactionPooler(
  url: string,
  sessions: number,
  { refused = [], staysFor = 0 }: { readonly refused?: readonly string[]; readonly staysFor?: number } = {},
): Promise<TransactionPooler> {
  const logins = await Promise.all(Array.from({ length: sessions }, async () => logIn(url)))
  const idle: Session[] = []
  const waiting: Waiter[] = []
  for (const { socket } of logins) {
    const session: Session = { socket, client: undefined }
    idle.push(session)
    eachMessage(socket, (type, message) => {
      session.client?.write(message)
      if (type !== readyForQuery || message.at(5) !== 'I'.charCodeAt(0)) return
      session.client = undefined
      const next = waiting.find(({ last }) => last !== session)
      if (next === undefined) idle.push(session)
      else {
        waiting.splice(waiting.indexOf(next), 1)
        next.take(session)
      }
    })
  }

  const clients = new Set<Socket>()
  const server = createServer((client) => {
    clients.add(client.setNoDelay())
    client.on('error', () => undefined)
    let session: Session | undefined
    let transactions = 0
    client.once('data', (startup: Buffer) => {
      const said = refused.find((name) => startup.includes(`\0${name}\0`))
      if (said !== undefined) {
        client.end(errorResponse(`unsupported startup parameter: ${said}`))
        return
      }
      // Logged in; no key to cancel with; idle.
      client.write(Buffer.from('520000000800000000', 'hex'))
      client.write(Buffer.from('5a0000000549', 'hex'))
      client.on('data', (data: Buffer) => {
        if (data[0] === terminate) return
        if (session?.client === client) {
          session.socket.write(data)
          return
        }
        const take = (free: Session): void => {
          session = free
          session.client = client
          session.socket.write(data)
        }
        const stays = transactions++ < staysFor
        const free = idle.find((each) => (stays && session !== undefined) === (each === session))
        if (free === undefined) waiting.push({ last: session, take })
        else {
          idle.splice(idle.indexOf(free), 1)
          take(free)
        }
      })
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const pooled = new URL(url)
  pooled.hostname = '127.0.0.1'
  pooled.port = String((server.address() as AddressInfo).port)
  return {
    url: pooled.href,
    close: async () => {
      for (const socket of [...clients, ...logins.map(({ socket }) => socket)]) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function errorResponse(message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0C08P01\0M${message}\0\0`)
  const head = Buffer.from('E0000')
  head.writeInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}

async function logIn(url: string): Promise<{ socket: Socket }> {
  const client = new Client({ connectionString: url, ssl: false })
  client.on('error', () => undefined)
  await client.connect()
  const { stream: socket } = (client as unknown as { connection: { stream: Socket } }).connection
  socket.removeAllListeners('data')
  return { socket: socket.setNoDelay() }
}

function eachMessage(socket: Socket, fn: (type: number, message: Buffer) => void): void {
  let rest = Buffer.alloc(0)
  socket.on('data', (data: Buffer) => {
    rest = Buffer.concat([rest, data])
    while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
      const end = 1 + rest.readUInt32BE(1)
      const message = rest.subarray(0, end)
      rest = rest.subarray(end)
      fn(message[0] ?? 0, message)
    }
  })
}
