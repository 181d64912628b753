/** A moment, by the clock on the wall and by one that only ever goes on. */
export interface Moment {
  /** In milliseconds since 1970. */
  readonly wall: number
  readonly ticks: number
}

/**
 * Tells the time. How long something is ago cannot shrink when the clock on the wall is set back, so that nothing holds
 * longer than it should; and what a machine slept is counted, which the other clock may miss.
 */
export class Clock {
  readonly #wall: () => number

  constructor(wall: () => number = Date.now) {
    this.#wall = wall
  }

  mark(): Moment {
    return { wall: this.#wall(), ticks: performance.now() }
  }

  /** How many milliseconds ago a moment was. */
  since({ wall, ticks }: Moment): number {
    return Math.max(0, this.#wall() - wall, performance.now() - ticks)
  }

  /** What time it is for something that was true at a moment. */
  after(moment: Moment): number {
    return moment.wall + this.since(moment)
  }
}
