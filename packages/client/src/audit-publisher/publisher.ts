import type { PublishedEvent, RecordedAuditEvent } from '../generated/schemas.gen.ts'
import { ProblemError } from '../problem-error.ts'
import { restMs } from '../rest.ts'
import { randomKey } from '../transport.ts'
import type { Settings } from './options.ts'
import { UnsentEventsError } from './unsent-events-error.ts'

/** An event that waits to be recorded. */
interface Waiting {
  readonly event: PublishedEvent
  /** The length of its JSON. */
  readonly length: number
  readonly settle: (recorded: RecordedAuditEvent) => void
  readonly refuse: (error: unknown) => void
}

/** No request is longer, in UTF-16 code units: the registry takes ten megabytes, and a unit may take three bytes. */
const lengthMax = 3_000_000

/**
 * Delivers events in batches, one after the other, so that they are recorded in the order in which they were published.
 * A batch is sent with the same Idempotency-Key until it is answered: what was recorded before a connection broke, or
 * before the registry was started anew, is not recorded again.
 */
export class AuditPublisher {
  readonly #settings: Settings
  readonly #queue: Waiting[] = []
  /** Those who wait for room. */
  readonly #forRoom: (() => void)[] = []
  readonly #stop = new AbortController()
  /** Ends the wait for more events. */
  #hurry: (() => void) | undefined
  #work: Promise<void> | undefined
  #isClosed = false

  /** @internal */
  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** How many events wait to be recorded. */
  get waiting(): number {
    return this.#queue.length
  }

  /**
   * Takes an event, and delivers it later. Await it: while too many wait, it waits for room. The event is as it was when
   * this was called.
   * @throws {Error} when the publisher is closed
   */
  async publish(event: PublishedEvent): Promise<void> {
    const { onRefused } = this.#settings
    await this.#take(event, { settle: () => {}, refuse: (error) => onRefused(event, error) })
  }

  /**
   * Takes an event and waits until it is recorded: for what may not be answered before.
   * @throws {ProblemError} when the registry will never take it
   * @throws {UnsentEventsError} when the publisher was closed before it could be delivered
   */
  async record(event: PublishedEvent): Promise<RecordedAuditEvent> {
    const { promise, resolve, reject } = withResolvers<RecordedAuditEvent>()
    await this.#take(event, { settle: resolve, refuse: reject })
    return await promise
  }

  /** Waits until no event waits any more. */
  async flush(): Promise<void> {
    while (this.#work) {
      this.#hurry?.()
      await this.#work
    }
  }

