import type { PublishedEvent } from '../generated/schemas.gen.ts'

/**
 * A publisher was closed, and these events could not be delivered in time. Whether the first ones were recorded is not
 * known when an attempt was under way: with an `external_id` each, and `uniqueBy`, they can be published again.
 */
export class UnsentEventsError extends Error {
  override readonly name = 'UnsentEventsError'
  readonly events: readonly PublishedEvent[]

  constructor(events: readonly PublishedEvent[], cause: unknown) {
    super(`${events.length} audit events could not be delivered`, { cause })
    this.events = events
  }
}
