/** What stands for the thing itself when it is still what `ifNoneMatch` names: compare with `===`. */
export const notModified: unique symbol = Symbol('not modified')
export type NotModified = typeof notModified

/** What is read: with `ifNoneMatch` it may be `notModified`. */
export type Found<Data, Options> =
  | Data
  | ('ifNoneMatch' extends keyof Options ? (Options['ifNoneMatch'] extends undefined ? never : NotModified) : never)

/** What an operation gave, and how it came. */
export interface Answered<Data> {
  readonly data: Data
  readonly status: number
  readonly headers: Headers
  /** What to give as `ifMatch` or `ifNoneMatch` the next time. */
  readonly etag: string | undefined
  /** Whether this is the answer to an earlier request with the same `idempotencyKey`. */
  readonly replayed: boolean
  /** Where the thing is at home, when that is not where it was asked for, such as by a slug of before. */
  readonly contentLocation: string | undefined
  /** The answer as it came; its body has been read. */
  readonly response: Response
  /** The id under which the registry's log has the request. */
  readonly requestId: string | undefined
  /** How many times the request was sent. */
  readonly attempts: number
}

/** A request under way: a promise of what it gives. */
export class Call<Data> implements Promise<Data> {
  readonly [Symbol.toStringTag] = 'Call'
  readonly #answered: Promise<Answered<Data>>

  /** @internal */
  constructor(answered: Promise<Answered<Data>>) {
    this.#answered = answered
  }

  /** The same with the response it came in, for its headers and its request id. */
  withResponse(): Promise<Answered<Data>> {
    return this.#answered
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is a promise
  then<Result = Data, Otherwise = never>(
    onFulfilled?: ((data: Data) => Result | PromiseLike<Result>) | null,
    onRejected?: ((reason: unknown) => Otherwise | PromiseLike<Otherwise>) | null,
  ): Promise<Result | Otherwise> {
    return this.#answered.then(({ data }) => data).then(onFulfilled, onRejected)
  }

  catch<Otherwise = never>(
    onRejected?: ((reason: unknown) => Otherwise | PromiseLike<Otherwise>) | null,
  ): Promise<Data | Otherwise> {
    return this.then(undefined, onRejected)
  }

  async finally(onFinally?: (() => void) | null): Promise<Data> {
    const { data } = await this.#answered.finally(onFinally)
    return data
  }
}
