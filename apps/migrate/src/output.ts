import { exitCodes, MigrationError } from '@breakpilot/tenant-migrations'
import type { LogEntry } from '@breakpilot/tenant-migrations'

/** How the migrator speaks: lines for a person, or one JSON object per line for a machine. */
export interface Output {
  /** Something that happens on the way. */
  readonly log: (entry: LogEntry) => void
  /** What a command answers: `fields` for a machine, `text` for a person. */
  readonly result: (event: string, fields: object, text: string) => void
  /** Why it ended early. Answers the exit code. */
  readonly failure: (error: unknown) => number
}

/** `secrets` are taken out of everything that is written, wherever it came from. */
export function createOutput(json: boolean, secrets: () => readonly string[]): Output {
  const write = (stream: NodeJS.WriteStream, text: string): void => {
    stream.write(`${redacted(text, secrets())}\n`)
  }
  return {
    log: (entry) => {
      if (json) write(process.stdout, JSON.stringify({ time: new Date().toISOString(), ...entry }))
      else write(process.stderr, entry.level === 'warn' ? `warning: ${entry.message}` : entry.message)
    },
    result: (event, fields, text) => {
      if (json)
        write(process.stdout, JSON.stringify({ time: new Date().toISOString(), level: 'info', event, ...fields }))
      else write(process.stdout, text)
    },
    failure: (error) => {
      const { code, exitCode, message, findings } = explained(error)
      if (json) {
        const entry = {
          time: new Date().toISOString(),
          level: 'error',
          event: 'failed',
          code,
          exit_code: exitCode,
          message,
          findings,
        }
        write(process.stderr, JSON.stringify(entry))
      } else {
        write(process.stderr, `${code}: ${message}`)
      }
      return exitCode
    },
  }
}

function explained(error: unknown): Pick<MigrationError, 'code' | 'exitCode' | 'message' | 'findings'> {
  if (error instanceof MigrationError) return error
  const message = error instanceof Error ? error.message : 'it failed without saying why'
  return { code: 'failed', exitCode: exitCodes.failed, message, findings: [] }
}

/** A text without the secrets, and without anything that looks like the credentials of a URL. */
export function redacted(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret !== '')
    .reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
    .replaceAll(/(postgres(?:ql)?:\/\/)[^\s"'\\]*/g, '$1***')
}
