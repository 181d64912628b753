import { type CompiledQuery, Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely'
import { Client, Pool, type PoolClient, type QueryResult, type QueryResultRow, types } from 'pg'
import { ConnectionWatch, cut } from './connection-watch.ts'
import type { Db, Reader } from './handles.ts'
import type { Schema } from './schema.ts'
import { Sessions } from './session.ts'
import { asUnavailable } from './unavailable.ts'

/** How to reach PostgreSQL. */
export interface DatabaseOptions {
  readonly connectionString: string
  /** The most connections this process opens. 10 unless told. */
  readonly poolSize?: number
  /** Milliseconds to wait for a connection, new or from the full pool. 1 800 unless told. */
  readonly connectTimeoutMs?: number
  /** Whether hot reads are named statements. `false` for a pooler that forgets them between transactions. */
  readonly prepare?: boolean
  /** What `pg_stat_activity` shows. */
  readonly applicationName?: string
  /** Hears of idle connections that broke. The pool has already replaced them. */
  readonly onIdleError?: (error: Error) => void
}

/** The names of prepared queries by their text. Filled by `prepared`, read when a text is sent. */
export const statementNames = new Map<string, string>()

/**
 * Opens the database. Connections are made when they are first needed, so the database may come later.
 * Queries throw `database.unavailable` when PostgreSQL cannot be reached. Close it with `db.destroy()`.
 * @throws {Error} when the connection string is one that pg cannot use
 */
export function createDb(options: DatabaseOptions): Db {
  const pool = new RegistryPool(options)
  const db = new PooledKysely(pool)
  pools.set(db, pool)
  return db
}

/** kysely forgets a pool that it never used itself, and prepared reads go past it. */
class PooledKysely extends Kysely<Schema> {
  readonly #pool: RegistryPool

  constructor(pool: RegistryPool) {
    super({ dialect: new PostgresDialect({ pool }) })
    this.#pool = pool
  }

  override async destroy(): Promise<void> {
    await super.destroy()
    await this.#pool.end()
  }
}

const pools = new WeakMap<object, RegistryPool>()

/** The pool under a handle, or undefined when the handle is a transaction, whose queries have to stay on its connection. */
export function directPool(db: Reader): RegistryPool | undefined {
  return pools.get(db)
}

/**
 * Plain SQL over a database's own pool, for who knows no tables of ours: the migrations' own readers.
 */
export function plainQueries(db: Db): { query(text: string): Promise<{ rows: unknown[] }> } {
  const pool = directPool(db)
  if (!pool) throw new Error('plainQueries takes a database, not a transaction')
  return { query: (text) => pool.query({ text }) }
}

/**
 * How every transaction begins. Without bounds, one that is stuck, or a client that died in the middle of one, would
 * hold its locks and in the end every connection of the pool. Said with `begin`, it costs no round trip, and `local` it
 * leaves nothing behind in a pooler's session. Who waits for another writer sees what that one wrote, also where the role
 * would have it otherwise.
 */
const beginning = (lockTimeout: string) => `begin isolation level read committed;
  set local lock_timeout = '${lockTimeout}';
  set local statement_timeout = '15s';
  set local idle_in_transaction_session_timeout = '15s'`

/** Milliseconds that a transaction waits for a lock, unless told. */
const lockMsMax = 5_000

const usualBeginning = beginning(`${lockMsMax}ms`)

/** What a transaction whose statements do not wait for one another ends with. */
export interface Last<Answer> {
  /** Its last statement, which is sent with the commit. */
  readonly last?: CompiledQuery | undefined
  /** What is answered once all of it is committed. */
  readonly answer: Answer
}

/**
 * Milliseconds after which a statement without an answer counts as lost, although the database is there. In a
 * transaction PostgreSQL's own bound comes first, and says more; a read of its own has nothing but this one, which a
 * pooler in transaction mode cannot forget. An end of a transaction waits for no lock.
 */
const boundsMs = { read: 5_000, inTransaction: 16_000, end: 5_000 }

/** How a statement goes to pg. */
interface Statement {
  readonly name?: string
  readonly text: string
  readonly values?: unknown[]
}

/** Sends a statement of a transaction. */
export type Send = (text: string, values: readonly unknown[]) => Promise<QueryResult>

/** A transaction whose statements do not wait for one another. */
interface Pipe {
  readonly begun: Promise<void>
  readonly send: Send
  readonly end: (text: 'commit' | 'rollback') => Promise<QueryResult>
  readonly isOver: () => boolean
  /** What was refused first, if anything was. */
  readonly refusal: () => unknown
}

/**
 * pg's pool, where kysely's texts become named statements and lost connections get their code.
 */
class RegistryPool implements PostgresPool {
  /** The most connections that it opens. */
  readonly size: number
  readonly #pool: Pool
  readonly #prepare: boolean
  readonly #connectTimeoutMs: number
  readonly #watch: ConnectionWatch
  readonly #sessions = new Sessions()
  #ended: Promise<void> | undefined
  // kysely remembers connections by the object, so one client has to have one wrapper.
  readonly #clients = new WeakMap<PoolClient, PostgresPoolClient>()

  constructor(options: DatabaseOptions) {
    // Reads the connection string, and the certificates that it names, now and not at the first query.
    void new Client({ connectionString: options.connectionString })
    const { connectionString, applicationName = 'tenant-registry', connectTimeoutMs = 1_800 } = options
    this.size = options.poolSize ?? 10
    this.#prepare = options.prepare ?? true
    this.#connectTimeoutMs = connectTimeoutMs
    this.#watch = new ConnectionWatch({ connectionString, applicationName })
    this.#pool = new Pool({
      Client: this.#sessions.Client,
      connectionString,
      max: this.size,
      connectionTimeoutMillis: connectTimeoutMs,
      application_name: applicationName,
      keepAlive: true,
      types: { getTypeParser },
      // Who awaits each answer notices nothing of it; `pipeline` does not.
      pipeline: true,
    })
    this.#pool.on('error', (error) => options.onIdleError?.(error))
    // A connection that is lost between two statements of a transaction says so by an event, which would end the
    // process if nobody listened. The next statement fails, and that is where it is handled.
    this.#pool.on('connect', (client) => {
      client.on('error', () => undefined)
      this.#watch.welcome(client)
    })
  }

  /** kysely opens a connection of its own with these when it has to cancel a query. */
  get options(): object {
    return this.#pool.options
  }

  async connect(): Promise<PostgresPoolClient> {
    const client = await this.#take()
    let wrapper = this.#clients.get(client)
    if (!wrapper) {
      wrapper = this.#wrap(client)
      this.#clients.set(client, wrapper)
    }
    return wrapper
  }

  /**
   * Runs `work` in a transaction whose statements are sent as soon as they are asked, whether the one before is answered
   * or not, and that is committed in the same way. PostgreSQL does one after the other all the same, and none behind one
   * that it refuses.
   * @param lockMs milliseconds that it waits for a lock
   * @throws whatever it begins, fails or ends with, whichever was first. Whether it is committed is open where that is
   *   no refusal of PostgreSQL
   */
  async pipeline<Answer>(work: (send: Send) => Promise<Last<Answer>>, lockMs: number = lockMsMax): Promise<Answer> {
    const client = await this.#take()
    let isUsable = false
    try {
      const pipe = this.#pipe(client, lockMs)
      try {
        const { last, answer } = await work(pipe.send)
        await pipe.begun
        if (pipe.refusal() !== undefined) throw pipe.refusal()
        const sent = last && pipe.send(last.sql, last.parameters)
        // What pg itself refuses for its values is never sent, which it says at once: the commit would leave it out.
        await Promise.race([sent, new Promise<void>((resolve) => process.nextTick(resolve))])
        const [, committed] = await Promise.allSettled([sent, pipe.end('commit')])
        isUsable = committed.status === 'fulfilled'
        // Also of what nobody waited for: PostgreSQL takes the commit for a rollback then, and says no more.
        if (pipe.refusal() !== undefined) throw pipe.refusal()
        return answer
      } catch (error) {
        if (!pipe.isOver()) {
          isUsable = await pipe.end('rollback').then(
            () => true,
            () => false,
          )
        }
        // Whoever waits for several may hear first of one that PostgreSQL passed over for it.
        throw pipe.refusal() ?? error
      }
    } finally {
      client.release(!isUsable)
    }
  }

  async query<Row extends QueryResultRow>(statement: Statement): Promise<QueryResult<Row>> {
    const client = await this.#take()
    let failed = true
    try {
      const result = await this.#send<Row>(client, statement, boundsMs.read)
      failed = false
      return result
    } finally {
      // A new connection prepares anew, which is the way out when a plan no longer fits the schema.
      client.release(failed)
    }
  }

  /** Closes every connection. Doing it again changes nothing. */
  async end(): Promise<void> {
    await (this.#ended ??= this.#pool.end())
  }

  /** Adds the name under which a text is prepared, where it has one and the pooler remembers it. */
  named({ name, text }: { readonly name: string; readonly text: string }): Statement {
    return this.#prepare ? { name, text } : { text }
  }

  /** A connection that is worth trying, out of the pool. */
  async #take(): Promise<PoolClient> {
    for (;;) {
      const client = await this.#open()
      if (!this.#watch.isSuspect(client)) return client
      cut(client)
      client.release(true)
    }
  }

  /** The first ones that are opened at once may all be refused. */
  async #open(): Promise<PoolClient> {
    try {
      return await this.#pool.connect()
    } catch (error) {
      if (!this.#sessions.yieldTo(error)) return rethrow(error)
      return await this.#pool.connect().catch(rethrow)
    }
  }

  async #send<Row extends QueryResultRow>(
    client: PoolClient,
    statement: Statement,
    boundMs: number,
  ): Promise<QueryResult<Row>> {
    const answered = this.#watch.over(client, boundMs)
    try {
      return await asked<Row>(client, statement)
    } catch (error) {
      throw asUnavailable(error)
    } finally {
      answered()
    }
  }

  /** Begins a transaction, and answers how to go on with it and how to end it. */
  #pipe(client: PoolClient, lockMs: number): Pipe {
    let state: 'beginning' | 'begun' | 'over' = 'beginning'
    let holdsBack = false
    let unanswered = 0
    let refusal: unknown
    const ask = async (statement: Statement, boundMs: number) => {
      unanswered += 1
      try {
        return await this.#send(client, statement, boundMs)
      } catch (error) {
        refusal ??= error
        throw error
      } finally {
        unanswered -= 1
      }
    }
    const begun = ask({ text: beginning(`${lockMs}ms`) }, this.#connectTimeoutMs).then(
      () => void (state = state === 'over' ? state : 'begun'),
    )
    begun.catch(() => undefined)
    // Each may take as long as PostgreSQL lets it, and begins only behind those before it.
    const boundMs = () => boundsMs.inTransaction * (1 + unanswered)
    const send = async (text: string, values: readonly unknown[]) => {
      // Should it not begin, nothing may have been written outside of it. What is asked behind what waits, waits too.
      holdsBack ||= !/^\s*select\b/.test(text)
      if (holdsBack && state === 'beginning') await begun
      if (state === 'over') throw new Error('this transaction is over')
      const answer = ask(this.#statement(text, values), boundMs())
      const [, result] = await Promise.all([begun, answer])
      return result
    }
    const end = async (text: 'commit' | 'rollback') => {
      state = 'over'
      return await ask({ text }, boundMs())
    }
    return { begun, send, end, isOver: () => state === 'over', refusal: () => refusal }
  }

  #statement(text: string, values: readonly unknown[]): Statement {
    const name = this.#prepare ? statementNames.get(text) : undefined
    return { ...(name !== undefined && { name }), text, values: [...values] }
  }

  #wrap(client: PoolClient): PostgresPoolClient {
    let boundMs = boundsMs.read
    const query = async (text: string, values: readonly unknown[]) => {
      if (text === 'begin') {
        boundMs = boundsMs.inTransaction
        // Several statements in one text have no values, and one result each, which kysely does not look at. They wait
        // for nobody, save for the pooler's own connections.
        return await this.#send(client, { text: usualBeginning }, this.#connectTimeoutMs)
      }
      if (text === 'commit' || text === 'rollback') boundMs = boundsMs.end
      return await this.#send(client, this.#statement(text, values), boundMs)
    }
    const release = (destroy?: boolean) => {
      boundMs = boundsMs.read
      client.release(destroy)
    }
    // kysely asks for overloads that include cursors, which we do not use.
    return { query, release } as unknown as PostgresPoolClient
  }
}

