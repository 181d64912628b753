/** Places in a stream, as few ranges as it takes: what was redacted is most often a run. */
export class PlaceRanges {
  readonly #ranges: readonly (readonly [first: number, last: number])[]

  private constructor(ranges: readonly (readonly [number, number])[]) {
    this.#ranges = ranges
  }

  static of(places: readonly number[]): PlaceRanges {
    return PlaceRanges.#joined(places.map((place) => [place, place]))
  }

  /** Reads `3,5-9`. What is not such a text has no places. */
  static parse(text: string): PlaceRanges {
    if (!/^\d{1,15}(?:-\d{1,15})?(?:,\d{1,15}(?:-\d{1,15})?)*$/.test(text)) return new PlaceRanges([])
    return PlaceRanges.#joined(
      text.split(',').map((range) => {
        const [first = '', last = first] = range.split('-')
        return [Number(first), Number(last)]
      }),
    )
  }

  /** All that are in one of these. */
  static union(all: readonly PlaceRanges[]): PlaceRanges {
    return PlaceRanges.#joined(all.flatMap((each) => each.#ranges))
  }

  static #joined(ranges: readonly (readonly [number, number])[]): PlaceRanges {
    const joined: [number, number][] = []
    for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
      const before = joined.at(-1)
      if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last)
      else joined.push([first, last])
    }
    return new PlaceRanges(joined)
  }

  has(place: number): boolean {
    let [from, to] = [0, this.#ranges.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if ((this.#ranges[middle]?.[1] ?? 0) < place) from = middle + 1
      else to = middle
    }
    const range = this.#ranges[from]
    return range !== undefined && range[0] <= place
  }

  toString(): string {
    return this.#ranges.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(',')
  }
}
