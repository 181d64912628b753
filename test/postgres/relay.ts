import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to PostgreSQL that a test can break. */
export interface Relay {
  /** The URL of the database, by this way. */
  readonly url: string
  /** Lets everything through again: new connections work, those that were swallowed stay lost. */
  restore(): Promise<void>
  /** Refuses new connections, and resets those that are there. */
  refuse(): Promise<void>
  /** Resets the connections that are there. */
  reset(): void
  /** Swallows whatever is sent, on the connections that are there and, unless told, on new ones. */
  swallow(which?: 'all' | 'present'): void
  /** Lets a statement through, once, and swallows its answer and whatever is said on that connection afterwards. */
  loseAnswerTo(statement: string): void
  /** Makes a text unreadable, once, on its way to the database. */
  garble(text: string): void
  /** How often something was sent after an answer: each time somebody waited for the way there and back. */
  readonly turns: number
  close(): Promise<void>
}

interface Line {
  readonly client: Socket
  readonly server: Socket
  swallowed: boolean
  isAnswered: boolean
}

/** Relays to the database of a URL, as a network does until it does not. */
export async function aRelay(url: string): Promise<Relay> {
  const target = new URL(url)
  const lines = new Set<Line>()
  let swallowing = false
  let lost: string | undefined
  let garbled: string | undefined
  let turns = 0

  const listener = createServer((client) => {
    const line: Line = {
      client,
      server: connect(Number(target.port || 5432), target.hostname),
      swallowed: swallowing,
      isAnswered: true,
    }
    lines.add(line)
    pass(line, line.client, line.server)
    pass(line, line.server, line.client)
  })

  function pass(line: Line, from: Socket, to: Socket): void {
    from.setNoDelay().on('data', (bytes: Buffer) => {
      if (garbled !== undefined && from === line.client && bytes.includes(garbled)) {
        bytes.fill('?', bytes.indexOf(garbled), bytes.indexOf(garbled) + garbled.length)
        garbled = undefined
      }
      if (!line.swallowed) to.write(bytes)
      if (from === line.client && line.isAnswered) turns += 1
      line.isAnswered = from === line.server
      if (lost === undefined || from !== line.client || !bytes.includes(lost)) return
      line.swallowed = true
      lost = undefined
    })
    from.on('error', () => undefined)
    from.on('close', () => {
      // What is swallowed tells nobody, not even that it has ended.
      if (line.swallowed && from === line.server) return
      to.destroy()
      lines.delete(line)
    })
  }

  async function listen(port: number): Promise<number> {
    listener.listen(port, '127.0.0.1')
    await once(listener, 'listening')
    return (listener.address() as AddressInfo).port
  }

  function reset(): void {
    for (const { client, server } of lines) {
      client.resetAndDestroy()
      server.destroy()
    }
    lines.clear()
  }

  async function refuse(): Promise<void> {
    const closed = listener.listening ? once(listener, 'close') : undefined
    listener.close()
    reset()
    await closed
  }

  const port = await listen(0)
  const relayed = new URL(url)
  relayed.hostname = '127.0.0.1'
  relayed.port = String(port)
  return {
    url: relayed.href,
    restore: async () => {
      swallowing = false
      if (!listener.listening) await listen(port)
    },
    refuse,
    reset,
    swallow: (which = 'all') => {
      swallowing = which === 'all'
      for (const line of lines) line.swallowed = true
    },
    loseAnswerTo: (statement) => {
      lost = statement
    },
    garble: (text) => {
      garbled = text
    },
    get turns() {
      return turns
    },
    close: refuse,
  }
}
