/** What is asked of scopes: all of a list, or `all` of one and `any` of another. */
export type ScopeQuery =
  | readonly string[]
  | { readonly all?: readonly string[] | undefined; readonly any?: readonly string[] | undefined }

/**
 * Whether scopes that were granted give what is asked for, as the registry has it: `reports:*` gives everything that
 * begins with `reports:`, an empty list asks for nothing, and none of an empty `any` is no one at all.
 */
export function hasScopes(granted: readonly string[], query: ScopeQuery): boolean {
  const { all = [], any } = isList(query) ? { all: query } : query
  const isGranted = (wanted: string) => granted.some((each) => covers(each, wanted))
  return all.every(isGranted) && (any === undefined || any.some(isGranted))
}

function covers(granted: string, wanted: string): boolean {
  return granted === wanted || (granted.endsWith(':*') && wanted.startsWith(granted.slice(0, -1)))
}

/** All scopes that a query names. */
export function scopesIn(query: ScopeQuery): readonly string[] {
  return isList(query) ? query : [...(query.all ?? []), ...(query.any ?? [])]
}

const isList = (query: ScopeQuery): query is readonly string[] => Array.isArray(query)
