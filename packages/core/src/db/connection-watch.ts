import { setImmediate } from 'node:timers/promises'
import { Client, DatabaseError, type PoolClient } from 'pg'

/** Milliseconds without an answer after which the watch asks whether the database is there at all. */
const silenceMs = 700

/** Milliseconds that the database has to say so. Together with the silence they stay below two seconds. */
const probeMs = 1_100

/** How exactly these are kept. Less than what is left of two seconds. */
const lookEveryMs = 50

/** A statement that was sent and is not answered yet. */
interface WatchedStatement {
  readonly client: PoolClient
  readonly sentAt: number
  readonly boundMs: number
  judgeAt: number
}

/** How to reach the database that is watched. */
interface Watched {
  readonly connectionString: string
  readonly applicationName: string
}

/**
 * Ends connections that nobody answers any more. A network that swallows what is sent gives no error: without a watch
 * a request would wait for minutes, until the operating system gives up. A statement that waits for a lock is as silent
 * as one that was lost, so silence alone proves nothing: the watch opens another connection, and only when that fails
 * too, or the statement's own bound is over, it ends the connection. It asks PostgreSQL for nothing that a pooler in
 * transaction mode would not pass on.
 */
export class ConnectionWatch {
  readonly #watched: Watched
  readonly #born = new WeakMap<PoolClient, number>()
  readonly #statements = new Set<WatchedStatement>()
  #timer: NodeJS.Timeout | undefined
  #probe: Promise<boolean> | undefined
  #lastEnd = -Infinity

  constructor(watched: Watched) {
    this.#watched = watched
  }

  /** Remembers when a connection was made. */
  welcome(client: PoolClient): void {
    this.#born.set(client, performance.now())
  }

  /**
   * Whether a connection is older than the last silence. What swallowed one connection has most often swallowed those
   * of its age too, also when the database itself is back or has moved.
   */
  isSuspect(client: PoolClient): boolean {
    return (this.#born.get(client) ?? 0) < this.#lastEnd
  }

  /** Watches a statement that is sent now, until the function that it gives back is called. */
  over(client: PoolClient, boundMs: number): () => void {
    const sentAt = performance.now()
    const statement = { client, sentAt, boundMs, judgeAt: sentAt + Math.min(silenceMs, boundMs) }
    this.#statements.add(statement)
    // One timer for all of them: a statement is answered a thousand times sooner than it would be judged.
    this.#timer ??= setInterval(() => this.#look(), lookEveryMs)
    return () => void this.#statements.delete(statement)
  }

  #look(): void {
    if (this.#statements.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
    const now = performance.now()
    for (const statement of this.#statements) {
      if (statement.judgeAt > now) continue
      statement.judgeAt = Infinity
      void this.#judge(statement)
    }
  }

  async #judge(statement: WatchedStatement): Promise<void> {
    const { client, sentAt, boundMs } = statement
    // When it was this process that slept, the answer has arrived meanwhile: it is read before silence is judged.
    await setImmediate()
    if (!this.#statements.has(statement)) return
    const tooLong = performance.now() - sentAt >= boundMs
    const lost = tooLong || !(await this.#databaseAnswers())
    if (!this.#statements.has(statement)) return
    if (lost) this.#end(client)
    else statement.judgeAt = Math.min(performance.now() + silenceMs, sentAt + boundMs)
  }

  #end(client: PoolClient): void {
    this.#lastEnd = performance.now()
    cut(client)
  }

  /** Everybody who waits at the same time asks once. */
  #databaseAnswers(): Promise<boolean> {
    return (this.#probe ??= answers(this.#watched).finally(() => {
      this.#probe = undefined
    }))
  }
}

/** Closes a connection without a word to the other side, which might never take it. What it carries fails. */
export function cut(client: PoolClient): void {
  // pg's pool makes clients of pg, and its type says less about them.
  if (client instanceof Client) client.connection.stream.destroy()
}

async function answers({ connectionString, applicationName }: Watched): Promise<boolean> {
  const client = new Client({
    connectionString,
    connectionTimeoutMillis: probeMs,
    application_name: `${applicationName} probe`,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return true
  } catch (error) {
    // A refusal in PostgreSQL's own words, such as too many connections, is an answer.
    return error instanceof DatabaseError
  } finally {
    void client.end()
  }
}
