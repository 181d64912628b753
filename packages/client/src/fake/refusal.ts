import type { CodeOf } from '../error.ts'
import type { ErrorCodes } from '../generated/error-codes.gen.ts'
import type { Problem } from '../generated/schemas.gen.ts'

/** One status for each kind of error, as the registry has it. */
const statusOf = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  timeout: 408,
  conflict: 409,
  gone: 410,
  stale: 412,
  too_large: 413,
  unsupported_media_type: 415,
  unprocessable: 422,
  rate_limited: 429,
  headers_too_large: 431,
  internal: 500,
  unavailable: 503,
} as const satisfies Record<keyof ErrorCodes, number>

/** What else a problem may say. */
export interface RefusalFacts extends Partial<
  Pick<Problem, 'detail' | 'current_version' | 'allowed' | 'products' | 'id' | 'errors'>
> {
  /** How long to leave the registry alone, as `Retry-After` has it. */
  readonly retryAfterSeconds?: number
}

/** That the fake says no, as the registry would. */
export class FakeRefusal extends Error {
  override readonly name = 'FakeRefusal'
  readonly status: number
  readonly code: string
  readonly facts: RefusalFacts

  /** @internal */
  constructor(status: number, code: string, facts: RefusalFacts) {
    super(code)
    this.status = status
    this.code = code
    this.facts = facts
  }
}

/**
 * Says no to a request, in an answer that you give: `refuse('conflict', 'tenant.slug_taken')`. The codes are those of
 * the registry, by their kind.
 * @throws {FakeRefusal} always; the caller of the client sees a `ProblemError`
 */
export function refuse<Kind extends keyof ErrorCodes>(kind: Kind, code: CodeOf<Kind>, facts: RefusalFacts = {}): never {
  throw new FakeRefusal(statusOf[kind], code, facts)
}
