import { TenantClientError } from '../error.ts'
import { ProblemError } from '../problem-error.ts'

/**
 * Whether a key is good cannot be said just now: the registry cannot be asked, and it said nothing of this key that still
 * counts. `cause` is why. It says nothing about the key.
 */
export class KeyVerificationUnavailableError extends TenantClientError {
  override readonly name = 'KeyVerificationUnavailableError'
  /** What to answer to whoever brought the key: 429 when the registry asks for fewer questions, 503 otherwise. */
  declare readonly status: 429 | 503
  /** How long the registry asked to be left alone. */
  readonly retryAfterSeconds: number | undefined

  constructor(cause: unknown) {
    const known = cause instanceof TenantClientError ? cause : undefined
    const { code, requestId, problem, attempts = 0 } = known ?? {}
    const why = cause instanceof Error ? cause.message : String(cause)
    const status = known?.status === 429 ? 429 : 503
    super(`the key could not be verified: ${why}`, { status, code, requestId, problem, attempts, cause })
    this.retryAfterSeconds = retryAfterOf(cause)
  }
}

/** How long the registry asked to be left alone, if it did. */
export function retryAfterOf(error: unknown): number | undefined {
  return error instanceof ProblemError ? error.retryAfterSeconds : undefined
}

/** Whether the registry could not be asked; otherwise it has refused to answer, and will again. */
export function isOutage(error: unknown): boolean {
  return !(error instanceof ProblemError) || error.status >= 500 || error.status === 429
}
