import { DatabaseError } from 'pg'
import { RegistryError } from '../errors.ts'

/** What the operating system says when a host or a socket is not there. */
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ETIMEDOUT',
  'ENOENT',
])

/**
 * SQLSTATEs that say "not now": connection exceptions (08), no more connections (53300), disk or memory full (53),
 * operator intervention such as shutdown and start-up (57P0x), a read-only primary in the middle of a fail-over (25006).
 */
const notNow = /^(?:08|53|57P0|25006)/

/** A lock or a statement that took too long, and two transactions that could not both go on. */
const busy: ReadonlySet<string> = new Set(['55P03', '57014', '40P01', '40001'])

/** pg and pg-pool have no codes for these, only these words. */
const lostConnection =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout|Connection ended|timeout expired)/

/** What is said to who waited for others for too long. */
export const asBusy = (cause?: unknown): RegistryError =>
  new RegistryError('database.busy', {
    detail: 'Others were in the way for too long. Nothing was changed; try again shortly.',
    retryAfterSeconds: 1,
    cause,
  })

/**
 * Turns "the database cannot be reached" in all its spellings into `database.unavailable`, and "not before somebody
 * else is done" into `database.busy`; everything else is returned as it is.
 */
export function asUnavailable(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof RegistryError) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (error instanceof DatabaseError && busy.has(code)) {
    return asBusy(error)
  }
  const unavailable =
    error instanceof DatabaseError
      ? notNow.test(code)
      : networkCodes.has(code) ||
        lostConnection.test(error.message) ||
        // Happy eyeballs: one refusal for each address of the host.
        (error instanceof AggregateError && error.errors.every((each) => asUnavailable(each) !== each))
  return unavailable
    ? new RegistryError('database.unavailable', {
        detail: 'The database did not answer. Nothing that was acknowledged is lost; try again shortly.',
        retryAfterSeconds: 1,
        cause: error,
      })
    : error
}
