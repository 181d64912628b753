import { AbortError, TimeoutError } from './error.ts'

/** What ends an attempt early. */
export interface Limits {
  readonly operation: string
  readonly attempts: number
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/**
 * Does something, unless its time is over or the caller says to stop. It ends then even if the work does not listen
 * to the signal that it gets.
 * @throws {TimeoutError} when the time is over
 * @throws {AbortError} when the caller's signal says to stop
 */
export async function within<Result>(
  { operation, attempts, timeoutMs, signal }: Limits,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  let onAbort = () => {}
  const stopped = new Promise<never>((_, reject) => {
    const stop = (error: TimeoutError | AbortError) => {
      // In this order: what the work throws because it was stopped comes too late to be the reason.
      reject(error)
      controller.abort(error)
    }
    onAbort = () => stop(new AbortError(`${operation}: aborted`, { attempts, cause: signal?.reason }))
    timer = setTimeout(
      () => stop(new TimeoutError(`${operation}: no answer within ${Math.round(timeoutMs)} ms`, { attempts })),
      timeoutMs,
    )
    signal?.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([stopped, work(controller.signal)])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}
