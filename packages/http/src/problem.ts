import { type ErrorCode, type ErrorKind, errorTable, RegistryError } from '@breakpilot/tenant-core'
import { z } from 'zod'

/** One status for each kind of error. */
const statusOf = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  gone: 410,
  stale: 412,
  too_large: 413,
  headers_too_large: 431,
  timeout: 408,
  unsupported_media_type: 415,
  unprocessable: 422,
  rate_limited: 429,
  unavailable: 503,
  internal: 500,
} as const satisfies Record<ErrorKind, number>

const Violation = z
  .object({
    pointer: z.string().meta({ description: 'Where: a JSON pointer into the body, or `/query/…`, `/path/…`.' }),
    code: z.string().meta({ description: 'What is wrong, in one word.' }),
    message: z.string().meta({ description: 'What is wrong, for people.' }),
  })
  .meta({ id: 'Violation', description: 'One thing that is wrong with a request.' })

/** The body of every error: RFC 9457. */
export const Problem = z
  .object({
    type: z.string().meta({ description: 'A URI for the kind of problem: its code as a URN.', format: 'uri' }),
    title: z.string().meta({ description: 'The kind of problem, for people. The same for every such problem.' }),
    status: z.int().meta({ description: 'The HTTP status.' }),
    detail: z.string().optional().meta({ description: 'What is the matter this time, for people.' }),
    instance: z.string().meta({ description: 'The path that was asked for.' }),
    code: z.string().meta({ description: 'The kind of problem, for programs. It never changes its meaning.' }),
    request_id: z.string().meta({ description: 'The id under which the log has this request.' }),
    current_version: z.int().optional().meta({ description: 'The version that the thing has now.' }),
    allowed: z.array(z.string()).optional().meta({ description: 'The states that the tenant can go to.' }),
    products: z.array(z.string()).optional().meta({ description: 'The products that the tenant has.' }),
    id: z.string().optional().meta({ description: 'The id of what an earlier request with this key made.' }),
    errors: z.array(Violation).optional().meta({ description: 'Everything that is wrong with the request.' }),
  })
  .meta({
    id: 'Problem',
    description: 'An error, as RFC 9457 has it.',
    examples: [
      {
        type: 'urn:tenant-registry:problem:request.invalid',
        title: 'The request is not valid',
        status: 400,
        instance: '/v1/tenants',
        code: 'request.invalid',
        request_id: '0b9f6a0c-6d3c-4c0e-9d0f-5b8c7a1e2f34',
        errors: [
          { pointer: '/slug', code: 'invalid_type', message: 'Invalid input: expected string, received number' },
        ],
      },
    ],
  })
export type Problem = z.output<typeof Problem>

/** Where a problem happened. */
export interface Occurrence {
  readonly request_id: string
  readonly instance: string
}

/** The URI of a kind of problem. */
export const problemType = (code: string) => `urn:tenant-registry:problem:${code}`

/**
 * The problem that a caller sees. What is not a `RegistryError` is a fault of ours: the caller learns the request id,
 * under which our log has the rest, and nothing else.
 */
export function toProblem(error: unknown, { request_id, instance }: Occurrence): Problem {
  const known = error instanceof RegistryError ? error : new RegistryError('service.internal_error')
  return {
    type: problemType(known.code),
    title: known.title,
    status: statusOf[known.kind],
    ...(known.detail !== undefined && { detail: known.detail }),
    instance,
    code: known.code,
    request_id,
    ...facts(known),
    ...(known.violations && { errors: [...known.violations] }),
  }
}

/** The members of a problem that only some have. */
function facts({ facts }: RegistryError): Partial<Problem> {
  if (!facts) return {}
  const { allowed, products, ...rest } = facts
  return { ...rest, ...(allowed && { allowed: [...allowed] }), ...(products && { products: [...products] }) }
}

/** The status that an error code answers with. */
export function statusOfCode(code: ErrorCode): number {
  return statusOf[errorTable[code][0]]
}
