import { AbortError, ConnectionError, type TenantClientError, TimeoutError } from './error.ts'
import type { Operation } from './generated/operations.gen.ts'
import { ProblemError } from './problem-error.ts'

const baseMs = 250
const backoffMsMax = 5_000
const retryAfterSecondsMax = 30

/** With these the registry has refused a request before it began to work on it, or undone all that it did. */
const beforeProcessing = new Set<unknown>([
  'auth.provider_unavailable',
  'changes.too_many_waiters',
  'database.busy',
  'service.not_ready',
])

/**
 * Whether a request may be carried out twice without harm: it only reads; the registry carries it out once for its key;
 * it names the version that it is for. Without that, a second PUT, PATCH or DELETE would undo what somebody else has
 * done after the first: it would lift the hold that was placed again, or take away the product that was given anew.
 */
export function isRepeatable({ method, reads, idempotent }: Operation, isConditional: boolean): boolean {
  return method === 'GET' || (reads ?? idempotent ?? isConditional)
}

/**
 * Whether sending a request again cannot do harm: it is repeatable, or it is certain that nothing has happened yet.
 */
export function isSafeToRepeat(repeatable: boolean, error: TenantClientError): boolean {
  if (error instanceof ConnectionError) return repeatable || error.unsent
  if (error instanceof TimeoutError) return repeatable
  if (!(error instanceof ProblemError)) return false
  const { status, code } = error
  // The same request is being carried out, and its answer will be that of this one too.
  if (status === 429 || code === 'idempotency.in_flight') return true
  // A lost database connection may have been lost on the way back from a commit.
  if (!repeatable) return status === 503 && beforeProcessing.has(code)
  return status >= 502 && status <= 504
}

/**
 * How long to wait before the next attempt: full jitter, after what the registry asked for. Undefined when it asked
 * for more than anybody would want to wait.
 */
export function delayMs(attempts: number, error: unknown): number | undefined {
  const asked = error instanceof ProblemError ? (error.retryAfterSeconds ?? 0) : 0
  if (asked > retryAfterSecondsMax) return undefined
  return asked * 1000 + Math.random() * Math.min(backoffMsMax, baseMs * 2 ** (attempts - 1))
}

/** Reads a `Retry-After` header: seconds, or a date. */
export function retryAfterSeconds(header: string | null): number | undefined {
  if (header === null) return undefined
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds)
}

/**
 * Waits.
 * @throws {AbortError} when the signal says to stop
 */
export function pause(operation: string, ms: number, attempts: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(new AbortError(`${operation}: aborted`, { attempts, cause: signal?.reason }))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}
