import type { Answered, Call } from './call.ts'

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
  readonly #ask: (cursor: string | undefined) => Call<Page>

  /** @internal */
  constructor(ask: (cursor: string | undefined) => Call<Page>) {
    this.#ask = ask
  }

  /** The pages, each asked for when the one before has been dealt with. */
  async *pages(): AsyncGenerator<Page, void, undefined> {
    let cursor: string | undefined
    do {
      const page = await this.#ask(cursor)
      yield page
      cursor = page.next_cursor ?? undefined
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
    return this.#ask(undefined).withResponse()
  }

  // oxlint-disable-next-line unicorn/no-thenable -- awaiting a list gives its first page
  then<Result = Page, Otherwise = never>(
    onFulfilled?: ((page: Page) => Result | PromiseLike<Result>) | null,
    onRejected?: ((reason: unknown) => Otherwise | PromiseLike<Otherwise>) | null,
  ): Promise<Result | Otherwise> {
    return this.#ask(undefined).then(onFulfilled, onRejected)
  }
}
