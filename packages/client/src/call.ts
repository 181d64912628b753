/** What an operation gave, and how it came. */
export interface Answered<Data> {
  readonly data: Data
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
