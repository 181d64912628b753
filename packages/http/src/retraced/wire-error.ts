import { RegistryError, withoutKeys } from '@breakpilot/tenant-core'
import { statusOfCode } from '../problem.ts'

/** One thing that is wrong with an event, as Retraced's wire says it. */
export interface EventViolation {
  readonly message: string
  /** Where, within the event: `actor.id`. */
  readonly field: string
  readonly violation: 'missing' | 'invalid'
  /** What was sent there, where that is a text or a number. */
  readonly received?: unknown
}

/** What is wrong with one of several events. */
export interface InvalidEvent {
  readonly message: string
  /** Its place among those that were sent. */
  readonly index: number
  readonly violations: readonly EventViolation[]
}

/** An error as Retraced's clients know it. */
export class WireError extends Error {
  override readonly name = 'WireError'
  readonly status: number
  readonly invalid: readonly InvalidEvent[] | undefined

  constructor(status: number, text: string, { invalid }: { readonly invalid?: readonly InvalidEvent[] } = {}) {
    super(text)
    this.status = status
    this.invalid = invalid
  }
}

/** The body of every error but that of an unknown path. */
export interface WireErrorBody {
  readonly status: number
  readonly type: 'Error'
  readonly error: string
  readonly invalid?: readonly InvalidEvent[]
}

/** What is answered for an error. What is none of ours is a fault of ours, and its text is for the log alone. */
export function wireErrorOf(error: unknown): WireErrorBody {
  if (error instanceof WireError) {
    const { status, message, invalid } = error
    return { status, type: 'Error', error: withoutKeys(message), ...(invalid && { invalid }) }
  }
  if (error instanceof RegistryError) {
    return { status: statusOfCode(error.code), type: 'Error', error: withoutKeys(textOf(error)) }
  }
  return { status: 500, type: 'Error', error: 'Something went wrong on our side' }
}

/** What an error of the registry's says, in one text. */
export function textOf({ title, detail, violations = [] }: RegistryError): string {
  const wrong = violations.map(({ pointer, message }) => `${pointer} ${message}`.trim())
  return [title, detail, ...wrong].filter((part) => part !== undefined).join('. ')
}

export const unauthorized = (text: string) => new WireError(401, text)
