import { errorTable } from '@breakpilot/tenant-core'

/** The source of the type that lists the published error codes by what kind of error they are. */
export function errorCodes(): string {
  const kinds = Map.groupBy(Object.entries(errorTable), ([, [kind]]) => kind)
  const members = [...kinds].map(([kind, entries]) => {
    return member(
      kind,
      entries.map(([code, [, title]]) => `    /** ${title}. */\n    '${code}': true`),
    )
  })
  return `/** The published error codes, by what kind of error they are. */
export interface ErrorCodes {
${members.join('\n')}
}
`
}

function member(kind: string, codes: readonly string[]): string {
  return `  ${kind}: {\n${codes.join('\n')}\n  }`
}
