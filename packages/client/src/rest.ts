export const restMsMax = 30_000

/** How long to rest after so many failures. Not everybody at the same moment. */
export function restMs(failures: number): number {
  return Math.min(restMsMax, 500 * 2 ** failures) * (0.5 + Math.random() / 2)
}

/** Rests until the time is over or the signal says to stop, without keeping a process alive. */
export function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    letGo(timer)
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
  })
}

/** Where a timer keeps the process alive, this one does not. */
export function letGo(timer: unknown): void {
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function')
    timer.unref()
}
