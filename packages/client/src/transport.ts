import { readAnswer } from './answer.ts'
import { type Answered, Call } from './call.ts'
import { AbortError, ConnectionError, TenantClientError } from './error.ts'
import { operations, type Ops } from './generated/operations.gen.ts'
import { within } from './limits.ts'
import { type ChangeOptions, limitsOf, type Settings } from './options.ts'
import { delayMs, isSafeToRepeat, pause } from './retry.ts'
import { pathOf, type QueryValue } from './url.ts'

/** The parts of a request that an operation's arguments make. */
interface Args {
  readonly path?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, QueryValue>>
  readonly body?: unknown
}

/** Sends requests: the only part of the client that knows how. */
export class Transport {
  readonly #settings: Settings

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** Begins an operation. */
  call<Id extends keyof Ops>(id: Id, args: Ops[Id]['args'], options: ChangeOptions = {}): Call<Ops[Id]['result']> {
    return new Call(this.#send(id, args, options) as Promise<Answered<Ops[Id]['result']>>)
  }

  async #send(id: keyof Ops, { path, query, body }: Args, options: ChangeOptions): Promise<Answered<unknown>> {
    const startedAt = performance.now()
    const { timeoutMs, deadlineMs, retries } = limitsOf(options, this.#settings)
    const { signal } = options
    const operation: { readonly method: string; readonly path: string; readonly public?: true } = operations[id]
    const { method } = operation
    const url = this.#settings.urlPrefix + pathOf(id, operation.path, path, query)
    const headers = new Headers(options.headers)
    headers.set('accept', 'application/json')
    if (body !== undefined) headers.set('content-type', 'application/json')
    if (method === 'POST') headers.set('idempotency-key', options.idempotencyKey ?? randomKey())
    // A redirect is not followed: a token is for the registry and for nobody else.
    const init: RequestInit = {
      method,
      headers,
      redirect: 'manual',
      body: body === undefined ? null : JSON.stringify(body),
    }

    for (let attempts = 1; ; attempts += 1) {
      if (signal?.aborted) throw new AbortError(`${id}: aborted`, { attempts: attempts - 1, cause: signal.reason })
      const leftMs = deadlineMs - (performance.now() - startedAt)
      try {
        const limits = { operation: id, attempts, timeoutMs: Math.min(timeoutMs, Math.max(1, leftMs)), signal }
        return await within(limits, (signal) => this.#attempt(id, url, { ...init, signal }, attempts, operation.public))
      } catch (error) {
        if (!(error instanceof TenantClientError) || attempts > retries || !isSafeToRepeat(method, error)) throw error
        const waitMs = delayMs(attempts, error)
        // What is known now says more than that the time was over later.
        if (waitMs === undefined || performance.now() - startedAt + waitMs >= deadlineMs) throw error
        await pause(id, waitMs, attempts, signal)
      }
    }
  }

  async #attempt(
    id: keyof Ops,
    url: string,
    init: RequestInit & { readonly signal: AbortSignal },
    attempts: number,
    isPublic: boolean | undefined,
  ): Promise<Answered<unknown>> {
    const { authorization, fetch } = this.#settings
    const headers = new Headers(init.headers)
    const credentials = isPublic ? undefined : await authorization(init.signal)
    if (credentials !== undefined) headers.set('authorization', credentials)
    let response: Response
    let text: string
    try {
      response = await fetch(url, { ...init, headers })
      text = await response.text()
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new ConnectionError(`${id}: no answer: ${why}`, { attempts, cause })
    }
    return readAnswer(id, response, text, attempts)
  }
}

/** `crypto.randomUUID` is missing from pages that did not come over https. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
