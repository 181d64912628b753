const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** `500ms`, `60s`, `5m`, `1h` or `0`, in milliseconds; undefined for anything else, also for more than a day. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  const [, amount, unit] = /^(\d{1,8})(ms|s|m|h)$/.exec(text) ?? []
  if (amount === undefined || unit === undefined) return undefined
  const durationMs = Number(amount) * unitMs[unit as keyof typeof unitMs]
  return durationMs <= 24 * unitMs.h ? durationMs : undefined
}
