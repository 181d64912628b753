import type { MigrationStatus } from '@breakpilot/tenant-migrations'

/** A status for a person: a line per migration, and one that sums up. */
export function statusText({ history, version, latest, dirty, migrations }: MigrationStatus): string {
  const width = Math.max(0, ...migrations.map(({ name }) => name.length))
  const lines = migrations.map(({ name, state, applied_at }) =>
    `${name.padEnd(width)}  ${state.padEnd(7)}  ${applied_at?.toISOString() ?? ''}`.trimEnd(),
  )
  const whose = history === 'golang' ? ', made by golang-migrate and not yet adopted' : ''
  return [...lines, `version ${version} of ${latest}${dirty ? ', dirty' : ''}${whose}`].join('\n')
}
