import type { Entry } from './entries.ts'

const atOnceMax = 4

/** Loads entries in the background, a few at a time, each once however often it was added. */
export class Queue {
  readonly #load: (entry: Entry) => Promise<unknown>
  readonly #waiting = new Set<Entry>()
  #workers = 0

  /** Takes what loads an entry and never fails. */
  constructor(load: (entry: Entry) => Promise<unknown>) {
    this.#load = load
  }

  add(entries: Iterable<Entry>): void {
    for (const entry of entries) {
      this.#waiting.add(entry)
      if (this.#workers < atOnceMax) void this.#work()
    }
  }

  async #work(): Promise<void> {
    this.#workers += 1
    for (const entry of this.#waiting) {
      this.#waiting.delete(entry)
      await this.#load(entry)
    }
    this.#workers -= 1
  }
}