  /**
   * Delivers what waits, and takes nothing any more.
   * @param timeoutMs how long to try. 30 seconds unless told
   * @throws {UnsentEventsError} with the events that could not be delivered in time
   */
  async close({ timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#isClosed = true
    const timer = setTimeout(() => this.#stop.abort(new Error(`not within ${timeoutMs} ms`)), timeoutMs)
    await this.flush()
    clearTimeout(timer)
    // Who waits for room hears that there will be none.
    for (const enter of this.#forRoom.splice(0)) enter()
    if (this.#queue.length === 0) return
    const left = this.#queue.splice(0)
    const error = new UnsentEventsError(
      left.map(({ event }) => event),
      this.#stop.signal.reason,
    )
    for (const { refuse } of left) refuse(error)
    throw error
  }

  async #take(event: PublishedEvent, answer: Pick<Waiting, 'settle' | 'refuse'>): Promise<void> {
    this.#assertOpen()
    const text = JSON.stringify(event)
    while (this.#queue.length >= this.#settings.waitingMax) {
      await new Promise<void>((resolve) => this.#forRoom.push(resolve))
      this.#assertOpen()
    }
    this.#queue.push({ ...answer, event: JSON.parse(text) as PublishedEvent, length: text.length })
    if (this.#queue.length >= this.#settings.batchMax) this.#hurry?.()
    this.#work ??= this.#deliver()
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new Error('the publisher is closed')
  }

  async #deliver(): Promise<void> {
    while (this.#queue.length > 0 && !this.#stop.signal.aborted) {
      await this.#forMore()
      const batch = this.#first()
      if (!(await this.#send(batch))) break
    }
    this.#work = undefined
  }

  /** Waits a little for others, unless there are enough. */
  async #forMore(): Promise<void> {
    const { batchDelayMs, batchMax } = this.#settings
    if (this.#isClosed || this.#queue.length >= batchMax) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, batchDelayMs)
      this.#hurry = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#hurry = undefined
  }

  /** The events that go together. They stay in the queue until they are answered. */
  #first(): Waiting[] {
    const batch: Waiting[] = []
    let length = 0
    for (const each of this.#queue) {
      length += each.length
      if (batch.length === this.#settings.batchMax || (batch.length > 0 && length > lengthMax)) break
      batch.push(each)
    }
    return batch
  }

  /** Sends events, again and again, until they are answered. Answers false when it is time to stop. */
  async #send(batch: readonly Waiting[]): Promise<boolean> {
    const { client, uniqueBy, timeoutMs, onDelay } = this.#settings
    const { signal } = this.#stop
    const publication = { events: batch.map(({ event }) => event), ...(uniqueBy && { unique_by: uniqueBy }) }
    const options = { idempotencyKey: randomKey(), retries: 0, timeoutMs, deadlineMs: timeoutMs, signal }
    for (let failures = 0; ; failures += 1) {
      try {
        const { data } = await client.audit.publishEvents(publication, options)
        this.#leave(batch)
        for (const [at, { settle }] of batch.entries()) settle(data[at] as RecordedAuditEvent)
        return true
      } catch (error) {
        if (signal.aborted) return false
        if (isRefusal(error)) return await this.#sendParts(batch, error)
        onDelay(error)
        const askedMs = error instanceof ProblemError ? (error.retryAfterSeconds ?? 0) * 1_000 : 0
        await pause(Math.max(askedMs, restMs(failures)), signal)
        if (signal.aborted) return false
      }
    }
  }

  /** What is wrong with one event is not wrong with the others: those go without it. */
  async #sendParts(batch: readonly Waiting[], error: ProblemError): Promise<boolean> {
    const named = new Set((error.problem?.errors ?? []).flatMap(({ pointer }) => indexIn(pointer)))
    const refused = batch.length === 1 ? batch : batch.filter((_, at) => named.has(at))
    this.#leave(refused)
    for (const { refuse } of refused) refuse(error)
    const left = batch.filter((each) => !refused.includes(each))
    if (left.length === 0) return true
    if (refused.length > 0) return await this.#send(left)
    const half = Math.ceil(left.length / 2)
    return (await this.#send(left.slice(0, half))) && (await this.#send(left.slice(half)))
  }

  /** Events of the front of the queue are answered. */
  #leave(batch: readonly Waiting[]): void {
    const leaving = new Set(batch)
    const front = this.#queue.splice(0, this.#settings.batchMax)
    this.#queue.unshift(...front.filter((each) => !leaving.has(each)))
    for (const enter of this.#forRoom.splice(0, batch.length)) enter()
  }
}

/** The statuses of what will be refused for ever. With any other one it is the registry, the way, or the credentials. */
const forEver: ReadonlySet<number> = new Set([400, 409, 413, 422])

const isRefusal = (error: unknown): error is ProblemError => error instanceof ProblemError && forEver.has(error.status)

function indexIn(pointer: string): number[] {
  const [, index] = /^\/events\/(\d+)(?:\/|$)/.exec(pointer) ?? []
  return index === undefined ? [] : [Number(index)]
}

/** Waits, and keeps the process alive meanwhile: there is something to deliver. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}

/** `Promise.withResolvers` is missing from Node.js 20. */
function withResolvers<Result>() {
  let settle: { resolve: (result: Result) => void; reject: (error: unknown) => void } | undefined
  const promise = new Promise<Result>((resolve, reject) => (settle = { resolve, reject }))
  return { promise, ...(settle as unknown as NonNullable<typeof settle>) }
}
