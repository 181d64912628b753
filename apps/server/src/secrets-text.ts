import type { KidStatus } from '@breakpilot/tenant-core'

/** What is to be done about a key of the ring, in words. */
function advice({ current, state, api_keys, answers }: KidStatus): string {
  if (state === 'missing')
    return api_keys > 0 ? 'put it back, or rotate its API keys with API_KEY_MAC=observe' : 'not needed'
  if (state === 'different') return 'the file has another key by this name than the one that was used'
  if (current) return 'new things are made with it'
  if (api_keys > 0) return 'rotate its API keys before you remove it'
  return answers > 0 ? 'can be removed in 15 minutes' : 'can be removed'
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
