import type { Ops } from '../generated/operations.gen.ts'

/** A request to the fake, taken apart. */
export interface FakeRequest<Id extends keyof Ops = keyof Ops> {
  readonly operation: Id
  /** What the operation was given. */
  readonly args: Ops[Id]['args']
  readonly headers: Headers
  /** The version that `If-Match` names. */
  readonly ifMatch: number | undefined
  readonly signal: AbortSignal | undefined
}

/** What answers an operation: it takes and gives what the registry does. */
export type FakeHandler<Id extends keyof Ops> = (
  request: FakeRequest<Id>,
) => Ops[Id]['result'] | Promise<Ops[Id]['result']>

/** What answers operations. */
export type FakeHandlers<Ids extends keyof Ops = keyof Ops> = { [Id in Ids]: FakeHandler<Id> }
