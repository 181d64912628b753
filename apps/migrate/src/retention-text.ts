import type { RetentionOutcome } from '@breakpilot/tenant-migrations'

/** What became of the months, for a person: a line for each that is gone, and why the next one is not. */
export function retentionText({ dropped, busy, next }: RetentionOutcome, dryRun: boolean): string {
  if (busy) return 'another process is dropping months of the log'
  const lines = dropped.map(
    ({ month, events, streams }) =>
      `${dryRun ? 'would drop' : 'dropped'} ${month}: ${events} events of ${streams} streams`,
  )
  return [...lines, next === undefined ? 'no older month is left' : `${next.month} stays: ${next.reason}`].join('\n')
}