/**
 * Asks with a callback: the rows of an answer that pg itself promises outlive the collection of young garbage (pg 8.23,
 * V8 13.6), so that it took 5 to 15 milliseconds where it takes half of one.
 */
async function asked<Row extends QueryResultRow>(client: PoolClient, statement: Statement): Promise<QueryResult<Row>> {
  try {
    return await new Promise((resolve, reject) => {
      client.query<Row>(statement, (error: Error | null, result) => (error ? reject(error) : resolve(result)))
    })
  } catch (error) {
    // Where it was asked says more than where the answer came in.
    if (error instanceof Error) Error.captureStackTrace(error)
    throw error
  }
}

function rethrow(error: unknown): never {
  throw asUnavailable(error)
}

const oid = { int8: 20, json: 114, timestamptz: 1184 } as const
const defaultTimestamptz = types.getTypeParser(oid.timestamptz)

/**
 * How PostgreSQL's values become JavaScript's. `json` stays text: in the audit log the order of the names and their
 * spelling are evidence that `JSON.parse` would lose.
 */
function getTypeParser(type: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (format !== 'binary') {
    if (type === oid.int8) return safeInteger
    if (type === oid.json) return (value) => value
    if (type === oid.timestamptz) return timestamptz
  }
  return types.getTypeParser(type, format) as (value: string) => unknown
}

