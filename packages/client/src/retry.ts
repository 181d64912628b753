import { AbortError, ConnectionError, type TenantClientError, TimeoutError } from './error.ts'
import { ProblemError } from './problem-error.ts'

const baseMs = 250
const backoffMsMax = 5_000
const retryAfterSecondsMax = 30

/** With these the registry has refused a request before it began to work on it, or undone all that it did. */
const beforeProcessing = new Set<unknown>(['auth.provider_unavailable', 'database.busy', 'service.not_ready'])

/**
 * Whether sending a request again cannot do harm. What only reads can be read again; anything else only when it is
 * certain that nothing has happened yet.
 */
export function isSafeToRepeat(method: string, error: TenantClientError): boolean {
  const reads = method === 'GET' || method === 'HEAD'
  if (error instanceof ConnectionError) return reads || error.unsent
  if (error instanceof TimeoutError) return reads
  if (!(error instanceof ProblemError)) return false
  if (error.status === 429) return true
  // A lost database connection may have been lost on the way back from a commit.
  if (!reads) return error.status === 503 && beforeProcessing.has(error.code)
  return error.status >= 502 && error.status <= 504
}

/**
 * How long to wait before the next attempt: full jitter, after what the registry asked for. Undefined when it asked
 * for more than anybody would want to wait.
 */
export function delayMs(attempts: number, error: TenantClientError): number | undefined {
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
