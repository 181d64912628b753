import { once } from 'node:events'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** How long the head of a request may still take to arrive once the server has stopped to listen. */
const headWithinMs = 2_000

/**
 * Keeps account of a server's connections, so that it can end in good order: what is returned stops it to listen, lets
 * requests in flight be answered, and closes connections as soon as nothing is under way on them. Node.js waits for
 * ever for one on which nothing was ever sent, as browsers and load balancers open them to have one at hand.
 */
export function drainable(server: Server): () => Promise<void> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return async () => {
    const closed = once(server, 'close')
    server.close()
    const startedAt = performance.now()
    const sweep = setInterval(() => {
      server.closeIdleConnections()
      const late = performance.now() - startedAt > headWithinMs
      for (const socket of sockets) if ((late || socket.bytesRead === 0) && !isAnswering(socket)) socket.destroy()
    }, 20)
    await closed
    clearInterval(sweep)
  }
}

/** Whether a request has arrived on it that is not answered yet. Node.js has no public word for that. */
const isAnswering = (socket: Socket): boolean => Boolean(Reflect.get(socket, '_httpMessage'))
