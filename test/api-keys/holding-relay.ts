import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to PostgreSQL on which a test can let an answer wait. */
export interface HoldingRelay {
  readonly url: string
  /** Holds back the answer to the next statement that has this in it. Resolves when PostgreSQL has answered. */
  hold(statement: string): Promise<void>
  /** Lets through what was held back. */
  release(): void
  close(): Promise<void>
}

/** Relays to the database of a URL. An answer that is held back tells what was so when PostgreSQL gave it. */
export async function aHoldingRelay(url: string): Promise<HoldingRelay> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let wanted: { readonly statement: string; readonly answered: () => void } | undefined
  let held: (() => void)[] = []

  const listener = createServer((client) => {
    const server = connect(Number(target.port || 5432), target.hostname)
    let answered: (() => void) | undefined
    client.setNoDelay().on('data', (bytes: Buffer) => {
      if (wanted && bytes.includes(wanted.statement)) {
        ;({ answered } = wanted)
        wanted = undefined
      }
      server.write(bytes)
    })
    server.setNoDelay().on('data', (bytes: Buffer) => {
      if (!answered) {
        client.write(bytes)
        return
      }
      held.push(() => {
        answered = undefined
        client.write(bytes)
      })
      answered()
    })
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => other.destroy())
    }
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const relayed = new URL(url)
  relayed.hostname = '127.0.0.1'
  relayed.port = String((listener.address() as AddressInfo).port)

  const release = () => {
    const all = held
    held = []
    for (const each of all) each()
  }
  return {
    url: relayed.href,
    hold: async (statement) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      wanted = { statement, answered: resolve }
      await promise
    },
    release,
    close: async () => {
      const closed = once(listener, 'close')
      listener.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
