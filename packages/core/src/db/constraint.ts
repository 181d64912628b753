import { DatabaseError } from 'pg'
import { type ErrorCode, RegistryError } from '../errors.ts'

/** Integrity constraint violation, the whole class: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const integrityViolation = '23'

/**
 * Turns the violation of a named constraint into the error it means; everything else goes on as it is.
 * @example
 *   await insert.execute().catch(onConstraint({ tenants_slug_key: 'tenant.slug_taken' }))
 */
export function onConstraint(meaning: Readonly<Record<string, ErrorCode>>): (error: unknown) => never {
  return (error) => {
    if (error instanceof DatabaseError && error.code?.startsWith(integrityViolation)) {
      const code = meaning[error.constraint ?? '']
      if (code) throw new RegistryError(code, { cause: error })
    }
    throw error
  }
}
