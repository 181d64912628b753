import { ndjson } from './answer.ts'
import { AbortError, TenantClientError, UnexpectedAnswerError } from './error.ts'
import type { ExportAuditEventsQuery } from './generated/operations.gen.ts'
import type { AuditEvent } from './generated/schemas.gen.ts'
import type { RequestOptions } from './options.ts'
import { delayMs, isSafeToRepeat, pause } from './retry.ts'
import { noAnswer, type Transport } from './transport.ts'

/** Which events to export, and in which order. */
export type ExportFilter = Omit<ExportAuditEventsQuery, 'format'>

/** An event as it is exported: with what an export goes on from after it. */
export type ExportedAuditEvent = AuditEvent & { readonly cursor: string }

const operation = 'exportAuditEvents'
const mediaTypes = { csv: 'text/csv', ndjson } as const

/** How many times in a row an export that was broken off may give nothing before it is given up. */
const retriesUnlessTold = 5

/** Events on their way out. */
export class EventExport implements AsyncIterable<ExportedAuditEvent> {
  readonly #filter: ExportFilter
  readonly #options: RequestOptions
  readonly #transport: Pick<Transport, 'open'>

  /** @internal */
  constructor(filter: ExportFilter, options: RequestOptions, transport: Pick<Transport, 'open'>) {
    this.#filter = filter
    this.#options = options
    this.#transport = transport
  }

  /**
   * The export as text, in pieces as they come, for a file. Nothing of it is repeated: what was broken off throws.
   * JavaScript would put the entries of maps into another order; here they are as they were sent.
   * @throws {ConnectionError} when it was broken off: what you have is not all
   */
  async *text(format: keyof typeof mediaTypes): AsyncGenerator<string, void, undefined> {
    yield* this.#open(format, this.#filter.cursor)
  }

  /**
   * Event by event, going on after the last one when it was broken off.
   * @throws {InvalidError} `page.cursor_invalid`, `audit_search.invalid`
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<ExportedAuditEvent, void, undefined> {
    const { retries = retriesUnlessTold, signal } = this.#options
    let { cursor } = this.#filter
    for (let failures = 0; ;) {
      try {
        for await (const line of linesOf(this.#open('ndjson', cursor))) {
          const event = eventOf(line)
          ;({ cursor } = event)
          failures = 0
          yield event
        }
        return
      } catch (error) {
        failures += 1
        if (!(error instanceof TenantClientError) || failures > retries || !isSafeToRepeat(true, error)) throw error
        await pause(operation, delayMs(failures, error) ?? 30_000, failures, signal)
      }
    }
  }

  async *#open(format: keyof typeof mediaTypes, cursor: string | undefined): AsyncGenerator<string, void, undefined> {
    const { signal } = this.#options
    const query = { ...this.#filter, format, ...(cursor !== undefined && { cursor }) }
    const body = await this.#transport.open(operation, { query }, mediaTypes[format], this.#options)
    const reader = body.getReader()
    const decoder = new TextDecoder()
    const stop = () => void reader.cancel().catch(() => undefined)
    signal?.addEventListener('abort', stop, { once: true })
    try {
      for (;;) {
        const { done, value } = await reader.read().catch((cause: unknown) => {
          throw noAnswer(operation, 1, cause)
        })
        if (signal?.aborted) throw new AbortError(`${operation}: aborted`, { attempts: 1, cause: signal.reason })
        if (done) break
        yield decoder.decode(value, { stream: true })
      }
    } finally {
      signal?.removeEventListener('abort', stop)
      // Whoever stops in the middle wants no more of it to be sent.
      stop()
    }
  }
}

async function* linesOf(texts: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  let rest = ''
  for await (const text of texts) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}

function eventOf(line: string): ExportedAuditEvent {
  try {
    return JSON.parse(line) as ExportedAuditEvent
  } catch (cause) {
    throw new UnexpectedAnswerError(`${operation}: a line is no JSON`, { attempts: 1, cause })
  }
}
