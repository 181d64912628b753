import type { Answered, Call } from './call.ts'
import { UnexpectedAnswerError } from './error.ts'

/** What every page of a list has. */
export interface PageOf<Item> {
  readonly data: readonly Item[]
  readonly next_cursor: string | null
}

/**
 * A list that is read page by page. Iterate over it for its items, over `pages()` for its pages, or await it for the
 * first page. Nothing is asked for before that, and each time from the start.
 */
export class List<Item, Page extends PageOf<Item>> implements AsyncIterable<Item>, PromiseLike<Page> {
  readonly #operation: string
  readonly #start: string | undefined
  readonly #ask: (cursor: string | undefined) => Call<Page>

  /** @internal */
  constructor(operation: string, start: string | undefined, ask: (cursor: string | undefined) => Call<Page>) {
    this.#operation = operation
    this.#start = start
    this.#ask = ask
  }

  /**
   * The pages, each asked for when the one before has been dealt with.
   * @throws {UnexpectedAnswerError} when one is not a page, or says that the next one is itself
   */
  async *pages(): AsyncGenerator<Page, void, undefined> {
    let cursor = this.#start
    do {
      const answered = await this.#ask(cursor).withResponse()
      const next = this.#nextAfter(cursor, answered)
      yield answered.data
      cursor = next
    } while (cursor !== undefined)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    for await (const page of this.pages()) yield* page.data
  }

  /**
   * The first items, `max` of them at most.
   * @throws {TypeError} when `max` is not a number
   */
  async toArray({ max }: { readonly max: number }): Promise<Item[]> {
    if (!(max >= 0)) throw new TypeError('toArray needs a max')
    const items: Item[] = []
    if (max === 0) return items
    for await (const item of this) if (items.push(item) >= max) break
    return items
  }

  /** The first page with the response it came in. */
  withResponse(): Promise<Answered<Page>> {
    return this.#ask(this.#start).withResponse()
  }

  #nextAfter(
    sent: string | undefined,
    { data: page, response: { status }, requestId, attempts }: Answered<PageOf<unknown>>,
  ): string | undefined {
    const { data, next_cursor: next }: { readonly data: unknown; readonly next_cursor: unknown } = page
    const isPage = Array.isArray(data) && (next === null || typeof next === 'string')
    // Whoever does not heed the cursor would be asked for the same page without end.
    if (isPage && (next === null || next !== sent)) return next ?? undefined
    const found = isPage ? 'leads back to itself' : 'is not a page'
    throw new UnexpectedAnswerError(`${this.#operation}: the answer ${found}; is baseUrl the registry's?`, {
      status,
      requestId,
      attempts,
    })
  }

  // oxlint-disable-next-line unicorn/no-thenable -- awaiting a list gives its first page
  then<Result = Page, Otherwise = never>(
    onFulfilled?: ((page: Page) => Result | PromiseLike<Result>) | null,
    onRejected?: ((reason: unknown) => Otherwise | PromiseLike<Otherwise>) | null,
  ): Promise<Result | Otherwise> {
    return this.#ask(this.#start).then(onFulfilled, onRejected)
  }
}

/** The query for the page at a cursor, of the same list. */
export const pageQuery = <Query extends object>(query: Query, cursor: string | undefined): Query =>
  cursor === undefined ? query : { ...query, cursor }
