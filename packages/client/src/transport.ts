import { type Asked, ndjson, readAnswer } from './answer.ts'
import { type Answered, Call, type Found } from './call.ts'
import { AbortError, ConnectionError, TenantClientError, UnexpectedAnswerError } from './error.ts'
import { type Operation, operations, type Ops } from './generated/operations.gen.ts'
import { within } from './limits.ts'
import {
  type ChangeOptions,
  limitsOf,
  type ReadOptions,
  type RequestOptions,
  type Settings,
  type VersionOptions,
} from './options.ts'
import { delayMs, isRepeatable, isSafeToRepeat, pause } from './retry.ts'
import { pathOf, type QueryValue } from './url.ts'

/** The parts of a request that an operation's arguments make. */
interface Args {
  readonly path?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, QueryValue>>
  readonly body?: unknown
}

/** All that a caller may say about a request. */
type Options = ChangeOptions & ReadOptions & VersionOptions

/** Sends requests: the only part of the client that knows how. */
export class Transport {
  readonly #settings: Settings

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** Begins an operation. Where it can give one thing or another, `Result` says which of them these arguments ask for. */
  call<Id extends keyof Ops, Result extends Ops[Id]['result'] | void = Ops[Id]['result']>(
    id: Id,
    args: Ops[Id]['args'],
    options: Options = {},
  ): Call<Result> {
    return new Call(this.#send(id, args, options) as Promise<Answered<Result>>)
  }

  /** Begins an operation that reads what the caller may have already. */
  read<Id extends keyof Ops, O extends ReadOptions>(
    id: Id,
    args: Ops[Id]['args'],
    options: O | undefined,
  ): Call<Found<Ops[Id]['result'], O>> {
    return new Call(this.#send(id, args, options ?? {}) as Promise<Answered<Found<Ops[Id]['result'], O>>>)
  }

  /**
   * Begins an operation whose answer is read while it comes, once. What is wrong with the request is thrown before
   * anything is read; the time limit is for that alone.
   */
  async open(
    id: keyof Ops,
    { query }: Pick<Args, 'query'>,
    mediaType: string,
    options: RequestOptions = {},
  ): Promise<ReadableStream<Uint8Array>> {
    const operation: Operation = operations[id]
    const { timeoutMs } = limitsOf(options, this.#settings)
    const headers = new Headers(options.headers)
    headers.set('accept', mediaType)
    const url = this.#settings.urlPrefix + pathOf(id, operation.path, undefined, query)
    const limits = { operation: id, attempts: 1, timeoutMs, signal: options.signal }
    const response = await within(limits, async (signal) => {
      const init = { method: operation.method, headers, redirect: 'manual', signal } as const
      const response = await this.#fetch(id, 1, url, init, operation.public)
      if (response.ok) return response
      const asked = { operation: id, attempts: 1, lines: false, conditional: false }
      readAnswer(asked, response, await response.text())
      return response
    })
    if (response.body && response.headers.get('content-type')?.startsWith(mediaType)) return response.body
    await response.body?.cancel()
    throw new UnexpectedAnswerError(`${id}: the answer is not what the registry answers; is baseUrl the registry's?`, {
      status: response.status,
      attempts: 1,
    })
  }

  async #send(id: keyof Ops, { path, query, body }: Args, options: Options): Promise<Answered<unknown>> {
    const startedAt = performance.now()
    const { timeoutMs, deadlineMs, retries } = limitsOf(options, this.#settings)
    const { signal } = options
    const operation: Operation = operations[id]
    const url = this.#settings.urlPrefix + pathOf(id, operation.path, path, query)
    const repeatable = isRepeatable(operation, (options.ifMatch ?? options.ifNoneMatch) !== undefined)
    // A redirect is not followed: a token is for the registry and for nobody else.
    const init: RequestInit = {
      method: operation.method,
      headers: headersOf(operation, body, options),
      redirect: 'manual',
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    }

    for (let attempts = 1; ; attempts += 1) {
      if (signal?.aborted) throw new AbortError(`${id}: aborted`, { attempts: attempts - 1, cause: signal.reason })
      const leftMs = deadlineMs - (performance.now() - startedAt)
      const limits = { operation: id, attempts, timeoutMs: Math.min(timeoutMs, Math.max(1, leftMs)), signal }
      const asked = {
        operation: id,
        attempts,
        lines: operation.lines ?? false,
        conditional: operation.method === 'GET' && options.ifNoneMatch !== undefined,
      }
      try {
        return await within(limits, (signal) => this.#attempt(asked, url, { ...init, signal }, operation.public))
      } catch (error) {
        if (!(error instanceof TenantClientError) || attempts > retries || !isSafeToRepeat(repeatable, error))
          throw error
        const waitMs = delayMs(attempts, error)
        // What is known now says more than that the time was over later.
        if (waitMs === undefined || performance.now() - startedAt + waitMs >= deadlineMs) throw error
        await pause(id, waitMs, attempts, signal)
      }
    }
  }

  async #attempt(
    asked: Asked,
    url: string,
    init: RequestInit & { readonly signal: AbortSignal },
    isPublic: boolean | undefined,
  ): Promise<Answered<unknown>> {
    const { operation, attempts } = asked
    const response = await this.#fetch(operation, attempts, url, init, isPublic)
    let text: string
    try {
      text = await response.text()
    } catch (cause) {
      throw noAnswer(operation, attempts, cause)
    }
    return readAnswer(asked, response, text)
  }

  async #fetch(
    operation: string,
    attempts: number,
    url: string,
    init: RequestInit & { readonly signal: AbortSignal },
    isPublic: boolean | undefined,
  ): Promise<Response> {
    const { authorization, fetch } = this.#settings
    const headers = new Headers(init.headers)
    const credentials = isPublic ? undefined : await authorization(init.signal)
    if (credentials !== undefined) headers.set('authorization', credentials)
    try {
      return await fetch(url, { ...init, headers })
    } catch (cause) {
      throw noAnswer(operation, attempts, cause)
    }
  }
}

/** What becomes of a connection that could not be made, or was lost. */
export function noAnswer(operation: string, attempts: number, cause: unknown): ConnectionError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ConnectionError(`${operation}: no answer: ${why}`, { attempts, cause })
}

function headersOf({ idempotent, lines }: Operation, body: unknown, options: Options): Headers {
  const { idempotencyKey, ifMatch, ifNoneMatch } = options
  const headers = new Headers(options.headers)
  headers.set('accept', lines ? ndjson : 'application/json')
  if (body !== undefined) headers.set('content-type', lines ? ndjson : 'application/json')
  // Made here, once for all attempts.
  if (idempotent) headers.set('idempotency-key', idempotencyKey ?? headers.get('idempotency-key') ?? randomKey())
  if (ifMatch !== undefined) headers.set('if-match', typeof ifMatch === 'number' ? `"${ifMatch}"` : ifMatch)
  if (ifNoneMatch !== undefined) headers.set('if-none-match', ifNoneMatch)
  return headers
}

/** `crypto.randomUUID` is missing from pages that did not come over https. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