function safeInteger(value: string): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new Error(`bigint out of range: ${value}`)
  return number
}

/** Times from the year 100 on: JavaScript takes those before it for years of the last century. */
const utcMillis = /^(?!00)\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,3})?\+00$/

/** How far JavaScript's times go, in milliseconds: some years less than PostgreSQL's. */
const furthestMs = 8_640_000_000_000_000

/**
 * The usual spelling in a tenth of the time that the general parser takes; anything else goes to that one. What has no
 * time in JavaScript is the first or the last that there is.
 */
function timestamptz(value: string): unknown {
  if (utcMillis.test(value)) return utcTime(value)
  const time: unknown = defaultTimestamptz(value)
  if (time instanceof Date && !Number.isNaN(time.getTime())) return time
  return new Date(value.startsWith('-') || value.endsWith(' BC') ? -furthestMs : furthestMs)
}

/** A time that is spelled so, read digit by digit: parts of the text would be garbage for every time that is read. */
function utcTime(text: string): Date {
  let milliseconds = 0
  const end = text.length - '+00'.length
  for (let at = 20, unit = 100; at < end; at += 1, unit /= 10) milliseconds += unit * (text.charCodeAt(at) - 48)
  const year = 100 * twoDigits(text, 0) + twoDigits(text, 2)
  const [month, day] = [twoDigits(text, 5), twoDigits(text, 8)]
  const [hour, minute, second] = [twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17)]
  return new Date(Date.UTC(year, month - 1, day, hour, minute, second, milliseconds))
}

const twoDigits = (text: string, at: number) => 10 * (text.charCodeAt(at) - 48) + text.charCodeAt(at + 1) - 48
