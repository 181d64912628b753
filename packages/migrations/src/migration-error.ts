/** Why a command of the migrator ended, and the exit code that tells an orchestrator. Published: a number never changes its meaning. */
export const exitCodes = {
  failed: 1,
  usage: 2,
  unreachable: 3,
  lock_timeout: 4,
  dirty: 5,
  drift: 6,
  out_of_order: 7,
  app_too_old: 8,
  refused_in_prod: 9,
} as const

export type MigrationErrorCode = keyof typeof exitCodes

/** What every refusal and failure of this package is. Its message never holds a connection string or a password. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
  readonly code: MigrationErrorCode
  readonly exitCode: number
  /** What was found, one entry each, when there is more than one thing to say. */
  readonly findings: readonly string[]

  constructor(code: MigrationErrorCode, message: string, findings: readonly string[] = []) {
    super(findings.length === 0 ? message : `${message}\n${findings.map((finding) => `  - ${finding}`).join('\n')}`)
    this.code = code
    this.exitCode = exitCodes[code]
    this.findings = findings
  }
}
