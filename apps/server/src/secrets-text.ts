import type { KidStatus } from '@breakpilot/tenant-core'

/** Whether something that is needed cannot be read with the ring, or would be made with the wrong key. */
export function isAmiss({ state, api_keys, answers }: KidStatus): boolean {
  return state === 'different' || (state === 'missing' && api_keys + answers > 0)
}

/** What is to be done about a key of the ring, in words. */
function advice({ current, state, api_keys, answers }: KidStatus): string {
  if (state === 'missing') {
    if (api_keys > 0) return 'put it back, or rotate its API keys with API_KEY_MAC=observe'
    return answers > 0 ? 'put it back for a day: requests that are repeated are carried out anew' : 'not needed'
  }
  if (state === 'different') return 'the file has another key by this name than the one that was used'
  if (current) return 'new things are made with it'
  if (api_keys > 0) return 'rotate its API keys before you remove it'
  if (answers > 0) return 'was current a moment ago: leave it for a day'
  if (state === 'unused') return 'can be removed, or made current when every replica has it'
  // Kept answers are found by it too, and which ones is not to be seen.
  return 'can be removed a day after it was last current'
}

/** A table, a line for each key. */
export function statusText(statuses: readonly KidStatus[]): string {
  const rows = statuses.map((each) => [
    each.kid,
    each.current ? 'current' : '',
    each.state,
    String(each.api_keys),
    String(each.answers),
    advice(each),
  ])
  const all = [['kid', '', 'state', 'api keys', 'answers', 'advice'], ...rows]
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? []
  return all
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
